"""How statements find rows: consistent reads, and locking reads that wait where they stand."""

from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

from adapters.stores.model.hooks import Operation
from adapters.stores.model.locks import Mode
from adapters.stores.model.session import Session
from adapters.stores.model.table import PRIMARY, Key, Row, Where, matcher, pick


class Search(Operation, Protocol):
    """A statement with a condition."""

    @property
    def table(self) -> str:
        """Return the table's name."""

    @property
    def where(self) -> Where:
        """Return the condition by which rows are found."""

    @property
    def and_where(self) -> Callable[[Row], bool] | None:
        """Return a further condition, which the rows found must meet."""


def visible_rows(session: Session, search: Search) -> list[Row]:
    """Return what the session sees now: own rows and the latest committed ones of others."""
    rows = session.rows(search.table)
    matches = _condition(search)
    keys = rows.candidates(search.where, rows.path(search.where))
    seen = (session.visible(rows, key) for key in keys)
    return [row for row in seen if row is not None and matches(row)]


class LockingScan:
    """
    Locks the latest matching rows, one after the other in key order.

    As in InnoDB it waits for every row that the index leads to, also for one that fails a further
    condition; only an UPDATE without an index passes over locked rows whose committed version does
    not match. After a wait it goes on behind that row: what others changed before it is not looked
    at again. A row that does not exist cannot be locked. A row that does not match is let go
    when it was found by the primary key, other than by SELECT with one whole key, or by a scan.
    """

    def __init__(self, session: Session, search: Search, *, skip_locked: bool = False) -> None:
        self._session: Final = session
        self._search: Final = search
        self._skip_locked: Final = skip_locked
        self._rows: Final = session.rows(search.table)
        self._path: Final = self._rows.path(search.where)
        self._matches: Final = _condition(search)
        index = {} if callable(search.where) else search.where
        self._leads_to: Final = matcher({name: index[name] for name in self._path.columns})
        is_select_by_key = search.kind == "select" and self._path.name == PRIMARY
        self._keeps_misses: Final = self._path.is_secondary or (
            self._path.is_point and is_select_by_key
        )

    async def run(self, limit: int | None = None) -> list[tuple[Key, Row]]:
        """Lock and return rows until there are no more, or enough."""
        rows, where = self._rows, self._search.where
        found: list[tuple[Key, Row]] = []
        writes = rows.writes
        ahead = deque(rows.candidates(where, self._path))
        while ahead and (limit is None or len(found) < limit):
            key = ahead.popleft()
            if found:
                await self._session.pause(self._search)
            row = await self._visit(key)
            if row is not None:
                found.append((key, row))
            if writes != rows.writes:
                writes = rows.writes
                ahead = deque(each for each in rows.candidates(where, self._path) if each > key)
        return found

    async def _visit(self, key: Key) -> Row | None:
        version = self._version(key)
        if version is None or self._passes_over(key, version):
            return None
        taken = [entry for entry in self._entries(key, version) if not self._holds(*entry)]
        for name, values in taken:
            await self._session.lock(self._rows, name, values, Mode.EXCLUSIVE)
        row = self._rows.latest.get(key)
        if row is not None and self._matches(row):
            return row
        if row is None or not self._keeps(row):
            for name, values in taken:
                self._session.unlock(self._rows, name, values)
        return None

    def _version(self, key: Key) -> Row | None:
        """Return the version of a row, committed or not, to which the index leads."""
        versions = (self._rows.committed.get(key), self._rows.latest.get(key))
        return next((row for row in versions if row is not None and self._leads_to(row)), None)

    def _entries(self, key: Key, version: Row) -> list[tuple[str, Key]]:
        row = (PRIMARY, key)
        if not self._path.is_unique:
            return [row]
        return [(self._path.name, pick(version, self._path.columns)), row]

    def _passes_over(self, key: Key, version: Row) -> bool:
        entries = self._entries(key, version)
        if all(self._session.could_lock(self._rows, *entry) for entry in entries):
            return False
        if self._skip_locked:
            return True
        committed = self._rows.committed.get(key)
        looks_first = self._search.kind == "update" and self._path.is_scan
        return looks_first and not (committed is not None and self._matches(committed))

    def _keeps(self, row: Row) -> bool:
        """Return whether a row that does not match stays locked."""
        # What left a unique entry while it was waited for is let go; a plain index lets nothing go.
        return self._keeps_misses and (self._leads_to(row) or not self._path.is_unique)

    def _holds(self, name: str, values: Key) -> bool:
        return self._session.holds(self._rows, name, values)


def _condition(search: Search) -> Callable[[Row], bool]:
    first, second = matcher(search.where), search.and_where
    if second is None:
        return first
    return lambda row: first(row) and second(row)
