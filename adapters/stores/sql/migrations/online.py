"""
What a revision may do, so that old and new programs go on while it runs.

Expand first: `create_table`, `add_column` (nullable or with a default), `add_index`, `backfill`.
Contract in a later revision, when no program reads it any more: `drop_index`, `drop_column`,
`drop_table`. On MySQL and MariaDB every step takes an algorithm that lets writers go on, and fails
where there is none; a step that is found done is passed over, because DDL cannot be rolled back and
a revision that broke off is run again. On SQLite a revision is one transaction of the only owner.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from alembic import op
from alembic.ddl.base import AddColumn
from sqlalchemy import Column, MetaData, Table, text

from adapters.stores.sql.migrations.filling import CHUNK, Filling, fill
from adapters.stores.sql.migrations.patience import patiently
from adapters.stores.sql.schema import KEYED

ON_MYSQL: Final = frozenset({"mysql", "mariadb"})
#: Both servers build the index beside the table and take writes meanwhile, or refuse.
BESIDE_WRITERS: Final = "ALGORITHM=INPLACE, LOCK=NONE"
#: Only the table's description changes. MySQL takes no LOCK clause beside it.
AT_ONCE: Final = "ALGORITHM=INSTANT"
HAS_INDEX: Final = (
    "SELECT 1 FROM information_schema.statistics WHERE table_schema = DATABASE()"
    " AND table_name = :held AND index_name = :name LIMIT 1"
)
HAS_COLUMN: Final = (
    "SELECT 1 FROM information_schema.columns WHERE table_schema = DATABASE()"
    " AND table_name = :held AND column_name = :name LIMIT 1"
)


def create_table(name: str, *parts: Any, options: Mapping[str, Any] = KEYED) -> None:
    """Create a table with its uniques; indices follow by `add_index`."""
    op.create_table(name, *parts, if_not_exists=_on_mysql(), **options)


def drop_table(name: str) -> None:
    """Drop a table; whoever downgrades has been asked whether its rows may go."""
    if not _on_mysql():
        op.drop_table(name)
        return
    _run(f"DROP TABLE IF EXISTS {name}")


def add_index(table: str, name: str, columns: Sequence[str]) -> None:
    """Build an index while writers go on."""
    if not _on_mysql():
        op.create_index(name, table, list(columns))
        return
    if not _there(HAS_INDEX, table, name):
        listed = ", ".join(columns)
        _run(f"ALTER TABLE {table} ADD INDEX {name} ({listed}), {BESIDE_WRITERS}")


def drop_index(table: str, name: str) -> None:
    """Drop an index while writers go on."""
    if not _on_mysql():
        op.drop_index(name, table)
        return
    if _offline() or _there(HAS_INDEX, table, name):
        _run(f"ALTER TABLE {table} DROP INDEX {name}, {BESIDE_WRITERS}")


def add_column(table: str, column: Column[Any]) -> None:
    """
    Add a column at the end, at once; old programs neither write nor read it.

    Raises:
        ValueError: it is NOT NULL without a default, so the inserts of old programs would fail.
    """
    if not column.nullable and column.server_default is None:
        raise ValueError(f"{table}.{column.name}: a new column is nullable or has a default")
    if not _on_mysql():
        op.add_column(table, column)
        return
    if not _there(HAS_COLUMN, table, column.name):
        Table(table, MetaData(), column)
        adding = AddColumn(table, column).compile(dialect=op.get_context().dialect)
        _run(f"{adding}, {AT_ONCE}")


def drop_column(table: str, name: str) -> None:
    """Drop a column while writers go on; its indices are dropped before."""
    if not _on_mysql():
        op.drop_column(table, name)
        return
    if _offline() or _there(HAS_COLUMN, table, name):
        _run(f"ALTER TABLE {table} DROP COLUMN {name}, {BESIDE_WRITERS}")


def backfill(table: str, key: str, values: Mapping[str, str], chunk: int = CHUNK) -> None:
    """
    Fill new columns where they are NULL, in chunks along the primary key (one text column).

    `values` are SQL expressions over the row. What a new program has written meanwhile stays. An
    old program goes on inserting NULLs, so the revision that contracts fills once more. A chunk
    waits for no row: what somebody holds is left for the end.

    Raises:
        TransientError: rows stayed locked; run again, it goes on.
    """
    filling = Filling(table, key, values)
    if _on_mysql() and not _offline():
        fill(op.get_bind(), filling, chunk)
    else:
        op.execute(filling.update)


def _run(statement: str) -> None:
    if _offline():
        op.execute(statement)
    else:
        patiently(op.get_bind(), statement)


def _there(question: str, table: str, name: str) -> bool:
    if _offline():
        return False
    asked = {"held": table, "name": name}
    return op.get_bind().execute(text(question), asked).first() is not None


def _on_mysql() -> bool:
    return op.get_context().dialect.name in ON_MYSQL


def _offline() -> bool:
    return bool(op.get_context().as_sql)
