"""The writer batches by itself, sheds what it cannot do in time, and leaves a lane it distrusts."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from decision_engine.record.entry import Done, Failed, Result
from decision_engine.record.lookup import KeyLookup
from decision_engine.record.statements import InsertDecisions, Reconnect
from decision_engine.record.writer import LedgerWriter
from domain.errors import (
    AmbiguousError,
    CreditError,
    DeadlineExceededError,
    LedgerBusyError,
    TransientError,
)
from domain.ports.time import Deadline
from domain.ports.truth import Commit, LostConnectionError
from tests.unit.decide.world import Counts
from tests.unit.record.memory_truth import Fault, MemoryTruth
from tests.unit.record.ports import CountingIds, FixedChance, HandClock
from tests.unit.record.toy import entry


class GatedTruth(MemoryTruth):
    """A truth whose transactions wait for a gate, and fail while `broken`."""

    gate: asyncio.Event
    broken: bool = False
    error: CreditError = TransientError("truth is away")

    async def transact(self, program: Callable[[], Any], deadline: Deadline) -> Any:
        await self.gate.wait()
        if self.broken:
            raise self.error
        return await super().transact(program, deadline)

    async def read(self, statements: Any, deadline: Deadline) -> list[list[Any]]:
        if self.broken:
            raise TransientError("truth is away")
        return await super().read(statements, deadline)


def run(work: Callable[[LedgerWriter, GatedTruth, HandClock], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        truth, clock = GatedTruth(), HandClock()
        truth.add_customer("c-p1", "p1")
        truth.gate = asyncio.Event()
        truth.gate.set()
        writer = LedgerWriter(truth, clock, CountingIds(), FixedChance(), Counts(), "test")
        await writer.start()
        try:
            return await work(writer, truth, clock)
        finally:
            truth.gate.set()
            await writer.stop()

    return asyncio.run(main())


def later(clock: HandClock, seconds: float = 10.0) -> Deadline:
    return Deadline.after(clock, seconds)


def test_whoever_arrives_during_a_commit_forms_the_next_batch() -> None:
    async def work(writer: LedgerWriter, truth: GatedTruth, clock: HandClock) -> list[Result]:
        truth.gate.clear()
        first = asyncio.create_task(writer.record(entry("k0"), later(clock)))
        await asyncio.sleep(0.001)
        rest = [
            asyncio.create_task(writer.record(entry(f"k{n}"), later(clock))) for n in range(1, 9)
        ]
        await asyncio.sleep(0.001)
        truth.gate.set()
        results = await asyncio.gather(first, *rest)
        assert sorted(row.n for row in truth.state.batches.values()) == [0, 1, 8]
        return list(results)

    assert all(isinstance(result, Done) for result in run(work))


def test_a_request_whose_time_is_up_is_withdrawn() -> None:
    async def work(writer: LedgerWriter, truth: GatedTruth, clock: HandClock) -> None:
        truth.gate.clear()
        first = asyncio.create_task(writer.record(entry("k0"), later(clock)))
        await asyncio.sleep(0.001)
        second = asyncio.create_task(writer.record(entry("k1"), later(clock, 0.5)))
        await asyncio.sleep(0.001)
        clock.move(1)
        truth.gate.set()
        await first
        with pytest.raises(DeadlineExceededError):
            await second
        assert len(truth.state.decisions) == 1

    run(work)


def test_a_writer_whose_truth_fails_opens_a_fresh_lane() -> None:
    async def work(writer: LedgerWriter, truth: GatedTruth, clock: HandClock) -> None:
        truth.broken = True
        with pytest.raises(TransientError):
            await writer.record(entry("k0"), later(clock))
        truth.broken = False
        assert isinstance(await writer.record(entry("k1"), later(clock)), Done)
        assert len({lane for lane, _ in truth.state.batches}) == 2

    run(work)


def test_a_lane_whose_last_batch_is_uncertain_is_left() -> None:
    async def work(writer: LedgerWriter, truth: GatedTruth, clock: HandClock) -> None:
        lost = LostConnectionError("x")
        truth.seen.clear()
        truth.faults.append(Fault(Commit, 1, lost, landed=True))
        truth.faults.extend(Fault(Reconnect, n, lost) for n in range(1, 30))
        unknown = await writer.record(entry("k0"), later(clock))
        assert isinstance(unknown, Failed)
        truth.faults.clear()
        assert isinstance(await writer.record(entry("k1"), later(clock)), Done)
        assert len({lane for lane, _ in truth.state.batches}) == 2

    run(work)


def test_a_lane_that_cannot_be_opened_is_tried_again_with_the_next_request() -> None:
    async def work(writer: LedgerWriter, truth: GatedTruth, clock: HandClock) -> None:
        truth.broken = True
        with pytest.raises(TransientError):
            await writer.record(entry("k0"), later(clock))
        truth.broken = False
        truth.seen.clear()
        truth.faults.append(Fault(Commit, 1, LostConnectionError("x")))
        with pytest.raises(TransientError):
            await writer.record(entry("k0"), later(clock))
        assert isinstance(await writer.record(entry("k0"), later(clock)), Done)

    run(work)


def test_a_lane_of_which_nobody_knows_whether_it_was_opened_has_recorded_nothing() -> None:
    async def work(writer: LedgerWriter, truth: GatedTruth, clock: HandClock) -> None:
        truth.broken = True
        with pytest.raises(TransientError):
            await writer.record(entry("k0"), later(clock))
        truth.error = AmbiguousError("the first batch of the next lane")
        with pytest.raises(TransientError):
            await writer.record(entry("k0"), later(clock))
        truth.broken = False
        assert isinstance(await writer.record(entry("k0"), later(clock)), Done)

    run(work)


def test_an_unexpected_fault_reaches_the_caller_and_the_writer_goes_on() -> None:
    async def work(writer: LedgerWriter, truth: GatedTruth, clock: HandClock) -> None:
        def explode(statement: object) -> None:
            if isinstance(statement, InsertDecisions):
                truth.before = lambda _: None
                raise ZeroDivisionError

        truth.before = explode
        with pytest.raises(CreditError):
            await writer.record(entry("k0"), later(clock))
        assert isinstance(await writer.record(entry("k1"), later(clock)), Done)

    run(work)


def test_a_stopped_writer_answers_those_who_wait() -> None:
    async def work(writer: LedgerWriter, truth: GatedTruth, clock: HandClock) -> None:
        truth.gate.clear()
        first = asyncio.create_task(writer.record(entry("k0"), later(clock)))
        await asyncio.sleep(0.001)
        second = asyncio.create_task(writer.record(entry("k1"), later(clock)))
        await asyncio.sleep(0.001)
        stopping = asyncio.create_task(writer.stop())
        await asyncio.sleep(0.001)
        truth.gate.set()
        await stopping
        # The batch under way is finished; what it had not taken is told to come again.
        assert isinstance(await first, Done)
        with pytest.raises(LedgerBusyError):
            await second

    run(work)


def test_a_caller_that_left_is_not_answered() -> None:
    async def work(writer: LedgerWriter, truth: GatedTruth, clock: HandClock) -> None:
        truth.gate.clear()
        leaving = asyncio.create_task(writer.record(entry("k0"), later(clock)))
        await asyncio.sleep(0.001)
        leaving.cancel()
        truth.gate.set()
        await asyncio.gather(leaving, return_exceptions=True)
        assert isinstance(await writer.record(entry("k1"), later(clock)), Done)
        assert len(truth.state.decisions) == 2

    run(work)


def test_lookups_of_one_tick_share_a_statement_and_their_failure() -> None:
    async def work(writer: LedgerWriter, truth: GatedTruth, clock: HandClock) -> None:
        await writer.record(entry("k0"), later(clock))
        lookup = KeyLookup(truth, clock)
        keys = [("client", f"k{n}") for n in (0, 0, 1)]
        truth.log.clear()
        soon = later(clock)
        found = await asyncio.gather(*(lookup.find(key, soon) for key in keys))
        assert [row is not None for row in found] == [True, True, False]
        assert truth.log == ["ReadKeys"]
        truth.broken = True
        asked = (lookup.find(key, soon) for key in keys)
        results = await asyncio.gather(*asked, return_exceptions=True)
        assert all(isinstance(result, TransientError) for result in results)

    run(work)
