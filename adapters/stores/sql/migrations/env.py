"""Alembic's environment: MySQL and MariaDB over a connection that is given, or as SQL text."""

from alembic import context

if context.is_offline_mode():
    context.configure(dialect_name="mysql", transactional_ddl=False)
else:
    # Each statement commits by itself: MySQL's DDL could not be rolled back anyway.
    context.configure(connection=context.config.attributes["connection"], transactional_ddl=False)
with context.begin_transaction():
    context.run_migrations()
