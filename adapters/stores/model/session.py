"""The server's side of a connection: transaction, undo log, locks, and how a session ends."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeVar

from adapters.stores.model.errors import (
    CheckViolationError,
    DeadlockError,
    LostConnectionError,
)
from adapters.stores.model.hooks import Hooks, Operation
from adapters.stores.model.locks import LockTable, Mode
from adapters.stores.model.named_locks import NamedLocks
from adapters.stores.model.table import Key, Row, Rows

T_co = TypeVar("T_co", covariant=True)


class Statement(Operation, Protocol[T_co]):
    """One statement, with what it does at the server."""

    async def run(self, session: "Session") -> T_co:
        """Execute it; the session takes care of undo and autocommit."""


@dataclass(slots=True, kw_only=True)
class Engine:
    """What all sessions of a database share."""

    tables: dict[str, Rows]
    locks: LockTable
    hooks: Hooks
    count_found_rows: bool
    kill_lag_s: Callable[[], float]
    named_locks: NamedLocks["Session"] = field(default_factory=NamedLocks)
    sessions: dict[int, "Session"] = field(default_factory=dict)
    landings: dict[asyncio.Task[None], None] = field(default_factory=dict)


@dataclass(slots=True)
class _Undo:
    rows: Rows
    key: Key
    before: Row | None


class Session:
    """
    A session at READ COMMITTED with autocommit, as MySQL has it.

    A failed statement is undone alone, except a deadlock, which undoes the transaction. Locks last
    until commit or rollback, also those of a failed statement.
    """

    def __init__(self, number: int, name: str, engine: Engine) -> None:
        self.number: Final = number
        self.name: Final = name
        self.engine: Final = engine
        self.alive = True
        self.in_transaction = False
        self._undo: Final[list[_Undo]] = []
        self._written: dict[tuple[str, Key], None] = {}
        self._claims: Final[list[tuple[Rows, str, Key]]] = []

    @property
    def weight(self) -> int:
        """Return how much would be lost by rolling back."""
        return len(self._undo) + self.engine.locks.count(self)

    async def execute(self, statement: Statement[T_co]) -> T_co:
        """
        Execute a statement and commit it unless a transaction is open.

        Raises:
            LostConnectionError: the session is over.
            DeadlockError: the transaction is undone and no longer open.
            ModelStoreError: any other; the statement alone is undone.
        """
        self.require_alive()
        savepoint = (len(self._undo), self.claims)
        try:
            result = await statement.run(self)
            self.require_alive()
        except DeadlockError:
            self.roll_back()
            raise
        except BaseException:
            self._undo_to(*savepoint)
            if not self.in_transaction:
                self.roll_back()
            raise
        if not self.in_transaction:
            self.commit()
        return result

    def begin(self) -> None:
        """Open a transaction; one that is open is committed first, as MySQL does."""
        self.commit()
        self.in_transaction = True

    def commit(self) -> None:
        """Publish what was written, all at once, and release the locks."""
        for entry in self._undo:
            entry.rows.publish(entry.key)
        self._close_transaction()

    def roll_back(self) -> None:
        """Undo what was written and release the locks."""
        self._undo_to(0, 0)
        self._close_transaction()

    def end(self) -> None:
        """End the session: its open transaction and its named locks are gone at once."""
        if not self.alive:
            return
        self.alive = False
        self.engine.locks.interrupt(self, LostConnectionError("the session was ended"))
        self.roll_back()
        self.engine.named_locks.end(self)
        self.engine.sessions.pop(self.number, None)

    def end_after(self, seconds: float) -> None:
        """End the session now, or after some virtual seconds."""
        if seconds > 0:
            asyncio.get_running_loop().call_later(seconds, self.end)
        else:
            self.end()

    def require_alive(self) -> None:
        """Raise LostConnectionError when the session is over."""
        if not self.alive:
            raise LostConnectionError("the session is over")

    # --- for statements

    def rows(self, table: str) -> Rows:
        """Return the rows of a table."""
        return self.engine.tables[table]

    def visible(self, rows: Rows, key: Key) -> Row | None:
        """Return the row as this session sees it: its own version or the committed one."""
        own = (rows.table.name, key) in self._written
        return (rows.latest if own else rows.committed).get(key)

    async def pause(self, operation: Operation) -> None:
        """Let others run between two rows of a statement."""
        await self.engine.hooks.pause(operation)
        self.require_alive()

    async def lock(
        self, rows: Rows, key_name: str, values: Key, mode: Mode, *, is_claim: bool = False
    ) -> None:
        """Take a lock on an index entry."""
        resource = (rows.table.name, key_name, values)
        await self.engine.locks.acquire(self, resource, mode, is_claim=is_claim)
        self.require_alive()

    def claimed(self, rows: Rows, key_name: str, values: Key) -> None:
        """Note an entry locked for a row to be; it is given back should the row not come to be."""
        self._claims.append((rows, key_name, values))

    @property
    def claims(self) -> int:
        """Return how many entries are claimed so far, to return to this point."""
        return len(self._claims)

    def give_back(self, claims: int) -> None:
        """Give back what was claimed since, except entries that have a row by now."""
        while len(self._claims) > claims:
            self._give_back(*self._claims.pop())

    def could_lock(self, rows: Rows, key_name: str, values: Key) -> bool:
        """Return whether an index entry could be locked exclusively without waiting."""
        resource = (rows.table.name, key_name, values)
        return self.engine.locks.is_free(self, resource, Mode.EXCLUSIVE)

    def gap_is_free(self, rows: Rows, key_name: str, values: Key) -> bool:
        """Return whether an entry could be inserted without waiting for a gap."""
        return self.engine.locks.gap_is_free(self, (rows.table.name, key_name, values))

    async def await_gap(self, rows: Rows, key_name: str, values: Key) -> None:
        """Wait until nobody else has locked the gap in which an entry is to be inserted."""
        await self.engine.locks.await_gap(self, (rows.table.name, key_name, values))
        self.require_alive()

    def holds(self, rows: Rows, key_name: str, values: Key) -> bool:
        """Return whether this session has locked an index entry exclusively."""
        resource = (rows.table.name, key_name, values)
        return self.engine.locks.holds(self, resource, Mode.EXCLUSIVE)

    def unlock(self, rows: Rows, key_name: str, values: Key) -> None:
        """Release an index entry before the end of the transaction."""
        self.engine.locks.release(self, (rows.table.name, key_name, values))

    def write(self, rows: Rows, key: Key, row: Row | None) -> None:
        """Write a row that is locked, or remove it with None."""
        if row is not None:
            _check(rows, row)
        self._undo.append(_Undo(rows, key, rows.latest.get(key)))
        self._written[rows.table.name, key] = None
        rows.write(key, row)

    def _undo_to(self, savepoint: int, claims: int) -> None:
        while len(self._undo) > savepoint:
            entry = self._undo.pop()
            entry.rows.write(entry.key, entry.before)
            entry.rows.settle(entry.key)
        self._written = {(each.rows.table.name, each.key): None for each in self._undo}
        self.give_back(claims)

    def _give_back(self, rows: Rows, key_name: str, values: Key) -> None:
        """Unlock the entry of a row that is undone: in InnoDB the lock lives in the row itself."""
        if rows.holder(key_name, values) is not None:
            return
        resource = (rows.table.name, key_name, values)
        if self.engine.locks.is_awaited(resource):
            self.engine.locks.soften(resource, *rows.neighbours(key_name, values))
        self.engine.locks.release(self, resource)

    def _close_transaction(self) -> None:
        self._undo.clear()
        self._written.clear()
        self._claims.clear()
        self.in_transaction = False
        self.engine.locks.release_all(self)


def _check(rows: Rows, row: Row) -> None:
    for name, holds in rows.table.checks.items():
        if not holds(row):
            raise CheckViolationError(name)
