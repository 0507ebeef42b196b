"""
Revisions on an embedded file, run as committed SQL by the connection of the file's owner.

`sqlite/` holds what Alembic renders of each revision (a test compares), because an old file is
upgraded where the platform starts, without Alembic, and by `apsw`: Python's own `sqlite3` may be
one with the WAL-reset race. The file's `user_version` is its revision.
"""

from pathlib import Path
from typing import Final

import apsw

from adapters.stores.sql.schema import VERSION

FOLDER: Final = Path(__file__).parent / "sqlite"


def rendered(version: int, direction: str) -> str:
    """Return the SQL of one revision; `direction` is `upgrade` or `downgrade`."""
    return (FOLDER / f"{version:04d}.{direction}.sql").read_text(encoding="utf-8")


def schema_upgrades() -> tuple[str, ...]:
    """Return the SQL from version 1 to 2, from 2 to 3, …, for a file's layout."""
    return tuple(rendered(version, "upgrade") for version in range(2, VERSION + 1))


def step_down(connection: apsw.Connection, target: int) -> None:
    """Take a file of today's version back to an older one, in one transaction."""
    with connection:
        for version in range(VERSION, target, -1):
            connection.execute(rendered(version, "downgrade"))
        connection.execute(f"PRAGMA user_version = {target}")
