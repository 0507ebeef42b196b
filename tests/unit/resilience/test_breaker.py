"""A failing store is left alone, tried again, and never holds everybody."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from adapters.resilience.breaker import Breaker, BreakerState
from adapters.resilience.guarded import GuardedCache, GuardedReader, GuardedWriter
from domain.errors import InvalidInputError, ThrottledError, TransientError
from domain.ports.storage import Applied, ProjectionRow
from domain.ports.time import Deadline
from tests.unit.decide.world import Counts, MemoryCache, MemoryHot
from tests.unit.record.ports import HandClock

LATER = Deadline(1e9)


def run(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(work)


async def well() -> str:
    return "answer"


async def ill() -> str:
    raise TransientError("away")


def breaker(clock: HandClock, **settings: Any) -> Breaker:
    return Breaker("redis", clock, Counts(), **settings)


async def fail(guard: Breaker, times: int) -> None:
    for _ in range(times):
        with pytest.raises(TransientError):
            await guard.call(ill)


def test_it_opens_after_failures_in_a_row_and_then_asks_nobody() -> None:
    guard = breaker(HandClock())

    async def scenario() -> None:
        await fail(guard, 4)
        assert await guard.call(well) == "answer"
        await fail(guard, 5)
        assert guard.state is BreakerState.OPEN
        with pytest.raises(TransientError):
            await guard.call(well)

    run(scenario())


def test_after_a_pause_one_call_tries_and_its_success_closes() -> None:
    clock = HandClock()
    guard = breaker(clock)

    async def scenario() -> None:
        await fail(guard, 5)
        clock.move(5)
        states = [guard.state]
        await fail(guard, 1)
        states.append(guard.state)
        clock.move(5)
        assert await guard.call(well) == "answer"
        assert [*states, guard.state] == ["half_open", "open", "closed"]

    run(scenario())


def test_while_one_call_tries_the_others_are_refused() -> None:
    clock = HandClock()
    guard = breaker(clock)

    async def scenario() -> None:
        await fail(guard, 5)
        clock.move(5)
        gate = asyncio.Event()
        probe = asyncio.create_task(guard.call(gate.wait))
        await asyncio.sleep(0)
        with pytest.raises(TransientError):
            await guard.call(well)
        gate.set()
        await probe

    run(scenario())


def test_a_call_that_is_given_up_counts_as_failed() -> None:
    guard = breaker(HandClock(), failures_max=1)

    async def scenario() -> None:
        task = asyncio.create_task(guard.call(asyncio.Event().wait))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    run(scenario())
    assert guard.state is BreakerState.OPEN


def test_a_refusal_of_the_store_is_no_failure() -> None:
    guard = breaker(HandClock(), failures_max=1)

    async def refuse() -> None:
        raise InvalidInputError("no")

    with pytest.raises(InvalidInputError):
        run(guard.call(refuse))
    assert guard.state is BreakerState.CLOSED


def test_a_slow_store_holds_a_bounded_number() -> None:
    guard = breaker(HandClock(), in_flight_max=1)

    async def scenario() -> None:
        gate = asyncio.Event()
        slow = asyncio.create_task(guard.call(gate.wait))
        await asyncio.sleep(0)
        with pytest.raises(ThrottledError):
            await guard.call(well)
        gate.set()
        await slow

    run(scenario())


def test_guarded_stores_answer_as_what_they_wrap() -> None:
    cache = GuardedCache(MemoryCache(), breaker(HandClock()))
    hot = MemoryHot()
    reader = GuardedReader(hot, breaker(HandClock()))
    writer = GuardedWriter(hot, breaker(HandClock()))

    async def scenario() -> None:
        await cache.put_if_newer("k", 1, b"x", 1.0, LATER)
        assert await cache.get("k", LATER) == (1, b"x")
        await cache.invalidate("k", LATER)
        await cache.put_absent("k", 1.0, LATER)
        assert await cache.get("k", LATER) == (0, b"")
        row = ProjectionRow("c", "CUSTOMER_PROFILE", 1, b"x")
        assert await writer.put_if_newer([row], LATER) == [Applied.APPLIED]
        assert await reader.read_item("c", "CUSTOMER_PROFILE", LATER) == row
        assert await reader.query("c", "", 1, "", LATER) == []

    run(scenario())
