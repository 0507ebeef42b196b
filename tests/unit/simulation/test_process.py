"""A killed process does nothing any more that others could see."""

import asyncio

import pytest

from tests.simulation.kernel.errors import UnhandledTaskError
from tests.simulation.kernel.loop import run
from tests.simulation.kernel.process import (
    Process,
    ProcessDead,
    ProcessDownError,
    check_alive,
    current_life,
)

SEEDS = range(30)


class Disk:
    """A store that others can see, as simple as can be."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    async def write(self, line: str) -> None:
        await asyncio.sleep(0)
        check_alive()
        self.lines.append(line)


async def write_for_ever(disk: Disk, line: str = "line") -> None:
    try:
        while True:
            await disk.write(line)
            await asyncio.sleep(0.1)
    finally:
        await disk.write("finally")


def test_a_call_returns_what_the_process_answers() -> None:
    async def answer() -> int:
        await asyncio.sleep(1)
        return 42

    async def fail() -> int:
        raise ZeroDivisionError

    async def program() -> None:
        process = Process("p")
        assert await process.call(answer()) == 42
        with pytest.raises(ZeroDivisionError):
            await process.call(fail())

    for seed in SEEDS:
        run(seed, program)


def test_after_a_kill_nothing_is_written() -> None:
    async def program() -> None:
        process, disk = Process("p"), Disk()
        process.spawn(write_for_ever(disk))
        await asyncio.sleep(1.05)
        process.kill()
        written = len(disk.lines)
        await asyncio.sleep(10)
        assert written == len(disk.lines) >= 10
        assert "finally" not in disk.lines

    for seed in SEEDS:
        run(seed, program)


def test_children_of_its_tasks_die_too() -> None:
    async def parent(disk: Disk) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(write_for_ever(disk, "a"))
            group.create_task(write_for_ever(disk, "b"))

    async def program() -> None:
        process, disk = Process("p"), Disk()
        process.spawn(parent(disk))
        await asyncio.sleep(1.05)
        process.kill()
        written = list(disk.lines)
        await asyncio.sleep(10)
        assert disk.lines == written
        assert {"a", "b"} == set(written)

    for seed in SEEDS:
        run(seed, program)


def test_what_a_dead_process_spawns_never_runs() -> None:
    async def respawn(disk: Disk) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            spawned.append(asyncio.create_task(disk.write("from the grave")))

    async def program() -> None:
        process, disk = Process("p"), Disk()
        process.spawn(respawn(disk))
        await asyncio.sleep(1)
        process.kill()
        await asyncio.sleep(1)
        assert disk.lines == []
        assert spawned.pop().cancelled()
        process.spawn(disk.write("never")).add_done_callback(lambda _: None)
        await asyncio.sleep(1)
        assert disk.lines == []

    spawned: list[asyncio.Task[None]] = []
    for seed in SEEDS:
        run(seed, program)


def test_callers_are_cut_off_at_once() -> None:
    async def answer_late() -> int:
        await asyncio.sleep(100)
        return 42

    async def program() -> None:
        process = Process("p")
        asyncio.get_running_loop().call_later(1, process.kill)
        with pytest.raises(ProcessDownError):
            await process.call(answer_late())
        assert asyncio.get_running_loop().time() == 1
        with pytest.raises(ProcessDownError):
            await process.call(answer_late())

    for seed in SEEDS:
        run(seed, program)


def test_callers_are_cut_off_although_the_dying_work_goes_on() -> None:
    async def die_slowly() -> None:
        try:
            await asyncio.sleep(100)
        finally:
            await asyncio.sleep(50)

    async def program() -> None:
        process = Process("p")
        asyncio.get_running_loop().call_later(1, process.kill)
        with pytest.raises(ProcessDownError):
            await process.call(die_slowly())
        assert asyncio.get_running_loop().time() == 1

    for seed in SEEDS:
        run(seed, program)


def test_a_caller_that_goes_away_does_not_stop_the_work() -> None:
    async def program() -> None:
        process, disk = Process("p"), Disk()
        caller = asyncio.create_task(process.call(write_for_ever(disk)))
        await asyncio.sleep(0.5)
        caller.cancel()
        await asyncio.sleep(5)
        assert len(disk.lines) > 20
        process.kill()

    for seed in SEEDS:
        run(seed, program)


def test_a_new_life_is_not_the_old_one() -> None:
    async def program() -> None:
        process, disk = Process("p"), Disk()
        process.spawn(write_for_ever(disk, "old"))
        await asyncio.sleep(1)
        process.restart()
        disk.lines.clear()
        process.spawn(write_for_ever(disk, "new"))
        await asyncio.sleep(1)
        assert process.alive
        assert set(disk.lines) == {"new"}
        assert process.starts == 2

    for seed in SEEDS:
        run(seed, program)


def test_connections_learn_of_the_kill_once() -> None:
    async def program() -> list[str]:
        process = Process("p")
        heard: list[str] = []
        process.life.on_kill(lambda: heard.append("first"))
        process.life.on_kill(lambda: heard.append("second"))
        process.kill()
        process.kill()
        await asyncio.sleep(1)
        return heard

    assert run(0, program) == ["first", "second"]


def test_a_failure_inside_a_living_process_surfaces() -> None:
    async def fail() -> None:
        raise ZeroDivisionError

    async def program() -> None:
        Process("p").spawn(fail())
        await asyncio.sleep(1)

    with pytest.raises(UnhandledTaskError, match="ZeroDivisionError"):
        run(0, program)


def test_a_failure_before_the_kill_surfaces() -> None:
    async def fail() -> None:
        raise ZeroDivisionError

    async def program() -> None:
        process = Process("p")
        process.spawn(fail())
        await asyncio.sleep(1)
        process.kill()

    with pytest.raises(UnhandledTaskError, match="ZeroDivisionError"):
        run(0, program)


def test_code_knows_its_life() -> None:
    async def inside(process: Process) -> None:
        assert current_life() is process.life
        await asyncio.create_task(child(process))

    async def child(process: Process) -> None:
        assert current_life() is process.life

    async def program() -> None:
        process = Process("p")
        await process.call(inside(process))
        assert current_life() is None

    run(0, program)


def test_a_dead_life_is_told_so_and_no_handler_survives_it() -> None:
    async def stubborn(heard: list[str]) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            try:
                check_alive()
            except Exception:  # noqa: BLE001 - the point of the test
                heard.append("survived")
            except ProcessDead:
                heard.append("dead")

    async def program() -> list[str]:
        process, heard = Process("p"), list[str]()
        process.spawn(stubborn(heard))
        await asyncio.sleep(1)
        process.kill()
        await asyncio.sleep(1)
        return heard

    assert run(0, program) == ["dead"]
