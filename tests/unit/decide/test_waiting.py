"""Who waits for work waits for its end and for nothing else, and leaves it as it is."""

import asyncio
from collections.abc import Awaitable

from decision_engine.flights import wait_for_end
from tests.simulation.kernel.loop import run


async def _later(seconds: float) -> str:
    await asyncio.sleep(seconds)
    return "done"


def live(work: Awaitable[None]) -> None:
    async def main() -> None:
        await work

    run(0, main, order="fifo")


def test_work_that_has_ended_is_not_waited_for() -> None:
    async def work() -> None:
        ended = asyncio.create_task(_later(0))
        await ended

        assert await wait_for_end(ended, 0.0)
        assert asyncio.get_running_loop().time() == 0.0

    live(work())


def test_it_ends_with_the_work_or_with_its_own_time() -> None:
    async def work() -> None:
        task = asyncio.create_task(_later(1.0))

        assert not await wait_for_end(task, 0.25)
        assert asyncio.get_running_loop().time() == 0.25
        assert await wait_for_end(task)
        assert asyncio.get_running_loop().time() == 1.0
        assert task.result() == "done"

    live(work())


def test_who_leaves_changes_nothing() -> None:
    async def work() -> None:
        task = asyncio.create_task(_later(1.0))
        waiting = asyncio.create_task(wait_for_end(task))
        await asyncio.sleep(0.1)

        waiting.cancel()
        await asyncio.wait([waiting])

        assert await task == "done"

    live(work())
