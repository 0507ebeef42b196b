"""What only the SQLite store of truth promises: threads, the file, its schema, a full disk."""

import ast
import asyncio
import inspect
from collections.abc import Callable
from dataclasses import is_dataclass
from pathlib import Path
from types import ModuleType

import apsw
import pytest

from adapters.stores.embedded.opening import Layout
from adapters.stores.embedded.sqlite_file import SqliteFile
from adapters.stores.sql.sqlite_truth import CONTROLS, SCHEMA_VERSION, SqliteTruth
from adapters.stores.sql.sqlite_words import SqliteWords
from adapters.stores.sql.statements import renderers
from consistency.outbox import statements as outbox_statements
from decision_engine import archive
from decision_engine.record import statements as ledger_statements
from decision_engine.record.statements import (
    ExposureRow,
    InsertBatch,
    InsertDecisions,
    ReadBatch,
    ReadContracts,
    Reconnect,
)
from domain.customer import CreditData, Month, Slot, Statement
from domain.errors import AmbiguousError, PermanentError, TransientError
from domain.ports.truth import (
    Begin,
    Commit,
    LostConnectionError,
    Program,
    Rollback,
    ServerError,
    TruthError,
)
from ingestion import statements as ingestion_statements
from ingestion.statements import ProfileWrite, WriteProfiles
from tests.contracts.embedded import TRUTH
from tests.contracts.opened import NEVER, HandClock
from tests.contracts.rows import a_batch, a_decision, committing
from tests.contracts.truth_adapters import TEN_KEYS, recorded


def execute(truth_file: SqliteFile, text: str, *params: object) -> list[tuple[object, ...]]:
    def work(connection: apsw.Connection) -> list[tuple[object, ...]]:
        return connection.execute(text, params).fetchall()

    return asyncio.run(truth_file.run(work, NEVER))


# --- statements --------------------------------------------------------------------------------


def is_statement(module: ModuleType, node: ast.ClassDef) -> bool:
    kind = getattr(module, node.name)
    return is_dataclass(kind) and node.name.startswith(
        ("Read", "Lock", "List", "Insert", "Write", "Ensure", "Mark", "Close", "Delete", "Take",
         "Reconnect")
    )  # fmt: skip


@pytest.mark.parametrize(
    "module", [ledger_statements, archive, ingestion_statements, outbox_statements]
)
def test_every_statement_has_a_renderer(module: ModuleType) -> None:
    tree = ast.parse(inspect.getsource(module))
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    known = {kind.__name__ for kind in [*renderers(SqliteWords()), *CONTROLS]}

    asked = {node.name for node in classes if is_statement(module, node)}

    assert asked
    assert asked - known == set()


def test_contracts_count_while_they_bind(truth_file: SqliteFile, truth: SqliteTruth) -> None:
    for number, state in enumerate(("PENDING", "ACTIVE", "STUCK", "CANCELLED", "SETTLED")):
        row = (f"k-{number}", f"d-{number}", "c.c-1", state, 700 + number, 9, 1)
        execute(truth_file, "INSERT INTO contracts VALUES (?,?,?,?,?,?,?)", *row)

    (rows,) = asyncio.run(truth.read([ReadContracts(("c.c-1",))], NEVER))

    assert sorted(rows, key=lambda row: str(row.source_id)) == [
        ExposureRow("c.c-1", f"k-{number}", 700 + number, 9) for number in range(3)
    ]


def test_readable_columns_follow_the_profile(truth_file: SqliteFile, truth: SqliteTruth) -> None:
    bills = {"card": Statement(1, 1, 1, 30_000, 1), "other": Statement(1, 1, 1, -500, 1)}
    profile = CreditData(
        customer_id="c-1",
        person_id="c.c-1",
        profile_version=3,
        incomplete=True,
        slots={
            "income/payroll": Slot(1, 1, 5, {"basis": "verified", "monthly": 400_000}),
            "income/form": Slot(1, 1, 9, {"basis": "declared", "monthly": 900_000}),
            "bureau/old": Slot(1, 1, 5, {"score": 300}),
            "bureau/new": Slot(1, 1, 6, {"score": 700}),
        },
        months={24_001: Month(bills), 24_000: Month({"card": Statement(1, 1, 1, 99, 1)})},
    )
    bare = CreditData(customer_id="c-2", person_id="c.c-2", profile_version=1)
    writes = (ProfileWrite(profile, b"a", "1:ab", 8), ProfileWrite(bare, b"b", "", 9))
    asyncio.run(truth.transact(lambda: committing(WriteProfiles(writes)), NEVER))

    rows = execute(
        truth_file,
        "SELECT status, monthly_income, existing_debts, credit_score, cpf_index, created_us,"
        " updated_us FROM customers ORDER BY customer_id",
    )

    assert rows == [
        ("INCOMPLETE", 400_000, 30_000, 700, "1:ab", 8, 8),
        ("ACTIVE", None, None, None, "", 9, 9),
    ]


# --- the file ----------------------------------------------------------------------------------


def test_the_file_and_its_log_are_private(truth: SqliteTruth, tmp_path: Path) -> None:
    asyncio.run(truth.transact(lambda: committing(InsertDecisions((a_decision(),))), NEVER))

    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}

    assert modes == dict.fromkeys(("truth.sqlite", "truth.sqlite-shm", "truth.sqlite-wal"), 0o600)


def test_what_was_committed_is_there_after_reopening(tmp_path: Path) -> None:
    for number in (1, 2):
        truth = SqliteTruth(SqliteFile(tmp_path / "truth.sqlite", TRUTH, HandClock()))
        assert recorded(truth) == number - 1
        insert = InsertDecisions((a_decision(number),))
        asyncio.run(truth.transact(lambda insert=insert: committing(insert), NEVER))  # type: ignore[misc]
        truth.close()


def test_a_file_of_another_version_is_refused_with_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "truth.sqlite"
    SqliteFile(path, TRUTH, HandClock()).close()
    newer = Layout("truth", SCHEMA_VERSION + 1, ())

    with pytest.raises(PermanentError, match=rf"schema version {SCHEMA_VERSION} of 'truth'.*only"):
        SqliteFile(path, newer, HandClock())


@pytest.mark.parametrize(
    ("pragma", "value"), [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1)]
)
def test_every_commit_is_flushed(truth_file: SqliteFile, pragma: str, value: object) -> None:
    assert execute(truth_file, f"PRAGMA {pragma}") == [(value,)]


def test_the_reading_connection_cannot_write(truth_file: SqliteFile) -> None:
    with pytest.raises(TransientError):
        asyncio.run(truth_file.read(lambda c: c.execute("DELETE FROM persons").fetchall()))


def test_a_file_that_could_not_be_opened_again_is_tried_again(
    tmp_path: Path, truth: SqliteTruth
) -> None:
    path, away = tmp_path / "truth.sqlite", tmp_path / "away.sqlite"

    def losing_it() -> Program[str]:
        path.rename(away)
        path.mkdir()
        try:
            yield (Reconnect(),)
        except LostConnectionError:
            return "lost"
        return "opened"

    assert asyncio.run(truth.transact(losing_it, NEVER)) == "lost"
    with pytest.raises(TransientError):
        asyncio.run(truth.transact(committing, NEVER))
    path.rmdir()
    away.rename(path)
    asyncio.run(truth.transact(lambda: committing(InsertDecisions((a_decision(),))), NEVER))


@pytest.mark.parametrize(("commits", "kind"), [(0, TransientError), (1, AmbiguousError)])
def test_a_caller_is_told_whether_anything_was_committed_before_the_file_was_lost(
    tmp_path: Path, truth: SqliteTruth, commits: int, kind: type[Exception]
) -> None:
    path = tmp_path / "truth.sqlite"

    def losing_it() -> Program[None]:
        for _ in range(commits):
            yield (Begin(), InsertDecisions((a_decision(),)), Commit())
        path.rename(tmp_path / "away.sqlite")
        path.mkdir()
        yield (Reconnect(),)

    with pytest.raises(kind):
        asyncio.run(truth.transact(losing_it, NEVER))


def test_a_place_where_no_log_can_be_kept_is_refused(tmp_path: Path) -> None:
    # This VFS has no memory to share between connections, as folders of a network have none.
    with pytest.raises(PermanentError, match="use a local disk"):
        SqliteFile(tmp_path / "truth.sqlite", TRUTH, HandClock(), vfs="unix-dotfile")


# --- a full disk -------------------------------------------------------------------------------


def filling(outcome: list[str]) -> Callable[[], Program[None]]:
    """Insert until the disk is full, then go on as if nothing had happened."""

    def program() -> Program[None]:
        yield (Begin(), InsertBatch(a_batch()))
        try:
            yield (InsertDecisions((a_decision(evidence=bytes(1 << 22)),)),)
        except ServerError:
            outcome.append("full")
        for statements in ((InsertDecisions((a_decision(2),)),), (Commit(),)):
            try:
                yield statements
            except TruthError as error:
                outcome.append(type(error).__name__)
        yield (Rollback(),)

    return program


def test_after_a_full_disk_nothing_of_the_transaction_is_kept(
    truth_file: SqliteFile, truth: SqliteTruth
) -> None:
    ((pages,),) = execute(truth_file, "PRAGMA page_count")
    execute(truth_file, f"PRAGMA max_page_count = {int(str(pages)) + 20}")
    outcome: list[str] = []

    asyncio.run(truth.transact(filling(outcome), NEVER))
    keys, batches = asyncio.run(truth.read([TEN_KEYS, ReadBatch("l-1", 1)], NEVER))

    assert outcome == ["full", "ServerError", "ServerError"]
    assert (keys, batches) == ([], [])
