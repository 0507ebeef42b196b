"""What only the SQLite store of truth promises: threads, the file, its schema, a full disk."""

import ast
import asyncio
import inspect
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import is_dataclass
from pathlib import Path
from types import ModuleType

import apsw
import pytest

from adapters.stores.embedded.opening import Layout
from adapters.stores.embedded.sqlite_file import SqliteFile
from adapters.stores.embedded.worker import QUEUE_MAX
from adapters.stores.sql.sqlite_truth import CONTROLS, SCHEMA_VERSION, SqliteTruth, renderers
from consistency.outbox import statements as outbox_statements
from decision_engine import archive
from decision_engine.record import statements as ledger_statements
from decision_engine.record.statements import (
    ExposureRow,
    InsertBatch,
    InsertDecisions,
    ReadBatch,
    ReadContracts,
    ReadKeys,
)
from domain.customer import CreditData, Month, Slot, Statement
from domain.errors import PermanentError, ThrottledError, TransientError
from domain.ports.truth import Begin, Commit, Program, Rollback, ServerError, TruthError
from ingestion import statements as ingestion_statements
from ingestion.statements import ProfileWrite, WriteProfiles
from tests.contracts.embedded import TRUTH
from tests.contracts.opened import NEVER, HandClock
from tests.contracts.rows import a_batch, a_decision, committing

KEYS = ReadKeys(tuple(("app", f"k-{number}") for number in range(1, 99)))


@pytest.fixture
def file(tmp_path: Path) -> Iterator[SqliteFile]:
    file = SqliteFile(tmp_path / "truth.sqlite", TRUTH, HandClock())
    yield file
    file.close()


@pytest.fixture
def truth(file: SqliteFile) -> SqliteTruth:
    return SqliteTruth(file)


def recorded(truth: SqliteTruth) -> int:
    (rows,) = asyncio.run(truth.read([KEYS], NEVER))
    return len(rows)


def execute(file: SqliteFile, text: str, *params: object) -> list[tuple[object, ...]]:
    def work(connection: apsw.Connection) -> list[tuple[object, ...]]:
        return connection.execute(text, params).fetchall()

    return asyncio.run(file.run(work, NEVER))


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
    known = {kind.__name__ for kind in [*renderers(), *CONTROLS]}

    asked = {node.name for node in classes if is_statement(module, node)}

    assert asked
    assert asked - known == set()


def test_contracts_count_while_they_bind(file: SqliteFile, truth: SqliteTruth) -> None:
    for number, state in enumerate(("PENDING", "ACTIVE", "STUCK", "CANCELLED", "SETTLED")):
        row = (f"k-{number}", f"d-{number}", "c.c-1", state, 700 + number, 9, 1)
        execute(file, "INSERT INTO contracts VALUES (?,?,?,?,?,?,?)", *row)

    (rows,) = asyncio.run(truth.read([ReadContracts(("c.c-1",))], NEVER))

    assert sorted(rows, key=lambda row: str(row.source_id)) == [
        ExposureRow("c.c-1", f"k-{number}", 700 + number, 9) for number in range(3)
    ]


def test_readable_columns_follow_the_profile(file: SqliteFile, truth: SqliteTruth) -> None:
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
        file,
        "SELECT status, monthly_income, existing_debts, credit_score, cpf_index, created_us,"
        " updated_us FROM customers ORDER BY customer_id",
    )

    assert rows == [
        ("INCOMPLETE", 400_000, 30_000, 700, "1:ab", 8, 8),
        ("ACTIVE", None, None, None, "", 9, 9),
    ]


# --- threads -----------------------------------------------------------------------------------


def test_a_cancelled_waiter_does_not_stop_its_program(truth: SqliteTruth) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def program() -> Program[None]:
        begun.set()
        go_on.wait()
        yield (Begin(), InsertDecisions((a_decision(),)), Commit())

    async def give_up() -> None:
        waiting = asyncio.create_task(truth.transact(program, NEVER))
        await asyncio.to_thread(begun.wait)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        go_on.set()

    asyncio.run(give_up())
    asyncio.run(truth.transact(committing, NEVER))

    assert recorded(truth) == 1


def test_a_program_that_was_withdrawn_in_the_queue_never_begins(truth: SqliteTruth) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow() -> Program[None]:
        begun.set()
        go_on.wait()
        yield (Begin(), Commit())

    async def withdraw() -> None:
        first = asyncio.create_task(truth.transact(slow, NEVER))
        await asyncio.to_thread(begun.wait)
        second = asyncio.create_task(
            truth.transact(lambda: committing(InsertDecisions((a_decision(),))), NEVER)
        )
        await asyncio.sleep(0)
        second.cancel()
        await asyncio.gather(second, return_exceptions=True)
        go_on.set()
        await first

    asyncio.run(withdraw())

    assert recorded(truth) == 0


def test_a_reader_neither_waits_for_a_program_nor_sees_half_of_it(truth: SqliteTruth) -> None:
    written, go_on = threading.Event(), threading.Event()

    def program() -> Program[None]:
        yield (Begin(), InsertDecisions((a_decision(),)))
        written.set()
        go_on.wait()
        yield (Commit(),)

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(lambda: asyncio.run(truth.transact(program, NEVER)))
        written.wait()
        before = recorded(truth)
        go_on.set()
        writing.result()

    assert (before, recorded(truth)) == (0, 1)


def test_a_full_queue_says_so(truth: SqliteTruth) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow() -> Program[None]:
        begun.set()
        go_on.wait()
        yield (Begin(), Commit())

    async def overfill() -> list[BaseException]:
        first = asyncio.create_task(truth.transact(slow, NEVER))
        await asyncio.to_thread(begun.wait)
        more = [
            asyncio.create_task(truth.transact(committing, NEVER)) for _ in range(QUEUE_MAX + 2)
        ]
        await asyncio.sleep(0)
        go_on.set()
        results = await asyncio.gather(first, *more, return_exceptions=True)
        return [result for result in results if isinstance(result, BaseException)]

    refused = asyncio.run(overfill())

    assert [type(error) for error in refused] == [ThrottledError] * 2


def test_a_closed_store_says_so_and_leaves_no_thread(tmp_path: Path) -> None:
    before = threading.active_count()
    truth = SqliteTruth(SqliteFile(tmp_path / "truth.sqlite", TRUTH, HandClock()))
    truth.close()
    truth.close()

    with pytest.raises(TransientError):
        asyncio.run(truth.transact(committing, NEVER))
    assert threading.active_count() == before


def test_closing_finishes_what_waits(truth: SqliteTruth, tmp_path: Path) -> None:
    async def leave() -> None:
        waiting = [
            asyncio.create_task(
                truth.transact(lambda n=n: committing(InsertDecisions((a_decision(n),))), NEVER)  # type: ignore[misc]
            )
            for n in range(1, 9)
        ]
        await asyncio.sleep(0)
        truth.close()
        await asyncio.gather(*waiting)

    asyncio.run(leave())
    again = SqliteTruth(SqliteFile(tmp_path / "truth.sqlite", TRUTH, HandClock()))

    assert recorded(again) == 8
    again.close()


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

    with pytest.raises(PermanentError, match=r"schema version 1 of 'truth'.*knows version 2 only"):
        SqliteFile(path, newer, HandClock())


@pytest.mark.parametrize(
    ("pragma", "value"), [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1)]
)
def test_every_commit_is_flushed(file: SqliteFile, pragma: str, value: object) -> None:
    assert execute(file, f"PRAGMA {pragma}") == [(value,)]


def test_the_reading_connection_cannot_write(file: SqliteFile) -> None:
    with pytest.raises(TransientError):
        asyncio.run(file.read(lambda c: c.execute("DELETE FROM persons").fetchall()))


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
    file: SqliteFile, truth: SqliteTruth
) -> None:
    ((pages,),) = execute(file, "PRAGMA page_count")
    execute(file, f"PRAGMA max_page_count = {int(str(pages)) + 20}")
    outcome: list[str] = []

    asyncio.run(truth.transact(filling(outcome), NEVER))
    keys, batches = asyncio.run(truth.read([KEYS, ReadBatch("l-1", 1)], NEVER))

    assert outcome == ["full", "ServerError", "ServerError"]
    assert (keys, batches) == ([], [])
