DROP TABLE audit_log;
DROP TABLE loss_windows;
