"""Rows for every table of the schema, many enough that a server asks an index."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from sqlalchemy import Column, LargeBinary, SmallInteger, String, Table

from adapters.stores.sql.rendering import Call, Words
from adapters.stores.sql.schema import metadata

ROWS: Final = 3_000
#: Columns in which many rows are alike, and how many values there are.
FEW: Final = {
    "aggregate_type": 3,
    "client_id": 3,
    "customer_id": 300,
    "kind": 3,
    "outcome": 3,
    "person_id": 300,
    "policy_id": 30,
    "state": 3,
    "status": 3,
    "stream_id": 300,
}


def filling(words: Words) -> Iterator[Call]:
    """Give the calls that fill every table."""
    for table in metadata.sorted_tables:
        names = [column.name for column in table.columns if not _serial(column)]
        insert = words.insert_into(table, names)
        yield from insert([_row(table, names, number) for number in range(ROWS)])


def _serial(column: Column[Any]) -> bool:
    return column.autoincrement is True


def _row(table: Table, names: Sequence[str], number: int) -> list[object]:
    return [_value(table.c[name], number) for name in names]


def _value(column: Column[Any], number: int) -> object:
    # A column that leads the key of its table has as many values as rows.
    alone = column.primary_key or column.name not in FEW
    value = number if alone else number % FEW[column.name]
    if isinstance(column.type, String):
        return f"{column.name[:3]}-{value}"
    if isinstance(column.type, LargeBinary):
        return value.to_bytes(8, "big")
    return value % 2 if isinstance(column.type, SmallInteger) else value
