"""How the schema of truth changes: revisions for MySQL and SQLite, and what runs them."""
