"""The virtual loop repeats itself, explores orders, never waits for real, and ends loudly."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Coroutine
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.simulation.kernel.errors import (
    SimulationError,
    StepLimitError,
    StuckError,
    UnhandledTaskError,
)
from tests.simulation.kernel.loop import new_loop, run

SEEDS = range(30)


def now() -> float:
    return asyncio.get_running_loop().time()


async def _fail_beside(*others: Coroutine[Any, Any, Any]) -> None:
    async with asyncio.TaskGroup() as group:
        for other in others:
            group.create_task(other)
        await asyncio.sleep(1)
        group.create_task(_fail())


async def _fail() -> None:
    await asyncio.sleep(0)
    raise ZeroDivisionError


# --- time


def test_time_jumps() -> None:
    async def program() -> float:
        await asyncio.sleep(3_000_000)
        return now()

    assert run(0, program) == 3_000_000


def test_time_stands_still_while_something_is_ready() -> None:
    async def program() -> float:
        for _ in range(1000):
            await asyncio.sleep(0)
        return now()

    assert run(0, program) == 0


def test_steps_can_take_time() -> None:
    async def program() -> int:
        count = 0
        while now() < 1:
            await asyncio.sleep(0)
            count += 1
        return count

    assert run(0, program, step_s=0.01) == pytest.approx(100, abs=2)


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=20))
def test_any_instant_is_reached_exactly(instants: list[float]) -> None:
    async def program() -> list[float]:
        reached: list[float] = []
        for instant in instants:
            loop = asyncio.get_running_loop()
            loop.call_at(instant, lambda: reached.append(now()))
        await asyncio.sleep(2e6)
        return reached

    assert run(0, program) == sorted(instants)


def test_a_cancelled_timer_moves_no_time() -> None:
    async def program() -> float:
        asyncio.get_running_loop().call_later(50, print).cancel()
        await asyncio.sleep(1)
        return now()

    assert run(0, program) == 1


# --- order


async def history() -> list[str]:
    log: list[str] = []

    async def work(name: str) -> None:
        for step in range(3):
            log.append(f"{name}{step}")
            await asyncio.sleep(0)

    await asyncio.gather(*(work(name) for name in "abc"))
    return log


def test_a_seed_repeats_its_history() -> None:
    assert [run(seed, history) for seed in SEEDS] == [run(seed, history) for seed in SEEDS]


def test_seeds_explore_different_histories() -> None:
    found = {tuple(run(seed, history)) for seed in range(300)}

    assert len(found) > 250
    assert {each[0] for each in found} == {"a0", "b0", "c0"}


def test_every_order_of_three_callbacks_is_reached() -> None:
    async def program() -> str:
        log: list[str] = []
        for name in "abc":
            asyncio.get_running_loop().call_soon(log.append, name)
        await asyncio.sleep(1)
        return "".join(log)

    found = {run(seed, program) for seed in range(100)}

    assert found == {"".join(each) for each in itertools.permutations("abc")}


def test_fifo_is_asyncios_own_order() -> None:
    assert run(1, history, order="fifo") == asyncio.run(history())


def test_tasks_in_sets_are_cancelled_in_a_repeatable_order() -> None:
    async def program() -> tuple[int, ...]:
        log: list[int] = []

        async def wait(number: int) -> None:
            try:
                await asyncio.Event().wait()
            finally:
                log.append(number)

        with pytest.raises(ExceptionGroup):
            await _fail_beside(*(wait(number) for number in range(20)))
        return tuple(log)

    ballast = [object() for _ in range(1000)]
    assert len({run(7, program, order="fifo") for _ in ballast[:20]}) == 1


# --- bad ends


def test_a_deadlock_names_who_waits_where() -> None:
    async def wait_for_ever() -> None:
        await asyncio.Event().wait()

    async def program() -> None:
        await asyncio.create_task(wait_for_ever(), name="the waiter")

    with pytest.raises(StuckError, match=r"the waiter: Event\.wait") as caught:
        run(3, program)
    assert "seed 3" in str(caught.value.__notes__)


def test_a_deadlock_is_blamed_on_the_task_that_failed() -> None:
    async def program() -> None:
        failing = asyncio.create_task(_fail())
        await asyncio.Event().wait()
        await failing

    with pytest.raises(StuckError) as caught:
        run(0, program)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_a_busy_loop_is_stopped() -> None:
    async def program() -> None:
        for _ in itertools.count():
            await asyncio.sleep(0)

    with pytest.raises(StepLimitError):
        run(0, program, max_steps=500)


def test_a_lost_failure_of_a_task_surfaces() -> None:
    async def program() -> None:
        failing = asyncio.create_task(_fail())
        await asyncio.sleep(1)
        del failing

    with pytest.raises(UnhandledTaskError, match="ZeroDivisionError"):
        run(0, program)


def test_a_lost_failure_among_many_tasks_surfaces() -> None:
    async def program() -> None:
        failing = asyncio.create_task(_fail())
        for _ in range(2000):
            await asyncio.create_task(asyncio.sleep(0))
        del failing

    with pytest.raises(UnhandledTaskError, match="ZeroDivisionError"):
        run(0, program)


def test_a_failure_during_the_final_cancellation_surfaces() -> None:
    async def fail_when_cancelled() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise ZeroDivisionError

    async def program() -> None:
        task = asyncio.create_task(fail_when_cancelled())
        await asyncio.sleep(1)
        assert not task.done()

    with pytest.raises(UnhandledTaskError, match="ZeroDivisionError"):
        run(0, program)


def test_a_failing_callback_surfaces() -> None:
    async def program() -> None:
        asyncio.get_running_loop().call_soon(int, "no number")
        await asyncio.sleep(1)

    with pytest.raises(UnhandledTaskError) as caught:
        run(0, program)
    assert isinstance(caught.value.__cause__, ValueError)


def test_the_programs_own_failure_comes_through_with_its_seed() -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        run(42, _fail)
    assert "seed 42" in str(caught.value.__notes__)


def test_what_is_left_is_cancelled() -> None:
    ended: list[str] = []

    async def stay() -> None:
        try:
            await asyncio.sleep(1_000)
        finally:
            ended.append("stayer")

    async def numbers() -> AsyncIterator[int]:
        try:
            for number in itertools.count():
                yield number
        finally:
            ended.append("generator")

    async def program() -> None:
        kept = asyncio.create_task(stay())
        generator = numbers()
        assert await anext(generator) == 0
        await asyncio.sleep(1)
        assert not kept.done()
        held.append(generator)

    held: list[AsyncIterator[int]] = []
    run(0, program)
    assert sorted(ended) == ["generator", "stayer"]


def test_no_loop_inside_a_loop_and_no_thread() -> None:
    async def nested() -> None:
        with pytest.raises(SimulationError):
            run(0, history)

    async def threaded() -> None:
        with pytest.raises(NotImplementedError):
            await asyncio.to_thread(print)

    run(0, nested)
    run(0, threaded)


def test_the_fingerprint_tells_histories_apart() -> None:
    def fingerprint(seed: int) -> int:
        loop = new_loop(seed)
        loop.run_until_complete(history())
        loop.close()
        return loop.fingerprint

    assert len({fingerprint(seed) for seed in SEEDS}) == len(SEEDS)
    assert fingerprint(5) == fingerprint(5)
