"""The statements of the model database; each is a value that says what it does to a session."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from adapters.stores.model.claims import claim, claim_or_find, claim_unique
from adapters.stores.model.scan import LockingScan, visible_rows
from adapters.stores.model.session import Session
from adapters.stores.model.table import PRIMARY, Row, Where

#: New values of some columns, or a function of the old row that returns them.
Changes = Mapping[str, Any] | Callable[[Row], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class OnTable:
    """A statement about one table."""

    table: str

    @property
    def target(self) -> str:
        """Return the table's name."""
        return self.table


@dataclass(frozen=True, slots=True)
class Select(OnTable):
    """Read copies of rows, in key order unless told otherwise."""

    kind: ClassVar[str] = "select"
    where: Where
    and_where: Callable[[Row], bool] | None = None
    for_update: bool = False
    skip_locked: bool = False
    order_by: tuple[str, ...] = ()
    limit: int | None = None

    async def run(self, session: Session) -> list[Row]:
        """Read; with for_update lock what is returned."""
        if self.for_update:
            found = await self._locked(session)
        else:
            found = visible_rows(session, self)
        if self.order_by:
            found.sort(key=lambda row: tuple(row[column] for column in self.order_by))
        return [dict(row) for row in found[: self.limit]]

    async def _locked(self, session: Session) -> list[Row]:
        # A sort needs all rows first, so the database locks them all; otherwise it stops in time.
        limit = None if self.order_by else self.limit
        found = await LockingScan(session, self, skip_locked=self.skip_locked).run(limit)
        return [row for _, row in found]


@dataclass(frozen=True, slots=True)
class Insert(OnTable):
    """Insert rows one after the other; all or none of them stay."""

    kind: ClassVar[str] = "insert"
    rows: tuple[Row, ...]

    async def run(self, session: Session) -> int:
        """Return the number of rows."""
        for position, row in enumerate(self.rows):
            if position:
                await session.pause(self)
            await _insert(session, self.table, dict(row))
        return len(self.rows)


@dataclass(frozen=True, slots=True)
class Upsert(OnTable):
    """INSERT .. ON DUPLICATE KEY UPDATE every column IF the new version is higher."""

    kind: ClassVar[str] = "upsert"
    key: Mapping[str, Any]
    row: Mapping[str, Any]
    version_column: str

    async def run(self, session: Session) -> int:
        """Return what the server calls affected rows: 1 inserted, 2 updated, else 0 or 1."""
        rows = session.rows(self.table)
        full = {**self.row, **self.key}
        holder = await claim_or_find(session, rows, full)
        if holder is None:
            session.write(rows, rows.key_of(full), full)
            return 1
        old = rows.latest[holder]
        if not full[self.version_column] > old[self.version_column]:
            return 1 if session.engine.count_found_rows else 0
        # A conflict on another unique key updates that other row, which keeps its primary key.
        new = {**old, **self.row}
        await claim_unique(session, rows, holder, new, old)
        session.write(rows, holder, new)
        return 2


@dataclass(frozen=True, slots=True)
class Update(OnTable):
    """Change rows; primary keys cannot change."""

    kind: ClassVar[str] = "update"
    where: Where
    changes: Changes
    and_where: Callable[[Row], bool] | None = None

    async def run(self, session: Session) -> int:
        """Return affected rows: those that changed, or with count_found_rows those that matched."""
        rows = session.rows(self.table)
        found = await LockingScan(session, self).run()
        changed = 0
        for key, old in found:
            new = {**old, **(self.changes(old) if callable(self.changes) else self.changes)}
            _require_same_shape(old, new, rows.table.primary_key)
            if new != old:
                changed += 1
                await claim_unique(session, rows, key, new, old)
                session.write(rows, key, new)
        return len(found) if session.engine.count_found_rows else changed


@dataclass(frozen=True, slots=True)
class Delete(OnTable):
    """Remove rows."""

    kind: ClassVar[str] = "delete"
    where: Where
    and_where: Callable[[Row], bool] | None = None

    async def run(self, session: Session) -> int:
        """Return the number of rows removed."""
        rows = session.rows(self.table)
        found = await LockingScan(session, self).run()
        for key, old in found:
            await claim_unique(session, rows, key, None, old)
            session.write(rows, key, None)
        return len(found)


def rows_of(rows: Row | Iterable[Row]) -> tuple[Row, ...]:
    """Return one row or several as a tuple."""
    return (rows,) if isinstance(rows, dict) else tuple(rows)


async def _insert(session: Session, table: str, row: Row) -> None:
    rows = session.rows(table)
    key = rows.key_of(row)
    await claim(session, rows, PRIMARY, key, owner=key)
    await claim_unique(session, rows, key, row, None)
    session.write(rows, key, row)


def _require_same_shape(old: Row, new: Row, primary_key: tuple[str, ...]) -> None:
    if new.keys() != old.keys():
        raise ValueError(f"unknown columns: {sorted(new.keys() - old.keys())}")
    if any(old[column] != new[column] for column in primary_key):
        raise ValueError("a primary key cannot be updated here")
