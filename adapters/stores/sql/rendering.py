"""
From SQLAlchemy Core to the calls that a statement of a program makes, once; no IO.

A renderer turns a statement into a `Plan`: the texts to run, in order, and how their rows become
what the program is sent. So one set of renderers serves every driver, one call at a time or all of
a trip in one packet. What SQLite and MySQL say differently stands behind `Words`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Executable, Select, Table

#: A text, and its parameters where the driver binds them.
Call = tuple[str, Sequence[Any]]
Rows = list[Any]
Params = Callable[[Any], Mapping[str, object]]
Query = Callable[[Mapping[str, object]], Call]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a statement runs, and how the rows of its calls become its result."""

    calls: Sequence[Call]
    result: Callable[[Sequence[Rows]], Rows]


Renderer = Callable[[Any], Plan]
Renderers = Mapping[type, Renderer]


class Insert(Protocol):
    """An insert of any number of rows in as few calls as there can be."""

    @property
    def columns(self) -> tuple[str, ...]:
        """What a row holds, in order."""

    def __call__(self, rows: Sequence[Sequence[object]]) -> list[Call]:
        """Return the calls that insert rows, each in the order of `columns`."""


class Words(Protocol):
    """What one dialect says in its own way."""

    def query(self, statement: Executable) -> Query:
        """Compile a statement; every parameter that is not a constant comes from the mapping."""

    def any_of(self, name: str) -> Any:
        """Return a list parameter, to be used with `in_`: one text for any length."""

    def matching(
        self,
        statement: Select[Any],
        table: Table,
        pair: tuple[ColumnElement[Any], ColumnElement[Any]],
        name: str,
    ) -> Select[Any]:
        """Narrow a select from one table to the rows whose pair is in a list parameter."""

    def insert_into(
        self, table: Table, columns: Sequence[str], *, newer: str = "", ignore: bool = False
    ) -> Insert:
        """
        Compile an insert that fails when a key is taken.

        newer: overwrites instead, where the value of this column grows; `created_us` stays.
        ignore: leaves the row of a taken primary key as it is.
        """

    def last_batches(self, columns: Sequence[ColumnElement[Any]]) -> Select[Any]:
        """Return columns of the last batch of every lane, without going through the others."""

    def lock_profiles(self) -> Renderer:
        """Return how `LockProfiles` holds rows, also those that are not there yet."""


def nothing(_results: Sequence[Rows]) -> Rows:
    """Return the result of a statement that gives none."""
    return []


def first_columns(results: Sequence[Rows]) -> Rows:
    """Return the first column of what the first call gave."""
    return [row[0] for row in results[0]]


NO_CALLS = Plan((), nothing)


def with_names(rows: Rows, description: Iterable[Sequence[Any]]) -> Rows:
    """Return rows as mappings, from what a cursor says of its columns."""
    names = [column[0] for column in description]
    return [dict(zip(names, row, strict=True)) for row in rows]


def column_names(row: type) -> tuple[str, ...]:
    """Return the columns of a row's dataclass, which are its fields, in order."""
    return tuple(field.name for field in fields(row))


def reading(
    words: Words,
    statement: Select[Any],
    params: Params,
    make: Callable[..., object] | None = None,
    *,
    needs: str = "",
) -> Renderer:
    """
    Return the renderer of a read: each row is `make(*columns)`, or its only column.

    When the attribute `needs` is empty there is nothing to ask, and nothing is asked.
    """
    compiled = words.query(statement)

    def result(results: Sequence[Rows]) -> Rows:
        (rows,) = results
        return [row[0] for row in rows] if make is None else [make(*row) for row in rows]

    def render(asked: Any) -> Plan:
        if needs and not getattr(asked, needs):
            return NO_CALLS
        return Plan((compiled(params(asked)),), result)

    return render


def writing(words: Words, statement: Executable, params: Params) -> Renderer:
    """Return the renderer of a write of one row or condition; it gives an empty list."""
    compiled = words.query(statement)
    return lambda asked: Plan((compiled(params(asked)),), nothing)


def inserting(
    compiled: Insert, rows: Callable[[Any], Iterable[object]], **other: Callable[[Any], object]
) -> Renderer:
    """
    Return the renderer of an insert of `rows`, dataclasses whose attributes are the columns.

    other: how a column is computed from a row, where it is not an attribute of it.
    """
    plain = not other
    getters = [other.get(name) or attrgetter(name) for name in compiled.columns]
    whole = attrgetter(*compiled.columns)

    def values(row: object) -> Sequence[object]:
        made: Sequence[object] = whole(row) if plain else [get(row) for get in getters]
        return made

    return lambda asked: Plan(compiled([values(row) for row in rows(asked)]), nothing)
