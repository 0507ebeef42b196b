"""What has one key runs once at a time and to its end; its failure is the news of whoever waits."""

import asyncio
import gc
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from decision_engine.turns import Flights
from domain.errors import TransientError


async def heard_by_the_loop(work: Callable[[], Awaitable[None]]) -> list[str]:
    """Run work, and return what the loop was told of as nobody's."""
    heard: list[str] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: heard.append(context["message"]))
    await work()
    gc.collect()
    await asyncio.sleep(0)
    return heard


class Flown:
    """Flights of one key, held up by a gate, that fail."""

    def __init__(self) -> None:
        self.flights: Flights[str, str] = Flights()
        self.begun = asyncio.Event()
        self.gate = asyncio.Event()
        self.ended = 0

    async def run(self) -> str:
        self.begun.set()
        await self.gate.wait()
        self.ended += 1
        raise TransientError("the store is away")

    def fly(self) -> "asyncio.Task[str]":
        return asyncio.create_task(self.flights.fly("k", self.run, lambda: 60.0))


def test_a_failure_for_which_nobody_waits_any_more_is_no_news() -> None:
    async def work() -> None:
        flown = Flown()
        leaving = flown.fly()
        await flown.begun.wait()
        leaving.cancel()
        await asyncio.gather(leaving, return_exceptions=True)
        flown.gate.set()
        while not flown.ended or flown.flights._underway:  # noqa: ASYNC110
            await asyncio.sleep(0)

    assert asyncio.run(heard_by_the_loop(work)) == []


def test_what_nobody_ever_looks_at_is_heard() -> None:
    async def work() -> None:
        async def fail() -> None:
            raise TransientError("the store is away")

        task = asyncio.create_task(fail())
        await asyncio.wait([task])

    assert asyncio.run(heard_by_the_loop(work)) == ["Task exception was never retrieved"]


def test_whoever_waits_is_told_of_the_failure() -> None:
    async def work() -> None:
        flown = Flown()
        flown.gate.set()
        with pytest.raises(TransientError):
            await flown.fly()

    assert asyncio.run(heard_by_the_loop(work)) == []


def test_a_flight_ends_although_its_caller_left_and_the_next_waits_for_it() -> None:
    async def work() -> Any:
        flown = Flown()
        leaving = flown.fly()
        await flown.begun.wait()
        leaving.cancel()
        await asyncio.gather(leaving, return_exceptions=True)

        async def second() -> str:
            return f"after {flown.ended}"

        following = asyncio.create_task(flown.flights.fly("k", second, lambda: 60.0))
        await asyncio.sleep(0)
        assert not following.done()
        flown.gate.set()
        return await following

    assert asyncio.run(work()) == "after 1"
