"""Wrapped person keys in one SQLite file of their own, mode 0600, used by one thread."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import apsw

from adapters.security.key_files import create_empty
from adapters.security.wrapped_keys import WrappedKey
from domain.errors import TransientError

#: `secure_delete` overwrites a destroyed key; FULL makes a commit durable before it returns.
PRAGMAS: Final = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA secure_delete = ON",
    "PRAGMA busy_timeout = 5000",
)
SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS person_keys (
    person_id TEXT PRIMARY KEY,
    kek_version TEXT NOT NULL,
    wrapped BLOB
) WITHOUT ROWID, STRICT
"""
INSERT: Final = """
INSERT OR IGNORE INTO person_keys (person_id, kek_version, wrapped) VALUES (?, ?, ?)
"""
SELECT: Final = "SELECT kek_version, wrapped FROM person_keys WHERE person_id = ?"
#: The row stays without its key, a tombstone: destroying is final.
DESTROY: Final = """
INSERT INTO person_keys (person_id, kek_version, wrapped) VALUES (?, '', NULL)
ON CONFLICT (person_id) DO UPDATE SET kek_version = '', wrapped = NULL
"""


class SqliteKeyStore:
    """Implements `KeyStore`; no two methods may run at once."""

    def __init__(self, path: Path) -> None:
        create_empty(path)
        with _translated():
            self._connection = apsw.Connection(str(path))
            for statement in (*PRAGMAS, SCHEMA):
                self._connection.execute(statement)

    def get(self, person_id: str) -> WrappedKey | None:
        """Return the stored key, a tombstone, or None."""
        with _translated():
            row = self._connection.execute(SELECT, (person_id,)).fetchone()
        return WrappedKey(*row) if row else None

    def put_if_absent(self, person_id: str, key: WrappedKey) -> WrappedKey:
        """Keep the key unless there is one, or a tombstone; return what is stored, durably."""
        with _translated():
            self._connection.execute(INSERT, (person_id, key.kek_version, key.wrapped))
        stored = self.get(person_id)
        if stored is None:
            raise TransientError("the key vault lost a row")
        return stored

    def destroy(self, person_id: str) -> None:
        """Overwrite the key by a tombstone, in the file and in its log."""
        with _translated():
            self._connection.execute(DESTROY, (person_id,))
            # The log still holds the page with the key; cutting it to nothing removes that copy.
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except apsw.Error as error:
        # SQLite's text may quote what was bound; its class says enough.
        raise TransientError(f"the key vault is away ({type(error).__name__})") from None
