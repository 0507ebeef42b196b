"""Each class of work has room of its own; what a call's end says about the store."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from adapters.resilience.breaker import BreakerOpenError, BreakerSettings
from adapters.resilience.guard import IN_FLIGHT, Guards, WorkClass
from adapters.resilience.guarded import GuardedCache, GuardedReader, GuardedWriter
from domain.errors import (
    AmbiguousError,
    DeadlineExceededError,
    InvalidInputError,
    NotFoundError,
    PermanentError,
    ThrottledError,
    TransientError,
)
from domain.ports.breakers import BreakerState
from domain.ports.storage import Applied, ProjectionRow
from domain.ports.time import Deadline
from tests.simulation.kernel.loop import run
from tests.unit.decide.virtual import LoopClock
from tests.unit.decide.world import Counts, MemoryCache, MemoryHot

NEVER = Deadline(float("inf"))
ROW = ProjectionRow("c-1", "CUSTOMER_PROFILE", 1, b"x")


class Hot(MemoryHot):
    """Answers after a while, or fails."""

    def __init__(self, seconds: float = 0.0, error: Exception | None = None) -> None:
        super().__init__(rows={ROW.key: ROW})
        self.seconds = seconds
        self.error = error

    async def read_item(self, *_: Any) -> ProjectionRow | None:
        await asyncio.sleep(self.seconds)
        if self.error is not None:
            raise self.error
        return ROW

    async def query(self, *_: Any) -> list[ProjectionRow]:
        await asyncio.sleep(self.seconds)
        return [ROW]

    async def put_if_newer(self, *_: Any) -> list[Applied]:
        await asyncio.sleep(self.seconds)
        return [Applied.APPLIED]


def played(scenario: Callable[[LoopClock], Coroutine[Any, Any, None]]) -> None:
    run(0, lambda: scenario(LoopClock()), order="fifo")


def guards(clock: LoopClock, **in_flight: int) -> Guards:
    limits = {**IN_FLIGHT, **{WorkClass(name): most for name, most in in_flight.items()}}
    return Guards.made("dynamodb", clock, Counts(), BreakerSettings(), limits)


def reader(
    hot: Hot, held: Guards, clock: LoopClock, work: WorkClass = WorkClass.CRITICAL
) -> Callable[..., Coroutine[Any, Any, ProjectionRow | None]]:
    reading = GuardedReader(hot, held.of[work], clock)

    async def read(deadline: Deadline = NEVER) -> ProjectionRow | None:
        return await reading.read_item("c-1", "CUSTOMER_PROFILE", deadline)

    return read


def test_a_class_that_is_full_is_refused_and_the_others_are_not() -> None:
    async def scenario(clock: LoopClock) -> None:
        held = guards(clock, background=3)
        hot = Hot(seconds=1.0)
        slow = reader(hot, held, clock, WorkClass.BACKGROUND)
        busy = [asyncio.create_task(slow()) for _ in range(3)]
        await asyncio.sleep(0.1)

        with pytest.raises(ThrottledError, match="background"):
            await slow()
        assert (held.background.in_flight, held.critical.in_flight) == (3, 0)
        assert await reader(hot, held, clock)() == ROW
        await asyncio.gather(*busy)
        assert await slow() == ROW
        assert held.background.in_flight == 0
        # The store is not at fault when we ask too much of it.
        assert held.breaker.view().failures == 0

    played(scenario)


def test_classes_share_the_breaker_of_their_store() -> None:
    async def scenario(clock: LoopClock) -> None:
        held = guards(clock)
        hot = Hot(error=TransientError("away"))
        for work in (*WorkClass, WorkClass.CRITICAL):
            with pytest.raises(TransientError):
                await reader(hot, held, clock, work)()

        for guard in (held.critical, held.standard, held.background, held.analytics):
            with pytest.raises(BreakerOpenError):
                guard.enter()
            assert guard.in_flight == 0

    played(scenario)


@pytest.mark.parametrize(
    ("error", "counts"),
    [
        (TransientError("away"), True),
        (ThrottledError("less"), True),
        (AmbiguousError("who knows"), True),
        (PermanentError("no such table"), True),
        (ConnectionResetError(), True),
        (InvalidInputError("no"), False),
        (NotFoundError("no"), False),
    ],
)
def test_what_counts_as_a_failure_of_the_store(error: Exception, counts: bool) -> None:  # noqa: FBT001
    async def scenario(clock: LoopClock) -> None:
        held = guards(clock)
        with pytest.raises(type(error)):
            await reader(Hot(error=error), held, clock)()
        assert held.breaker.view().failures == counts

    played(scenario)


@pytest.mark.parametrize("call", ["read", "query", "write"])
def test_a_silent_store_is_left_at_the_deadline(call: str) -> None:
    async def scenario(clock: LoopClock) -> None:
        held = guards(clock)
        hot = Hot(seconds=10.0)
        deadline = Deadline.after(clock, 0.2)
        reading = GuardedReader(hot, held.critical, clock)
        calls: dict[str, Callable[[], Coroutine[Any, Any, Any]]] = {
            "read": lambda: reading.read_item("c-1", "CUSTOMER_PROFILE", deadline),
            "query": lambda: reading.query("c-1", "", 1, "", deadline),
            "write": lambda: GuardedWriter(hot, held.background, clock).put_if_newer(
                [ROW], deadline
            ),
        }
        with pytest.raises(DeadlineExceededError):
            await calls[call]()

        assert (clock.monotonic(), held.breaker.view().failures) == (0.2, 1)
        assert (held.critical.in_flight, held.background.in_flight) == (0, 0)

    played(scenario)


def test_a_silent_store_opens_its_breaker_and_closes_it_within_one_pause() -> None:
    async def scenario(clock: LoopClock) -> None:
        held = guards(clock)
        hot = Hot(seconds=10.0)
        read = reader(hot, held, clock)
        crowd = [read(Deadline.after(clock, 0.2)) for _ in range(50)]
        await asyncio.gather(*crowd, return_exceptions=True)
        assert held.breaker.view().opened == 1

        hot.seconds = 0.001
        await asyncio.sleep(60.0)
        assert [await read(), await read()] == [ROW, ROW]
        assert held.breaker.state is BreakerState.CLOSED

    played(scenario)


def test_callers_that_go_away_do_not_open_it() -> None:
    async def scenario(clock: LoopClock) -> None:
        held = guards(clock)
        read = reader(Hot(seconds=0.05), held, clock)
        for _ in range(50):
            call = asyncio.create_task(read())
            await asyncio.sleep(0.01)
            call.cancel()
            await asyncio.gather(call, return_exceptions=True)

        assert held.breaker.state is BreakerState.CLOSED
        assert held.critical.in_flight == 0

    played(scenario)


def test_a_cache_is_guarded_in_every_call() -> None:
    async def scenario(clock: LoopClock) -> None:
        held = guards(clock)
        inner = MemoryCache()
        cache = GuardedCache(inner, held.critical, held.background)
        calls: list[Callable[[], Coroutine[Any, Any, Any]]] = [
            lambda: cache.get("k", NEVER),
            lambda: cache.put_if_newer("k", 1, b"x", 1.0, NEVER),
            lambda: cache.put_absent("k", 1.0, NEVER),
        ]
        inner.away = {"redis"}
        for call in (*calls, *calls):
            with pytest.raises(TransientError):
                await call()
        inner.away = set()

        for call in (*calls, lambda: cache.invalidate("k", NEVER)):
            with pytest.raises(BreakerOpenError):
                await call()
        assert (held.critical.in_flight, held.background.in_flight) == (0, 0)

    played(scenario)
