"""asyncio's own tools work in the virtual loop, in every order of callbacks tried."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest

from tests.simulation.kernel.agenda import Order
from tests.simulation.kernel.loop import run

SEEDS = range(30)


def now() -> float:
    return asyncio.get_running_loop().time()


async def after(seconds: float, result: str) -> str:
    await asyncio.sleep(seconds)
    return result


async def use_timeout() -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(2):
            await asyncio.sleep(3)
    assert now() == 2
    async with asyncio.timeout(2):
        await asyncio.sleep(1)
    assert now() == 3


async def use_wait_for() -> None:
    assert await asyncio.wait_for(after(1, "done"), 2) == "done"
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.Event().wait(), 5)
    assert now() == 6


async def use_gather() -> None:
    assert tuple(await asyncio.gather(after(2, "a"), after(1, "b"))) == ("a", "b")
    results = await asyncio.gather(after(1, "c"), _fail(), return_exceptions=True)
    assert results[0] == "c"
    assert isinstance(results[1], ZeroDivisionError)


async def use_event_and_future() -> None:
    event = asyncio.Event()
    future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    waiting = asyncio.create_task(event.wait())
    asyncio.get_running_loop().call_later(3, event.set)
    asyncio.get_running_loop().call_at(4, future.set_result, 7)
    assert await waiting
    assert now() == 3
    assert await future == 7
    assert now() == 4


async def use_shield() -> None:
    inner = asyncio.create_task(after(5, "survived"))
    outer = asyncio.create_task(_wait_for_it(asyncio.shield(inner)))
    await asyncio.sleep(1)
    outer.cancel()
    with pytest.raises(asyncio.CancelledError):
        await outer
    assert await inner == "survived"


async def use_task_group() -> None:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(after(n, str(n))) for n in (3, 1, 2)]
    assert [task.result() for task in tasks] == ["3", "1", "2"]
    with pytest.raises(ExceptionGroup):
        await _fail_beside(after(9, "never"))
    assert now() < 9


async def use_queue() -> None:
    queue: asyncio.Queue[int] = asyncio.Queue(maxsize=2)

    async def produce() -> None:
        for number in range(10):
            await queue.put(number)

    async with asyncio.TaskGroup() as group:
        group.create_task(produce())
        assert [await queue.get() for _ in range(10)] == list(range(10))


async def use_lock_and_semaphore() -> None:
    lock, seats = asyncio.Lock(), asyncio.Semaphore(3)
    inside = {"lock": 0, "seats": 0}

    async def enter(gate: asyncio.Lock | asyncio.Semaphore, name: str, most: int) -> None:
        async with gate:
            inside[name] += 1
            assert inside[name] <= most
            await asyncio.sleep(0.5)
            inside[name] -= 1

    entering = [enter(lock, "lock", 1) for _ in range(5)]
    entering += [enter(seats, "seats", 3) for _ in range(7)]
    await asyncio.gather(*entering)
    assert inside == {"lock": 0, "seats": 0}


async def use_condition() -> None:
    condition, ready = asyncio.Condition(), False

    async def wait() -> None:
        async with condition:
            await condition.wait_for(lambda: ready)

    waiting = asyncio.gather(wait(), wait())
    await asyncio.sleep(1)
    async with condition:
        ready = True
        condition.notify_all()
    await waiting


async def use_wait_and_as_completed() -> None:
    tasks = [asyncio.create_task(after(n, str(n))) for n in (3, 1, 2)]
    done, left = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    assert [task.result() for task in done] == ["1"]
    rest = [await each for each in asyncio.as_completed(left)]
    assert rest == ["2", "3"]


async def _fail_beside(*others: Coroutine[Any, Any, Any]) -> None:
    async with asyncio.TaskGroup() as group:
        for other in others:
            group.create_task(other)
        await asyncio.sleep(1)
        group.create_task(_fail())


async def _fail() -> None:
    await asyncio.sleep(0)
    raise ZeroDivisionError


async def _wait_for_it(awaitable: Awaitable[str]) -> str:
    return await awaitable


TOOLS: list[Callable[[], Coroutine[Any, Any, None]]] = [
    use_timeout,
    use_wait_for,
    use_gather,
    use_event_and_future,
    use_shield,
    use_task_group,
    use_queue,
    use_lock_and_semaphore,
    use_condition,
    use_wait_and_as_completed,
]


@pytest.mark.parametrize("order", ["fifo", "shuffled"])
@pytest.mark.parametrize("use", TOOLS, ids=lambda each: each.__name__)
def test_asyncios_tools_work(use: Callable[[], Coroutine[Any, Any, None]], order: Order) -> None:
    for seed in SEEDS:
        run(seed, use, order=order)
