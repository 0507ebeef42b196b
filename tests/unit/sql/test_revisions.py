"""Revisions without a server: what they make of an embedded file, and SQL that MySQL 8 takes."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from io import StringIO
from pathlib import Path
from typing import Any

import apsw
import pytest
import sqlglot
from alembic import command
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Column, String
from sqlalchemy.dialects.mysql import dialect as mysql_dialect
from sqlalchemy.exc import OperationalError
from sqlalchemy.schema import CreateTable
from sqlglot import exp

from adapters.bootstrap.stores import truth_layout
from adapters.stores.embedded.opening import Layout, open_writer, version_of
from adapters.stores.sql.migrations.embedded import FOLDER, rendered, schema_upgrades, step_down
from adapters.stores.sql.migrations.online import add_column
from adapters.stores.sql.migrations.scripts import configured, revisions
from adapters.stores.sql.migrations.server import Server
from adapters.stores.sql.migrations.version import REVISION, check_revision
from adapters.stores.sql.schema import VERSION, metadata
from adapters.stores.sql.sqlite_truth import schema_ddl
from domain.errors import CreditError, PermanentError, TransientError
from tests.integration.sql.database import REVISIONS
from tests.unit.sql.rendered import files

Schema = dict[str, tuple[str, str]]
#: InnoDB's limit for one key, and the bytes of one letter.
KEY_BYTES_MAX = 3072
LETTER = 4
#: How a change of a table in use may end: without a lock, or not at all.
ONLINE = ("ALGORITHM=INPLACE, LOCK=NONE", "ALGORITHM=INSTANT")

OF_THE_BRIEF = {
    "idx_customer_cpf": "customers (cpf_index)",
    "idx_customer_status": "customers (status)",
    "idx_transaction_date": "transactions (occurred_us)",
    "idx_customer_transaction": "transactions (customer_id, occurred_us)",
    "idx_decision_date": "credit_decisions (decision_date)",
    "idx_customer_decision": "credit_decisions (customer_id, decision_date)",
    "idx_combined_customer_status": "credit_decisions (customer_id, outcome, decision_date)",
}


def schema_of(connection: apsw.Connection) -> Schema:
    rows = connection.execute("SELECT name, tbl_name, sql FROM sqlite_master")
    return {name: (table, " ".join((text or "").split())) for name, table, text in rows}


def rows_of(connection: apsw.Connection) -> dict[str, list[Any]]:
    """Every row of every table of version 1."""
    names = [table for table in schema_of(connection) if table in metadata.tables]
    asked = {name: f"SELECT * FROM {name}" for name in names}  # noqa: S608 - our own tables
    return {name: connection.execute(text).fetchall() for name, text in asked.items()}


def old_file(path: Path, rows: int = 0) -> None:
    """Make a file as the program of version 1 did."""
    layout = Layout("truth", 1, (rendered(1, "upgrade"),))
    with closing(open_writer(path, layout, None)) as connection, connection:
        connection.executemany(
            "INSERT INTO contracts VALUES (?, ?, ?, 'ACTIVE', ?, 9, 1)",
            ((f"k-{n}", f"d-{n}", f"c.c-{n % 97}", n) for n in range(rows)),
        )
        connection.executemany(
            "INSERT INTO outbox (event_id, aggregate_type, aggregate_id, aggregate_seq, type,"
            " partition_key, payload, created_us) VALUES (?, 'decision', ?, 1, 't', 'c', x'00', 1)",
            ((f"e-{n}", f"d-{n}") for n in range(rows)),
        )


def opened(path: Path, layout: Layout | None = None) -> "closing[apsw.Connection]":
    return closing(open_writer(path, layout or truth_layout(), None))


def test_the_committed_sql_is_what_the_revisions_say() -> None:
    wanted = files()

    assert {path.name for path in FOLDER.iterdir()} == set(wanted)
    assert {name: (FOLDER / name).read_text(encoding="utf-8") for name in wanted} == wanted


def test_the_last_revision_is_the_version_of_the_schema() -> None:
    found = [script.revision for script in revisions(configured())]

    assert found == [f"{number:04d}" for number in range(1, VERSION + 1)]
    assert found[-1] == REVISION


def test_the_revisions_build_what_the_schema_says(tmp_path: Path) -> None:
    old_file(tmp_path / "old")
    with opened(tmp_path / "old") as migrated, opened(tmp_path / "new") as made:
        assert version_of(migrated) == version_of(made) == VERSION
        assert schema_of(migrated) == schema_of(made)


def test_every_index_of_the_brief_is_there(tmp_path: Path) -> None:
    with opened(tmp_path / "new") as made:
        found = schema_of(made)

    for name, columns in OF_THE_BRIEF.items():
        assert found[name][1] == f"CREATE INDEX {name} ON {columns}"


def test_a_file_of_the_first_program_counts_as_the_first_revision(tmp_path: Path) -> None:
    tables = {name for name in metadata.tables if name not in {"loss_windows", "audit_log"}}
    first = Layout("truth", 1, tuple(text for text in schema_ddl() if _of(text) in tables))
    old_file(tmp_path / "rendered")
    with opened(tmp_path / "made", first) as made, opened(tmp_path / "rendered", first) as other:
        assert len(schema_of(made)) > len(tables)
        assert schema_of(made) == schema_of(other)


def _of(statement: str) -> str:
    words = statement.replace("(", " ").split()
    return words[4] if words[1] == "INDEX" else words[2]


def test_up_and_down_keep_every_row(tmp_path: Path) -> None:
    path = tmp_path / "truth.sqlite"
    old_file(path, rows=500)
    with closing(apsw.Connection(str(path))) as connection:
        before, schema = rows_of(connection), schema_of(connection)
    assert len(before["contracts"]) == 500
    with opened(path) as connection:
        assert {name: rows_of(connection)[name] for name in before} == before
        step_down(connection, 1)
        assert (version_of(connection), rows_of(connection)) == (1, before)
        assert schema_of(connection) == schema


@pytest.mark.parametrize("place", range(4))
def test_an_upgrade_that_breaks_off_leaves_the_old_file(tmp_path: Path, place: int) -> None:
    path = tmp_path / "truth.sqlite"
    old_file(path, rows=20)
    content = _content(path)
    (step,) = schema_upgrades()
    parts = step.split(";\n")
    broken = ";\n".join([*parts[:place], "SELECT no_such_function()", *parts[place:]])

    with pytest.raises(apsw.SQLError):
        open_writer(path, Layout("truth", VERSION, schema_ddl(), (broken,)), None)

    assert _content(path) == content
    with opened(path) as connection:
        assert version_of(connection) == VERSION


def _content(path: Path) -> tuple[int, Schema, dict[str, list[Any]]]:
    with closing(apsw.Connection(str(path))) as connection:
        return version_of(connection), schema_of(connection), rows_of(connection)


def test_a_reader_goes_on_while_the_file_is_upgraded(tmp_path: Path) -> None:
    path = tmp_path / "truth.sqlite"
    old_file(path, rows=20)
    with closing(apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)) as reader:
        reader.execute("BEGIN")
        before = rows_of(reader)
        with opened(path):
            assert (version_of(reader), rows_of(reader)) == (1, before)


def test_a_newer_file_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "truth.sqlite"
    old_file(path)
    with closing(apsw.Connection(str(path))) as connection:
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    before = _content(path)

    with pytest.raises(PermanentError, match=rf"version {VERSION + 1} of 'truth', newer than"):
        open_writer(path, truth_layout(), None)

    assert _content(path) == before


@pytest.mark.parametrize("script", revisions(configured()), ids=lambda script: script.revision)
def test_what_a_downgrade_loses_is_declared(script: Any) -> None:
    with closing(apsw.Connection(":memory:")) as connection:
        for number in range(1, int(script.revision) + 1):
            connection.execute(rendered(number, "upgrade"))
        before = set(_columns(connection))
        connection.execute(rendered(int(script.revision), "downgrade"))
        after = set(_columns(connection))
    tables = {table for table, _ in before} - {table for table, _ in after}
    columns = {f"{t}.{c}" for t, c in before - after if t not in tables}

    assert set(script.module.LOSES) == tables | columns


def _columns(connection: apsw.Connection) -> Iterator[tuple[str, str]]:
    for table in schema_of(connection):
        if table in metadata.tables:
            for row in connection.execute(f"PRAGMA table_xinfo({table})"):
                yield table, str(row[1])


# --- MySQL, without one -------------------------------------------------------------------------


def test_mysql_parses_every_statement(capsys: pytest.CaptureFixture[str]) -> None:
    config = configured((REVISIONS,))
    config.output_buffer = written = StringIO()
    command.upgrade(config, "head", sql=True)
    command.downgrade(config, "9002:base", sql=True)
    capsys.readouterr()
    statements = [each for each in sqlglot.parse(written.getvalue(), read="mysql") if each]

    assert not [each.sql() for each in statements if isinstance(each, exp.Command)]
    created = [each for each in statements if isinstance(each, exp.Create)]
    assert len(created) == len(metadata.tables) + 1
    altered = [
        each.sql("mysql", comments=False) for each in statements if isinstance(each, exp.Alter)
    ]
    assert altered
    assert [each for each in altered if not each.endswith(ONLINE)] == []


@pytest.mark.parametrize("table", metadata.sorted_tables, ids=lambda table: table.name)
def test_a_key_fits_into_innodb(table: Any) -> None:
    text = str(CreateTable(table).compile(dialect=mysql_dialect()))
    for option in ("ENGINE=InnoDB", "CHARSET=utf8mb4", "COLLATE utf8mb4_bin", "ROW_FORMAT=DYNAMIC"):
        assert option in text
    keys = [table.primary_key, *table.indexes]
    keys += [each for each in table.constraints if each.name]
    for key in keys:
        assert sum(_bytes(column) for column in key.columns) <= KEY_BYTES_MAX, key.name


def _bytes(column: Column[Any]) -> int:
    return (column.type.length or 0) * LETTER if isinstance(column.type, String) else 8


def test_a_column_that_breaks_old_inserts_is_refused() -> None:
    context = MigrationContext.configure(dialect_name="mysql", opts={"as_sql": True})
    with Operations.context(context), pytest.raises(ValueError, match="nullable or has a default"):
        add_column("persons", Column("region", String(8), nullable=False))


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([], "no schema yet: run `creditctl db upgrade`"),
        ([("0001",)], "older than"),
        ([("0003",)], "newer than"),
        ([("9999",)], "downgrade --to"),
    ],
)
def test_another_schema_is_refused_with_its_remedy(rows: list[tuple[str]], sentence: str) -> None:
    check_revision([(REVISION,)])
    with pytest.raises(PermanentError, match=sentence):
        check_revision(rows)


@pytest.mark.parametrize(
    ("code", "kind", "sentence"),
    [
        (1040, TransientError, "all connections"),
        (1142, PermanentError, "may not change the schema"),
        (1290, PermanentError, "writer's endpoint"),
        (1799, PermanentError, "quiet hour"),
        (1846, PermanentError, "cannot do this step"),
        (1064, PermanentError, "refuses with error 1064"),
        (2013, TransientError, "nothing answers"),
    ],
)
def test_a_refusal_of_the_server_is_told_in_our_words(
    code: int, kind: type[CreditError], sentence: str
) -> None:
    server = Server.at("mysql://app:secret@db/credit")
    told = server.told(OperationalError("SELECT", None, Exception(code, "a 'value' of a person")))

    assert isinstance(told, kind)
    assert sentence in str(told)
    assert str(told).startswith("db:3306/credit: ") or "at db:3306/credit" in str(told)
    assert "person" not in str(told)


def test_serving_does_not_import_alembic() -> None:
    program = (
        "import sys, adapters.bootstrap.command_line, adapters.bootstrap.serving,"
        " adapters.stores.sql.migrations.version, adapters.stores.sql.migrations.embedded;"
        " sys.exit('alembic' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], check=False)

    assert done.returncode == 0
