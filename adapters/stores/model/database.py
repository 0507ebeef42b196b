"""
A model of a MySQL database with InnoDB at READ COMMITTED, in memory, statement by statement.

Each statement sees the latest committed rows and its own writes. Written rows and rows read FOR
UPDATE stay locked until the transaction ends; what does not exist cannot be locked. Chance and
faults come in through hooks, time is the running loop's: under a virtual loop every run with the
same seed is the same run.

Its scenarios (tests/simulation/kernel/isolation) are played on a real server too
(tests/integration/truth/test_isolation.py). Known differences: the server may prefer a scan to an
index; deleted entries linger there until they are purged and can make neighbours wait; a row with
NULL in a unique key respects no gap lock here; collations compare
bytes; there is one clock, no replica and no disk.
"""

from collections.abc import Callable, Iterable
from typing import Final

from adapters.stores.model.connection import Connection
from adapters.stores.model.errors import (
    CheckViolationError,
    DeadlockError,
    DuplicateKeyError,
    LockWaitError,
    LostConnectionError,
    ModelStoreError,
    ThrottledError,
)
from adapters.stores.model.hooks import NO_FAULTS, Hooks
from adapters.stores.model.locks import LockTable
from adapters.stores.model.session import Engine, Session
from adapters.stores.model.table import Row, Rows, Table, Where

__all__ = [
    "CheckViolationError",
    "Connection",
    "Database",
    "DeadlockError",
    "DuplicateKeyError",
    "LockWaitError",
    "LostConnectionError",
    "ModelStoreError",
    "Row",
    "Table",
    "ThrottledError",
    "Where",
]

LOCK_WAIT_TIMEOUT_S: Final = 1.0


def _at_once() -> float:
    return 0.0


class Database:
    """
    A server with some tables.

    count_found_rows: count matched instead of changed rows, as a client with CLIENT_FOUND_ROWS.
    kill_lag_s: how long the victim of a KILL lives on; it may still commit meanwhile.
    """

    def __init__(
        self,
        tables: Iterable[Table],
        hooks: Hooks = NO_FAULTS,
        *,
        lock_wait_timeout_s: float = LOCK_WAIT_TIMEOUT_S,
        count_found_rows: bool = False,
        kill_lag_s: Callable[[], float] = _at_once,
    ) -> None:
        self._engine: Final = Engine(
            tables={table.name: Rows(table) for table in tables},
            locks=LockTable(lock_wait_timeout_s),
            hooks=hooks,
            count_found_rows=count_found_rows,
            kill_lag_s=kill_lag_s,
        )
        self._last_number = 0
        self._up = True

    def connect(self, name: str) -> Connection:
        """
        Open a session.

        Raises:
            LostConnectionError: the server is down.
        """
        if not self._up:
            raise LostConnectionError("the server is down")
        self._last_number += 1
        session = Session(self._last_number, name, self._engine)
        connection = Connection(session)
        self._engine.sessions[session.number] = session
        return connection

    def crash(self) -> None:
        """End every session as kill -9 of the server does: only committed rows stay."""
        self._up = False
        for landing in self._engine.landings:
            landing.cancel()
        for session in list(self._engine.sessions.values()):
            session.end()

    def restart(self) -> None:
        """Accept connections again; session numbers begin anew, so old ones mean strangers."""
        self._up = True
        self._last_number = 0

    def rows(self, table: str) -> list[Row]:
        """Return copies of all committed rows in key order, for checkers: no statement, no wait."""
        committed = self._engine.tables[table].committed
        return [dict(committed[key]) for key in sorted(committed)]

    def leftovers(self) -> list[str]:
        """Return what should not be left when everybody is done: sessions, locks, writes."""
        engine = self._engine
        sessions = [f"session {each.number} of {each.name}" for each in engine.sessions.values()]
        locks = ["row locks"] if engine.locks.owners() else []
        named = [f"lock {name}" for name in engine.named_locks.names()]
        dirty = [
            f"uncommitted rows in {name}"
            for name, rows in engine.tables.items()
            if rows.latest != rows.committed
        ]
        return [*sessions, *locks, *named, *dirty]
