"""A second read is sent when the first hesitates; the first answer counts, the loser ends."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from adapters.resilience.hedge import EVERY, KEPT, Delay, HedgedReader
from domain.errors import TransientError
from domain.ports.storage import ProjectionRow
from domain.ports.time import Deadline
from domain.retries import Budget
from tests.simulation.kernel.loop import run
from tests.unit.decide.virtual import LoopClock
from tests.unit.decide.world import Counts, MemoryHot

FIRST = ProjectionRow("c-1", "CUSTOMER_PROFILE", 1, b"first")
SECOND = ProjectionRow("c-1", "CUSTOMER_PROFILE", 1, b"second")
NEVER = Deadline(float("inf"))
QUICK = 0.01


class Replicas(MemoryHot):
    """Answers each call after its own time with its own row, or fails."""

    def __init__(self, *plan: tuple[float, ProjectionRow | Exception]) -> None:
        super().__init__()
        self.plan = list(plan)
        self.begun = 0
        self.cancelled = 0

    async def read_item(self, *_: Any) -> ProjectionRow | None:
        self.begun += 1
        seconds, answer = self.plan.pop(0) if self.plan else (QUICK, FIRST)
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def query(self, *_: Any) -> list[ProjectionRow]:
        return [FIRST]


def played(
    scenario: Callable[[HedgedReader, Replicas], Coroutine[Any, Any, None]],
    budget: Budget | None = None,
    *plan: tuple[float, ProjectionRow | Exception],
) -> Counts:
    counts = Counts()

    async def whole() -> None:
        replicas = Replicas()
        reader = HedgedReader(replicas, "dynamodb", LoopClock(), counts, budget or Budget(0.05))
        for _ in range(EVERY):
            await read(reader)
        replicas.plan, replicas.begun = list(plan), 0
        await scenario(reader, replicas)

    run(0, whole, order="fifo")
    return counts


async def read(reader: HedgedReader, deadline: Deadline = NEVER) -> ProjectionRow | None:
    return await reader.read_item("c-1", "CUSTOMER_PROFILE", deadline)


def test_a_quick_answer_is_asked_for_once() -> None:
    async def scenario(reader: HedgedReader, replicas: Replicas) -> None:
        assert reader.delay.seconds == pytest.approx(QUICK)
        assert await read(reader) == FIRST
        assert replicas.begun == 1

    assert "hedges_total" not in played(scenario, None, (0.001, FIRST)).counted


def test_a_hesitating_replica_is_overtaken_and_given_up() -> None:
    async def scenario(reader: HedgedReader, replicas: Replicas) -> None:
        began = reader.clock.monotonic()
        assert await read(reader) == SECOND
        assert reader.clock.monotonic() - began == pytest.approx(2 * QUICK)
        await asyncio.sleep(0)
        assert (replicas.begun, replicas.cancelled) == (2, 1)

    counts = played(scenario, None, (9.0, FIRST), (QUICK, SECOND))
    assert counts.counted == {"hedges_total": 1, "hedges_won_total": 1}


def test_the_first_read_may_still_win() -> None:
    async def scenario(reader: HedgedReader, replicas: Replicas) -> None:
        assert await read(reader) == FIRST
        await asyncio.sleep(0)
        assert (replicas.begun, replicas.cancelled) == (2, 1)

    counts = played(scenario, None, (1.5 * QUICK, FIRST), (9.0, SECOND))
    assert counts.counted == {"hedges_total": 1}


@pytest.mark.parametrize(
    ("plan", "answer"),
    [
        ([(9.0, FIRST), (QUICK, TransientError("away"))], FIRST),
        ([(1.5 * QUICK, TransientError("away")), (QUICK, SECOND)], SECOND),
        ([(1.5 * QUICK, TransientError("away")), (9.0, TransientError("away"))], None),
    ],
)
def test_a_read_that_fails_leaves_it_to_the_other(
    plan: list[Any], answer: ProjectionRow | None
) -> None:
    async def scenario(reader: HedgedReader, _: Replicas) -> None:
        if answer is None:
            with pytest.raises(TransientError):
                await read(reader)
        else:
            assert await read(reader) == answer

    played(scenario, None, *plan)


def test_hedges_have_a_budget() -> None:
    async def scenario(reader: HedgedReader, replicas: Replicas) -> None:
        for _ in range(400):
            replicas.plan = [(3 * QUICK, FIRST), (3 * QUICK, FIRST)]
            reader.delay.seconds = QUICK
            await read(reader)
        assert replicas.begun <= 400 + 2 + 0.05 * 432

    played(scenario, Budget(0.05, 2.0))


def test_a_caller_that_leaves_ends_both_reads() -> None:
    async def scenario(reader: HedgedReader, replicas: Replicas) -> None:
        call = asyncio.create_task(read(reader))
        await asyncio.sleep(3 * QUICK)
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
        await asyncio.sleep(0.001)
        assert (replicas.begun, replicas.cancelled) == (2, 2)

    played(scenario, None, (9.0, FIRST), (9.0, SECOND))


def test_nothing_is_hedged_that_ends_before() -> None:
    async def scenario(reader: HedgedReader, replicas: Replicas) -> None:
        assert await read(reader, Deadline.after(reader.clock, QUICK / 2)) == FIRST
        assert replicas.begun == 1

    played(scenario, None, (9.0, FIRST))


def test_pages_are_read_once() -> None:
    async def scenario(reader: HedgedReader, _: Replicas) -> None:
        assert await reader.query("c-1", "", 1, "", NEVER) == [FIRST]

    played(scenario)


def test_the_delay_follows_the_last_reads() -> None:
    delay = Delay()
    for number in range(EVERY - 1):
        delay.note(number)
    before = delay.seconds
    delay.note(99.0)

    assert (before, delay.seconds) == (None, 29)
    for _ in range(KEPT):
        delay.note(1.0)
    assert delay.seconds == 1.0
