"""The schema and the stores of truth on a real MariaDB or MySQL."""
