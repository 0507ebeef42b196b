"""How SQLite says what the dialects say differently; its driver binds the parameters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from json import dumps
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Executable,
    ScalarSelect,
    Select,
    Table,
    and_,
    bindparam,
    func,
    select,
)
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.dialects.sqlite.base import SQLiteDialect

from adapters.stores.sql.rendering import Call, Plan, Query, Renderer, Rows, reading
from adapters.stores.sql.schema import customers, ledger_batches
from ingestion.statements import LockProfiles

#: apsw keeps no prepared statement for a longer text, and SQLite takes 32,766 parameters.
TEXT_MAX: Final = 16_000

DIALECT: Final = SQLiteDialect(paramstyle="qmark")


@dataclass(frozen=True, slots=True)
class BoundQuery:
    """A compiled statement; the constants in it are `fixed` parameters, a list is one of JSON."""

    text: str
    order: tuple[str, ...]
    fixed: Mapping[str, object]

    def __call__(self, params: Mapping[str, object]) -> Call:
        """Return the call with these parameters."""
        given = {**self.fixed, **params}
        return self.text, [_bound(given[name]) for name in self.order]


@dataclass(frozen=True, slots=True)
class BoundInsert:
    """
    An insert of as many rows a call as one text may hold.

    One row a call would give up the interpreter's lock at each row, and a busy thread then keeps
    it for its whole turn: beside one, 1,000 rows took 0.64 s instead of 0.07.
    """

    head: str
    columns: tuple[str, ...]
    tail: str

    def __call__(self, rows: Sequence[Sequence[object]]) -> list[Call]:
        """Return the calls that insert rows, each in the order of `columns`."""
        row = f"({','.join('?' * len(self.columns))})"
        step = (TEXT_MAX - len(self.head) - len(self.tail)) // (len(row) + 1)
        parts = (rows[begin : begin + step] for begin in range(0, len(rows), step))
        return [
            (
                f"{self.head}{','.join([row] * len(part))}{self.tail}",
                list(chain.from_iterable(part)),
            )
            for part in parts
        ]


class SqliteWords:
    """Implements `adapters.stores.sql.rendering.Words`."""

    def query(self, statement: Executable) -> Query:
        """Compile a statement of SQLAlchemy Core."""
        return _compiled(statement)

    def any_of(self, name: str) -> ScalarSelect[Any]:
        """Return the values of a list parameter: SQLite reads them from JSON."""
        values = func.json_each(bindparam(name)).table_valued("value")
        return select(values.c.value).scalar_subquery()

    def matching(
        self,
        statement: Select[Any],
        table: Table,
        pair: tuple[ColumnElement[Any], ColumnElement[Any]],
        name: str,
    ) -> Select[Any]:
        """Join the list parameter, which drives the look-ups."""
        asked = func.json_each(bindparam(name)).table_valued("value", name=name)
        first = pair[0] == func.json_extract(asked.c.value, "$[0]")
        second = pair[1] == func.json_extract(asked.c.value, "$[1]")
        return statement.select_from(asked).join(table, and_(first, second))

    def insert_into(
        self, table: Table, columns: Sequence[str], *, newer: str = "", ignore: bool = False
    ) -> BoundInsert:
        """Compile an insert; see the port."""
        statement = insert(table).values({name: bindparam(name) for name in columns})
        primary = [column.name for column in table.primary_key]
        if newer:
            kept = {*primary, "created_us"}
            changed = {name: statement.excluded[name] for name in columns if name not in kept}
            statement = statement.on_conflict_do_update(
                index_elements=primary,
                set_=changed,
                where=statement.excluded[newer] > table.c[newer],
            )
        if ignore:
            statement = statement.on_conflict_do_nothing(index_elements=primary)
        return _split(statement)

    def last_batches(self, columns: Sequence[ColumnElement[Any]]) -> Select[Any]:
        """Jump from lane to lane along the primary key: lanes are few and their batches many."""
        b, later, last = ledger_batches.c, ledger_batches.alias().c, ledger_batches.alias().c
        lanes = select(func.min(b.lane).label("lane")).cte("lanes", recursive=True)
        following = select(func.min(later.lane)).where(later.lane > lanes.c.lane)
        lanes = lanes.union_all(
            select(following.scalar_subquery()).where(lanes.c.lane.is_not(None))
        )
        newest = select(func.max(last.sequence)).where(last.lane == lanes.c.lane)
        return (
            select(*columns)
            .select_from(lanes)
            .join(
                ledger_batches,
                and_(b.lane == lanes.c.lane, b.sequence == newest.scalar_subquery()),
            )
        )

    def lock_profiles(self) -> Renderer:
        """Read: nobody else writes before this transaction ends, so no place need be held."""
        c = customers.c
        held = reading(
            self,
            select(c.customer_id, c.profile).where(c.customer_id.in_(self.any_of("ids"))),
            lambda s: {"ids": list(s.customer_ids)},
            lambda customer_id, profile: (customer_id, profile),
            needs="customer_ids",
        )

        def render(asked: LockProfiles) -> Plan:
            plan = held(asked)

            def result(results: Sequence[Rows]) -> Rows:
                known = dict(plan.result(results))
                return [(name, known.get(name, b"")) for name in sorted(set(asked.customer_ids))]

            return Plan(plan.calls, result)

        return render


def _bound(value: object) -> object:
    return dumps(value, ensure_ascii=False) if isinstance(value, list) else value


def _compiled(statement: Executable) -> BoundQuery:
    compiled = statement.compile(dialect=DIALECT)  # type: ignore[attr-defined]
    return BoundQuery(
        str(compiled), tuple(compiled.positiontup or ()), compiled.construct_params(_check=False)
    )


def _split(statement: Executable) -> BoundInsert:
    compiled = _compiled(statement)
    marks = "(" + ", ".join("?" * len(compiled.order)) + ")"
    head, found, tail = compiled.text.partition(marks)
    if not found:
        raise AssertionError(f"no row of parameters in {compiled.text}")
    return BoundInsert(head, compiled.order, tail)
