"""How MySQL and MariaDB say what the dialects say differently; values stand in the text."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Executable,
    Select,
    Table,
    and_,
    bindparam,
    func,
    literal_column,
    select,
)
from sqlalchemy.dialects.mysql.base import MySQLDialect

from adapters.stores.sql.mysql_literals import literal, literals, row_literals
from adapters.stores.sql.rendering import NO_CALLS, Call, Plan, Query, Renderer, Rows
from adapters.stores.sql.schema import customers, ledger_batches
from ingestion.statements import LockProfiles

DIALECT: Final = MySQLDialect(paramstyle="format")
#: One packet is at most 16 MiB where nobody raised `max_allowed_packet`.
TEXT_MAX: Final = 4 << 20
LIST: Final = re.compile(r"__\[POSTCOMPILE_(\w+)\]")
SLOT: Final = re.compile(r"%s|__PAIRS_(\w+)__")


@dataclass(frozen=True, slots=True)
class TextQuery:
    """A compiled statement; `slots` are its parameters in order, with how each is written."""

    text: str
    slots: tuple[tuple[str, "Pairs | None"], ...]

    def __call__(self, params: Mapping[str, Any]) -> Call:
        """Return the text with these parameters in it."""
        given = tuple(
            _written(params[name]) if pairs is None else pairs.condition(params[name])
            for name, pairs in self.slots
        )
        return self.text % given, ()


@dataclass(frozen=True, slots=True)
class Pairs:
    """A list parameter of pairs; grouped by the first, a look-up costs a third less."""

    first: str
    second: str

    def condition(self, pairs: Iterable[tuple[str, str]]) -> str:
        """Return the condition that the two columns are one of the pairs."""
        grouped: dict[Any, list[Any]] = {}
        for first, second in pairs:
            grouped.setdefault(first, []).append(second)
        return " OR ".join(
            f"{self.first} = {literal(first)} AND {self.second} IN ({literals(seconds)})"
            for first, seconds in grouped.items()
        )


@dataclass(frozen=True, slots=True)
class TextInsert:
    """An insert of as many rows a call as one packet may hold."""

    head: str
    columns: tuple[str, ...]
    row: str
    between: str
    tail: str

    def __call__(self, rows: Sequence[Sequence[object]]) -> list[Call]:
        """Return the calls that insert rows, each in the order of `columns`."""
        calls: list[Call] = []
        part: list[str] = []
        size = 0
        for values in rows:
            text = self.row % row_literals(values)
            if part and size + len(text) > TEXT_MAX:
                calls.append(self._call(part))
                part, size = [], 0
            part.append(text)
            size += len(text)
        if part:
            calls.append(self._call(part))
        return calls

    def _call(self, part: Sequence[str]) -> Call:
        return f"{self.head}{self.between.join(part)}{self.tail}", ()


class MysqlWords:
    """Implements `adapters.stores.sql.rendering.Words` in what MySQL 8 and MariaDB share."""

    def query(self, statement: Executable) -> Query:
        """Compile a statement of SQLAlchemy Core; constants are written into the text at once."""
        compiled = statement.compile(dialect=DIALECT)  # type: ignore[attr-defined]
        values = compiled.construct_params(_check=False)
        text = LIST.sub("%s", " ".join(str(compiled).split()))
        order = iter(compiled.positiontup or ())
        slots: list[tuple[str, Pairs | None]] = []

        def slot(found: re.Match[str]) -> str:
            if found[0] != "%s":
                first, second, name = found[1].split("__")
                slots.append((name, Pairs(first, second)))
                return "(%s)"
            name = next(order)
            if values[name] is not None:
                return literal(values[name]).replace("%", "%%")
            slots.append((name, None))
            return "%s"

        return TextQuery(SLOT.sub(slot, text), tuple(slots))

    def any_of(self, name: str) -> BindParameter[Any]:
        """Return a list parameter, written out when the call is made."""
        return bindparam(name, expanding=True)

    def matching(
        self,
        statement: Select[Any],
        table: Table,  # noqa: ARG002  the port's: SQLite joins it
        pair: tuple[ColumnElement[Any], ColumnElement[Any]],
        name: str,
    ) -> Select[Any]:
        """Ask for the pairs by range over the key that both columns lead."""
        first, second = pair
        return statement.where(literal_column(f"__PAIRS_{first.key}__{second.key}__{name}__"))

    def insert_into(
        self, table: Table, columns: Sequence[str], *, newer: str = "", ignore: bool = False
    ) -> TextInsert:
        """
        Compile an insert; see the port.

        `INSERT IGNORE` would also cut values that are too long; writing a key on itself does not.
        """
        if newer:
            return _upsert(table, columns, newer)
        names = ", ".join(columns)
        key = next(iter(table.primary_key)).name
        tail = f" ON DUPLICATE KEY UPDATE {key} = {table.name}.{key}" if ignore else ""
        return TextInsert(
            head=f"INSERT INTO {table.name} ({names}) VALUES ",  # noqa: S608 names of our schema
            columns=tuple(columns),
            row=f"({','.join(['%s'] * len(columns))})",
            between=",",
            tail=tail,
        )

    def last_batches(self, columns: Sequence[ColumnElement[Any]]) -> Select[Any]:
        """Let the server jump from group to group, which it does for exactly this form."""
        b = ledger_batches.c
        last = select(b.lane, func.max(b.sequence).label("sequence")).group_by(b.lane).subquery()
        here = and_(b.lane == last.c.lane, b.sequence == last.c.sequence)
        return select(*columns).join(last, here)

    def lock_profiles(self) -> Renderer:
        """
        Hold rows in key order, also those that are not there yet.

        MySQL cannot lock a row that is missing, so an empty one of version 0 is put in its place,
        which the transaction fills or undoes. The insert locks the rows that are there.
        """
        columns = [column.name for column in customers.columns if not column.nullable]
        place = self.insert_into(customers, columns, ignore=True)
        c = customers.c
        read = self.query(
            select(c.customer_id, c.profile)
            .where(c.customer_id.in_(self.any_of("ids")))
            .order_by(c.customer_id)
        )
        empty = {"profile_version": 0, "created_us": 0, "updated_us": 0, "profile": b""}

        def render(asked: LockProfiles) -> Plan:
            if not asked.customer_ids:
                return NO_CALLS
            names = sorted(set(asked.customer_ids))
            rows = [
                [each if name == "customer_id" else empty.get(name, "") for name in columns]
                for each in names
            ]
            return Plan((*place(rows), read({"ids": names})), _pairs_of_last)

        return render


def _pairs_of_last(results: Sequence[Rows]) -> Rows:
    return [(customer_id, profile) for customer_id, profile in results[-1]]


def _upsert(table: Table, columns: Sequence[str], newer: str) -> TextInsert:
    """
    Return the insert that overwrites older rows, in the one form that both servers take.

    The version is assigned last: MySQL assigns from left to right and reads what it assigned.
    """
    primary = {column.name for column in table.primary_key}
    older = f"n.{newer} > {table.name}.{newer}"
    changed = [f"{name} = IF({older}, n.{name}, {table.name}.{name})"
               for name in columns if name not in {*primary, "created_us", newer}]  # fmt: skip
    if "created_us" in columns:
        # An empty row that only held the place was never created.
        fresh = f"{table.name}.{newer} = 0"
        changed.append(f"created_us = IF({fresh}, n.created_us, {table.name}.created_us)")
    changed.append(f"{newer} = GREATEST(n.{newer}, {table.name}.{newer})")
    row = ", ".join(f"%s AS {name}" for name in columns)
    names = ", ".join(columns)
    return TextInsert(
        head=f"INSERT INTO {table.name} ({names}) SELECT * FROM (",  # noqa: S608 as above
        columns=tuple(columns),
        row=f"SELECT {row}",
        between=" UNION ALL ",
        tail=f") AS n ON DUPLICATE KEY UPDATE {', '.join(changed)}",
    )


def _written(value: object) -> str:
    return literals(value) if isinstance(value, list) else literal(value)
