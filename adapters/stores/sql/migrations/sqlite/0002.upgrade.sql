CREATE TABLE loss_windows (
    window_id VARCHAR(36) NOT NULL,
    opened_us BIGINT NOT NULL,
    opened_by VARCHAR(128) NOT NULL,
    reason VARCHAR(1000) NOT NULL,
    cause VARCHAR(32) NOT NULL,
    released_us BIGINT DEFAULT 0 NOT NULL,
    released_by VARCHAR(128) DEFAULT '' NOT NULL,
    note VARCHAR(1000) DEFAULT '' NOT NULL,
    PRIMARY KEY (window_id)
)
 WITHOUT ROWID;
CREATE TABLE audit_log (
    entry_id VARCHAR(36) NOT NULL,
    at_us BIGINT NOT NULL,
    actor VARCHAR(128) NOT NULL,
    action VARCHAR(64) NOT NULL,
    subject VARCHAR(128) NOT NULL,
    detail VARCHAR(1000) NOT NULL,
    PRIMARY KEY (entry_id)
)
 WITHOUT ROWID;
CREATE INDEX idx_audit_newest ON audit_log (at_us);
