"""The threads of the SQLite store of truth: cancelling, waiting, closing."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from adapters.stores.embedded.sqlite_file import SqliteFile
from adapters.stores.embedded.worker import QUEUE_MAX
from adapters.stores.sql.sqlite_truth import SqliteTruth
from decision_engine.record.statements import InsertDecisions
from domain.errors import ThrottledError, TransientError
from domain.ports.truth import Begin, Commit, Program
from tests.contracts.embedded import TRUTH
from tests.contracts.opened import NEVER, HandClock
from tests.contracts.rows import a_decision, committing
from tests.contracts.truth_adapters import recorded


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
