"""Equal lanes share the work of a group writer, and never have one group in hand at once."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.group_writer import GroupWriter, Limits
from domain.ports.time import Deadline
from tests.simulation.kernel.loop import run
from tests.simulation.platform.ports import Tally, VirtualClock
from tests.unit.record.ports import FixedChance


def group_of(item: str) -> str | None:
    """`p1/k1` is of group p1, `k1` of none."""
    return item.partition("/")[0] if "/" in item else None


def now() -> float:
    return asyncio.get_running_loop().time()


@dataclass
class Desk:
    """Two equal lanes; what each has in hand, and what was ever in hand of both at once."""

    seconds: dict[int, float] = field(default_factory=lambda: {0: 0.001, 1: 0.001})
    limits: Limits = field(default_factory=Limits)
    batches: list[tuple[int, list[str]]] = field(default_factory=list)
    met: set[str] = field(default_factory=set)
    writer: GroupWriter[str, str] = field(init=False)
    _in_hand: dict[int, set[str]] = field(default_factory=lambda: {0: set(), 1: set()})

    def __post_init__(self) -> None:
        self.writer = GroupWriter(
            name="test",
            first=self._lane(0),
            beside=[self._lane(1)],
            clock=VirtualClock(),
            chance=FixedChance(),
            monitoring=Tally(),
            group=group_of,
            limits=self.limits,
        )

    def _lane(self, number: int) -> Callable[[Sequence[str]], Awaitable[list[str | None]]]:
        async def write(items: Sequence[str]) -> list[str | None]:
            self.batches.append((number, list(items)))
            self._in_hand[number] = {item for item in map(group_of, items) if item is not None}
            self.met |= self._in_hand[0] & self._in_hand[1]
            await asyncio.sleep(self.seconds[number])
            self._in_hand[number] = set()
            return [f"{item}!" for item in items]

        return write

    def submit(self, item: str) -> "asyncio.Task[str]":
        return asyncio.create_task(self.writer.submit(item, Deadline(now() + 10.0)))


def live(work: Callable[[Desk], Awaitable[Any]], seed: int = 0, **options: Any) -> None:
    async def main() -> None:
        desk = Desk(**options)
        desk.writer.start()
        await work(desk)
        await desk.writer.stop()
        assert desk.met == set()

    run(seed, main, order="fifo" if seed == 0 else "shuffled")


def test_they_work_at_the_same_time_and_take_a_share_each() -> None:
    async def work(desk: Desk) -> None:
        tasks = [desk.submit(f"k{n}") for n in range(64)]
        assert await asyncio.gather(*tasks) == [f"k{n}!" for n in range(64)]
        assert now() == pytest.approx(0.001)
        assert [(lane, len(batch)) for lane, batch in desk.batches] == [(0, 32), (1, 32)]

    live(work)


def test_few_stay_together() -> None:
    async def work(desk: Desk) -> None:
        await asyncio.gather(*(desk.submit(f"k{n}") for n in range(8)))
        assert [batch for _, batch in desk.batches] == [[f"k{n}" for n in range(8)]]

    live(work)


def test_a_group_waits_for_the_lane_that_has_it_and_nobody_waits_with_it() -> None:
    async def work(desk: Desk) -> None:
        desk.seconds[0] = 0.5
        first = desk.submit("p/1")
        await asyncio.sleep(0.01)
        waiting = [desk.submit("p/2"), desk.submit("p/3")]
        assert [await desk.submit(f"q/{n}") for n in range(9)] == [f"q/{n}!" for n in range(9)]
        assert now() < 0.1
        assert not any(task.done() for task in waiting)
        desk.seconds[0] = 0.001
        assert await asyncio.gather(first, *waiting) == ["p/1!", "p/2!", "p/3!"]
        # As soon as the group is free, in the order of arrival.
        assert now() == pytest.approx(0.501)
        assert desk.batches[-1][1] == ["p/2", "p/3"]

    live(work)


def test_a_lane_that_hangs_leaves_the_other_at_work() -> None:
    async def work(desk: Desk) -> None:
        desk.seconds[0] = 1.5
        hanging = desk.submit("k0")
        await asyncio.sleep(0.01)
        for number in range(1, 200):
            await desk.submit(f"k{number}")
        assert now() < 0.3
        assert not hanging.done()
        await hanging

    live(work)


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(1, 4)), min_size=1, max_size=60),
    st.integers(1, 1_000),
)
def test_whatever_comes_is_answered_once_and_in_order_of_its_group(
    arrivals: list[tuple[int, int]], seed: int
) -> None:
    async def work(desk: Desk) -> None:
        tasks = []
        for number, (group, pause) in enumerate(arrivals):
            await asyncio.sleep(pause / 4_000)
            tasks.append(desk.submit(f"g{group}/{number}" if group else f"k{number}"))
        answers = await asyncio.gather(*tasks)
        written = [item for _, batch in desk.batches for item in batch]
        assert sorted(answers) == sorted(f"{item}!" for item in written)
        assert len(set(written)) == len(arrivals)
        for group in range(1, 6):
            order = [
                int(each.partition("/")[2]) for each in written if each.startswith(f"g{group}/")
            ]
            assert order == sorted(order)

    live(work, seed, limits=Limits(share_min=2))
