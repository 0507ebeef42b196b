"""Our tables on the server: all there, with their columns and indices, and ours to use."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

from sqlalchemy import Index, Table, UniqueConstraint
from sqlalchemy.dialects.mysql.base import MySQLDialect
from sqlalchemy.schema import AddConstraint, CreateIndex

from adapters.bootstrap.doctor.asked import Asked
from adapters.bootstrap.doctor.found import Found, fault, well
from adapters.stores.sql.schema import metadata

COLUMNS: Final = (
    "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = DATABASE()"
)
INDICES: Final = (
    "SELECT table_name, index_name, column_name FROM information_schema.statistics"
    " WHERE table_schema = DATABASE() ORDER BY table_name, index_name, seq_in_index"
)
RESTORE: Final = "restore it from a backup: what was in it is missing too"
#: Explaining a statement asks for the rights that it needs, and does nothing.
NEEDS: Final = {
    "SELECT": "EXPLAIN SELECT * FROM {table} WHERE 1 = 0",
    "INSERT": "EXPLAIN INSERT INTO {table} SELECT * FROM {table} WHERE 1 = 0",
    "UPDATE": "EXPLAIN UPDATE {table} SET {column} = {column} WHERE 1 = 0",
    "DELETE": "EXPLAIN DELETE FROM {table} WHERE 1 = 0",
}
#: Names that a sentence has room for.
NAMES_MAX: Final = 3
DENIED: Final = frozenset({1044, 1142, 1143})


def tables(asked: Asked) -> Iterator[Found]:
    """Yield what is missing though the revision is right."""
    columns: defaultdict[str, set[str]] = defaultdict(set)
    for table, column in asked.rows(COLUMNS):
        columns[table].add(column)
    indices: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for table, index, column in asked.rows(INDICES):
        indices[table, index].append(column)
    missing = [
        found
        for table in metadata.sorted_tables
        for found in _missing(table, columns.get(table.name, set()), indices)
    ]
    yield from missing
    if not missing:
        yield well("database tables", f"all {len(metadata.tables)}, with their indices")


def rights(asked: Asked, setting: str, *, reads_only: bool) -> Iterator[Found]:
    """Yield the rights that the login lacks; a reader refuses writes anyway."""
    needs = {"SELECT": NEEDS["SELECT"]} if reads_only else NEEDS
    lacking: defaultdict[str, list[str]] = defaultdict(list)
    for table in metadata.sorted_tables:
        column = next(iter(table.columns)).name
        for right, text in needs.items():
            if asked.refused(text.format(table=table.name, column=column)) in DENIED:
                lacking[right].append(table.name)
    for right, names in lacking.items():
        yield fault(
            "database rights",
            f"the user of {setting} may not {right} in {_listed(names)}",
            f"GRANT {right} ON {asked.address.database}.* to that user",
        )
    if not lacking:
        yield well("database rights", ", ".join(needs))


def _missing(
    table: Table, columns: set[str], indices: dict[tuple[str, str], list[str]]
) -> Iterator[Found]:
    name = "database tables"
    if not columns:
        yield fault(name, f"the table {table.name} is missing", RESTORE)
        return
    absent = [column.name for column in table.columns if column.name not in columns]
    if absent:
        yield fault(name, f"{table.name} lacks the column {_listed(absent)}", RESTORE)
        return
    for key, wanted, statement in _keys(table):
        if indices.get((table.name, key)) != wanted:
            yield fault(name, f"{table.name} lacks the index {key}", statement)


def _keys(table: Table) -> Iterator[tuple[str, list[str], str]]:
    dialect = MySQLDialect()
    yield "PRIMARY", [column.name for column in table.primary_key], RESTORE
    made: list[tuple[Index | UniqueConstraint, AddConstraint | CreateIndex]] = [
        *((index, CreateIndex(index)) for index in table.indexes),
        *(
            (unique, AddConstraint(unique, isolate_from_table=False))
            for unique in table.constraints
            if isinstance(unique, UniqueConstraint)
        ),
    ]
    for index, statement in made:
        text = " ".join(str(statement.compile(dialect=dialect)).split())
        yield str(index.name), [column.name for column in index.columns], f"run {text}"


def _listed(names: Sequence[str]) -> str:
    shown, more = ", ".join(names[:NAMES_MAX]), len(names) - NAMES_MAX
    return f"{shown} and {more} more" if more > 0 else shown
