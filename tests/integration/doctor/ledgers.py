"""A folder's ledger copied to a server, tampered with there by the faults of the folder's suite."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, Final

import apsw

from adapters.stores.embedded.directory import TRUTH
from tests.integration.ledger.site import (
    BATCH_NAMES,
    BATCHES,
    DECISION_NAMES,
    DECISIONS,
    Expected,
    Fault,
    Site,
)
from tests.integration.sql.database import connected

if TYPE_CHECKING:
    import pymysql

TABLES: Final = {BATCHES: BATCH_NAMES, DECISIONS: DECISION_NAMES}
Rows = Sequence[tuple[Any, ...]]


@dataclass(slots=True)
class Connection:
    """What a `Site` asks of a connection, on a server."""

    held: "pymysql.Connection[Any]"
    changed: int = 0

    def execute(self, text: str, bindings: Sequence[Any] = ()) -> "Connection":
        self._cursor = self.held.cursor()
        self.changed = self._cursor.execute(text.replace("?", "%s"), tuple(bindings))
        return self

    def fetchall(self) -> Rows:
        return list(self._cursor.fetchall())

    def changes(self) -> int:
        return self.changed

    _cursor: Any = None


@dataclass(frozen=True, slots=True)
class ServedLedger:
    """A copy of a folder's ledger in a database; anchors stay in the folder."""

    url: str
    data: Path

    def fill(self) -> None:
        """Make the rows of the database those of the folder, again."""
        with closing(apsw.Connection(str(self.data / TRUTH))) as source, self.opened() as there:
            for table, names in TABLES.items():
                rows = list(source.execute(f"SELECT {names} FROM {table}"))  # noqa: S608 - ours
                marks = ", ".join(["%s"] * len(rows[0]))
                insert = f"INSERT INTO {table} ({names}) VALUES ({marks})"  # noqa: S608 - ours
                with there.cursor() as written:
                    written.execute(f"DELETE FROM {table}")  # noqa: S608 - ours
                    written.executemany(insert, rows)
            there.commit()

    @contextmanager
    def tampered(self, fault: Fault, seed: int) -> Iterator[list[Expected]]:
        """Do it to the rows of the database, and take it back at the end."""
        with self.opened() as there:
            connection: Any = Connection(there)
            expected = fault(Site(connection, Random(seed)))
            there.commit()
        try:
            yield expected
        finally:
            self.fill()

    @contextmanager
    def opened(self) -> Iterator["pymysql.Connection[Any]"]:
        with closing(connected(self.url, autocommit=False)) as connection:
            yield connection
