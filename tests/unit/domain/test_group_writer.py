"""A group writer batches by itself, loses nobody, and lets no group hold another one up."""

import asyncio
import gc
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pytest

from domain.errors import (
    AmbiguousError,
    CreditError,
    DeadlineExceededError,
    LedgerBusyError,
    PermanentError,
    ThrottledError,
)
from domain.group_writer import GroupWriter, Limits
from domain.ports.time import Deadline
from tests.simulation.kernel.loop import run
from tests.simulation.platform.ports import Tally, VirtualClock
from tests.unit.record.ports import FixedChance


def group_of(item: str) -> str | None:
    """`p1/k1` is of group p1, `k1` of none."""
    return item.partition("/")[0] if "/" in item else None


@dataclass
class Lane:
    """Writes what is not held; each batch takes some virtual seconds."""

    held: set[str] = field(default_factory=set)
    seconds: float = 0.001
    errors: list[Exception] = field(default_factory=list)
    batches: list[tuple[float, list[str]]] = field(default_factory=list)

    async def write(self, items: Sequence[str]) -> list[str | None]:
        self.batches.append((now(), list(items)))
        await asyncio.sleep(self.seconds)
        if self.errors:
            raise self.errors.pop()
        return [None if {item, group_of(item)} & self.held else f"{item}!" for item in items]

    @property
    def written(self) -> list[list[str]]:
        return [items for _, items in self.batches]


def now() -> float:
    return asyncio.get_running_loop().time()


@dataclass
class Bench:
    """A writer over two lanes that share what is held."""

    limits: Limits = field(default_factory=Limits)
    has_second: bool = True
    first: Lane = field(default_factory=Lane)
    second: Lane = field(default_factory=Lane)
    tally: Tally = field(default_factory=Tally)
    groups_written: int = 0
    writer: GroupWriter[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.second.held = self.first.held
        self.writer = GroupWriter(
            name="test",
            first=self.first.write,
            second=self.second.write if self.has_second else None,
            clock=VirtualClock(),
            chance=FixedChance(),
            monitoring=self.tally,
            group=group_of,
            busy=LedgerBusyError,
            written=self._count,
            limits=self.limits,
        )

    def _count(self) -> None:
        self.groups_written += 1

    def submit(self, item: str, seconds: float = 10.0) -> "asyncio.Task[str]":
        deadline = Deadline(now() + seconds)
        return asyncio.create_task(self.writer.submit(item, deadline))

    async def ended(self, item: str, seconds: float = 10.0) -> tuple[float, str]:
        """Return when the item was answered, and how."""
        try:
            answer = await self.submit(item, seconds)
        except CreditError as error:
            answer = type(error).__name__
        return now(), answer


def live(work: Callable[[Bench], Awaitable[Any]], **options: Any) -> None:
    async def main() -> None:
        bench = Bench(**options)
        bench.writer.start()
        await work(bench)
        await bench.writer.stop()

    run(0, main, order="fifo")


def test_whoever_arrives_during_a_batch_forms_the_next_of_at_most_so_many() -> None:
    async def work(bench: Bench) -> None:
        names = [f"k{n}" for n in range(300)]
        answers = await asyncio.gather(*(bench.submit(name) for name in names[:1]))
        tasks = [bench.submit(names[1])]
        await asyncio.sleep(0.0005)
        tasks += [bench.submit(name) for name in names[2:]]
        answers += await asyncio.gather(*tasks)
        assert answers == [f"{name}!" for name in names]
        assert [len(batch) for batch in bench.first.written] == [1, 1, 128, 128, 42]
        # Nobody waited for anything but the batch before: there is no timer.
        assert [at for at, _ in bench.first.batches] == pytest.approx(
            [0.0, 0.001, 0.002, 0.003, 0.004]
        )
        assert bench.groups_written == 5

    live(work)


def test_a_lane_that_hangs_holds_nobody_beyond_the_deadline() -> None:
    async def work(bench: Bench) -> None:
        bench.first.seconds = 1.5
        under_way = bench.submit("k0", seconds=0.1)
        await asyncio.sleep(0.01)
        at, how = await bench.ended("k1", seconds=0.2)
        assert how == "DeadlineExceededError"
        assert at == pytest.approx(0.21)
        # What a batch has taken runs to its end, whatever its deadline says.
        assert await under_way == "k0!"
        assert bench.first.written == [["k0"]]
        assert bench.tally.counts["test_withdrawn_total"] == 1

    live(work)


def test_an_item_whose_time_was_up_on_arrival_is_never_offered() -> None:
    async def work(bench: Bench) -> None:
        assert (await bench.ended("k0", seconds=0.0))[1] == "DeadlineExceededError"
        assert bench.first.written == []

    live(work)


def test_a_caller_that_leaves_takes_nothing_with_it() -> None:
    async def work(bench: Bench) -> None:
        first = bench.submit("k0")
        await asyncio.sleep(0.0005)
        leaving = [first, bench.submit("k1")]
        await asyncio.sleep(0)
        for task in leaving:
            task.cancel()
        await asyncio.gather(*leaving, return_exceptions=True)
        assert await bench.submit("k2") == "k2!"
        assert bench.first.written == [["k0"], ["k1", "k2"]]

    live(work)


def test_too_many_are_refused() -> None:
    async def work(bench: Bench) -> None:
        tasks = [bench.submit(f"k{n}") for n in range(3)]
        await asyncio.sleep(0)
        assert (await bench.ended("k3"))[1] == "ThrottledError"
        assert await asyncio.gather(*tasks) == ["k0!", "k1!", "k2!"]
        assert await bench.submit("k4") == "k4!"
        assert bench.tally.counts["test_shed_total/length"] == 1

    live(work, limits=Limits(unanswered_max=3))


@pytest.mark.parametrize("waiting", [0, 1])
def test_too_old_a_queue_or_a_batch_refuses_new_ones(waiting: int) -> None:
    async def work(bench: Bench) -> None:
        bench.first.seconds = 2.5
        tasks = [bench.submit("k0")]
        await asyncio.sleep(0.1)
        tasks += [bench.submit(f"w{n}", seconds=9) for n in range(waiting)]
        tasks += [bench.submit("withdrawn", seconds=0.1)]
        await asyncio.sleep(1.8)
        tasks += [bench.submit("young")]
        await asyncio.sleep(0.2)
        assert (await bench.ended("late"))[1] == "ThrottledError"
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert [result for result in results if isinstance(result, Exception)] == [results[-2]]
        assert bench.tally.counts["test_shed_total/age"] == 1

    live(work)


def test_what_is_held_up_is_set_aside_and_the_lane_goes_on() -> None:
    async def work(bench: Bench) -> None:
        bench.first.held.add("p")
        tasks = [bench.submit("p/1"), bench.submit("p/2")]
        await asyncio.sleep(0.0005)
        tasks += [bench.submit(f"k{n}") for n in range(3)]
        await asyncio.sleep(0.0033)
        bench.first.held.clear()
        bench.first.seconds = 0.01
        tasks.append(bench.submit("slow"))
        await asyncio.sleep(0.0001)
        tasks.append(bench.submit("later"))
        await asyncio.gather(*tasks)
        # After three milliseconds they are back, in front of whoever lined up meanwhile.
        assert bench.first.written == [
            ["p/1", "p/2"], ["k0", "k1", "k2"], ["slow"], ["p/1", "p/2", "later"],
        ]  # fmt: skip
        assert bench.second.written == []
        assert bench.tally.counts["test_parked_total"] == 2

    live(work)


def test_the_third_time_moves_it_and_later_ones_of_its_group_follow() -> None:
    async def work(bench: Bench) -> None:
        bench.first.held.add("p")
        held = [bench.submit("p/1")]
        await asyncio.sleep(0.02)
        assert bench.first.written == [["p/1"]] * 3
        held += [bench.submit("p/2"), bench.submit("p/3")]
        await asyncio.sleep(0.02)
        assert bench.first.written == [["p/1"]] * 3
        bench.first.held.clear()
        assert await asyncio.gather(*held) == ["p/1!", "p/2!", "p/3!"]
        assert bench.second.written[-1] == ["p/1", "p/2", "p/3"]
        begins = [at for at, _ in bench.second.batches]
        gaps = [later - earlier for earlier, later in pairwise(begins)]
        # 2-10 ms after the end of the batch before, which took one.
        assert all(0.003 <= gap <= 0.011 for gap in gaps)
        # With the last of them the group is forgotten.
        assert await bench.submit("p/4") == "p/4!"
        assert bench.first.written[-1] == ["p/4"]
        assert bench.tally.counts["test_moved_total"] == 3

    live(work)


def test_past_half_its_time_it_moves_at_once() -> None:
    async def work(bench: Bench) -> None:
        bench.first.held.add("p")
        bench.first.seconds = 0.06
        held = bench.submit("p/1", seconds=0.1)
        await asyncio.sleep(0.061)
        bench.first.held.clear()
        assert await held == "p/1!"
        assert (len(bench.first.batches), len(bench.second.batches)) == (1, 1)

    live(work)


def test_those_of_the_group_that_queue_or_are_set_aside_follow_too() -> None:
    async def work(bench: Bench) -> None:
        bench.first.held.add("p")
        bench.first.seconds = 0.3
        # Both are held up in one batch; only the second is past half its time then.
        tasks = [bench.submit("p/aside"), bench.submit("p/moves", seconds=0.5)]
        await asyncio.sleep(0.1)
        tasks.append(bench.submit("p/queued"))
        await asyncio.sleep(0.25)
        bench.first.held.clear()
        await asyncio.gather(*tasks)
        assert bench.first.written == [["p/aside", "p/moves"]]
        assert bench.second.written[-1] == ["p/moves", "p/queued", "p/aside"]
        assert bench.tally.counts["test_parked_total"] == 1

    live(work)


@pytest.mark.parametrize("has_second", [True, False])
def test_what_stays_held_is_given_up_after_a_second(*, has_second: bool) -> None:
    async def work(bench: Bench) -> None:
        bench.first.held.add("p")
        at, how = await bench.ended("p/1")
        assert how == "LedgerBusyError"
        assert 1.0 <= at <= 1.02
        assert bench.tally.counts["test_busy_total"] == 1
        assert bool(bench.second.written) is has_second

    live(work, has_second=has_second)


@pytest.mark.parametrize("seconds", [0.0065, 0.3])
def test_or_at_its_deadline(seconds: float) -> None:
    async def work(bench: Bench) -> None:
        bench.first.held.add("p")
        at, how = await bench.ended("p/1", seconds=seconds)
        assert how == "LedgerBusyError"
        assert seconds <= at <= seconds + 0.0015

    live(work, limits=Limits(skips_max=100))


def test_whose_deadline_passed_in_a_batch_is_not_offered_again() -> None:
    async def work(bench: Bench) -> None:
        bench.first.held.add("p")
        bench.first.seconds = 0.1
        assert await bench.ended("p/1", seconds=0.05) == (0.1, "LedgerBusyError")

    live(work, has_second=False)


def test_whoever_joins_a_group_waits_for_the_second_lane_alone() -> None:
    async def work(bench: Bench) -> None:
        bench.first.held.add("p")
        held = bench.submit("p/1")
        await asyncio.sleep(0.02)
        bench.first.seconds = 10.0
        hanging = bench.submit("k0", seconds=20)
        await asyncio.sleep(0.01)
        joins = bench.submit("p/2")
        await asyncio.sleep(0.01)
        bench.first.held.clear()
        assert [*await asyncio.gather(held, joins)] == ["p/1!", "p/2!"]
        assert now() < 0.06
        assert not hanging.done()

    live(work)


def test_whoever_joins_a_group_and_runs_out_of_time_was_held_up() -> None:
    async def work(bench: Bench) -> None:
        bench.first.held.add("p")
        held = bench.submit("p/1")
        bench.second.seconds = 0.5
        await asyncio.sleep(0.02)
        assert (await bench.ended("p/2", seconds=0.1))[1] == "LedgerBusyError"
        bench.first.held.clear()
        assert await held == "p/1!"

    live(work)


def test_each_is_withdrawn_at_its_own_deadline() -> None:
    async def work(bench: Bench) -> None:
        bench.first.seconds = 1.5
        under_way = bench.submit("k0")
        await asyncio.sleep(0.1)
        ended = await asyncio.gather(*(bench.ended(f"w{s}", seconds=s) for s in (0.3, 0.1, 0.2)))
        assert [at for at, _ in ended] == pytest.approx([0.4, 0.2, 0.3])
        assert {how for _, how in ended} == {"DeadlineExceededError"}
        assert await under_way == "k0!"

    live(work)


def test_an_error_that_nobody_waits_for_any_more_is_no_fault() -> None:
    faults: list[dict[str, Any]] = []

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, what: faults.append(what))
        bench, gate = Bench(), asyncio.Event()

        async def refuse(_items: Sequence[str]) -> list[str | None]:
            await gate.wait()
            raise PermanentError("no")

        bench.writer.first = refuse
        bench.writer.start()
        leaving = bench.submit("k0")
        await asyncio.sleep(0)
        leaving.cancel()
        await asyncio.wait([leaving])
        gate.set()
        await bench.writer.stop()
        del leaving
        gc.collect()

    # The virtual loop keeps its tasks, and with them what only the collector would report.
    asyncio.run(main())
    gc.collect()
    assert faults == []


def test_who_was_let_go_already_does_not_confuse_a_lane() -> None:
    async def work(bench: Bench) -> None:
        first = bench.submit("k0")
        await asyncio.sleep(0.0005)
        early = bench.submit("k1")
        await asyncio.sleep(0)
        bench.writer._expire([*bench.writer._unanswered][-1])
        with pytest.raises(DeadlineExceededError):
            await early
        assert [*await asyncio.gather(first, bench.submit("k2"))] == ["k0!", "k2!"]
        assert bench.first.written == [["k0"], ["k2"]]

    live(work)


def test_the_freed_are_served_at_once_while_another_stays_held() -> None:
    async def work(bench: Bench) -> None:
        bench.first.held.update(f"p{n}" for n in range(6))
        tasks = [asyncio.create_task(bench.ended(f"p{n}/1")) for n in range(6)]
        await asyncio.sleep(0.1)
        for n in range(5):
            bench.first.held.discard(f"p{n}")
        results = await asyncio.gather(*tasks)
        assert [how for _, how in results] == [f"p{n}/1!" for n in range(5)] + ["LedgerBusyError"]
        assert all(at <= 0.115 for at, _ in results[:5])
        assert 1.0 <= results[5][0] <= 1.02

    live(work)


def test_a_full_room_gives_everybody_a_turn() -> None:
    async def work(bench: Bench) -> None:
        bench.first.held.add("p")
        tasks = [bench.submit(f"p/{n}") for n in range(6)]
        await asyncio.sleep(0.02)
        bench.first.held.clear()
        bench.first.held.update({"p/0", "p/1"})
        assert await asyncio.gather(*tasks[2:]) == [f"p/{n}!" for n in range(2, 6)]
        bench.first.held.clear()
        await asyncio.gather(*tasks)
        assert max(map(len, bench.second.written)) == 2

    live(work, limits=Limits(batch_max=2))


def test_an_item_of_no_group_waits_for_itself_alone() -> None:
    async def work(bench: Bench) -> None:
        bench.first.held.add("k0")
        held = bench.submit("k0")
        await asyncio.sleep(0.05)
        assert await bench.submit("k1") == "k1!"
        bench.first.held.clear()
        assert await held == "k0!"
        assert {item for batch in bench.second.written for item in batch} == {"k0"}

    live(work)


@pytest.mark.parametrize(
    ("error", "heard"),
    [
        (PermanentError("no"), PermanentError),
        (ZeroDivisionError(), AmbiguousError),
    ],
)
def test_an_error_of_the_lane_reaches_all_and_the_writer_goes_on(
    error: Exception, heard: type[Exception]
) -> None:
    async def work(bench: Bench) -> None:
        bench.first.errors.append(error)
        results = await asyncio.gather(*map(bench.submit, ("a", "b")), return_exceptions=True)
        assert [type(result) for result in results] == [heard, heard]
        assert await bench.submit("c") == "c!"
        assert bench.tally.counts["test_faults_total/ZeroDivisionError"] == (
            heard is AmbiguousError
        )

    live(work)


def test_a_lane_that_forgets_an_item_leaves_nobody_waiting() -> None:
    async def work(bench: Bench) -> None:
        async def forget(items: Sequence[str]) -> list[str | None]:
            return [f"{item}!" for item in items[1:]]

        bench.writer.first = forget
        with pytest.raises(AmbiguousError):
            await bench.submit("a")

    live(work)


def test_stopping_finishes_what_is_under_way_and_answers_the_rest() -> None:
    async def work(bench: Bench) -> None:
        bench.first.held.add("p")
        moved = bench.submit("p/1")
        await asyncio.sleep(0.02)
        bench.first.seconds = 1.0
        under_way = bench.submit("k0")
        await asyncio.sleep(0.01)
        waiting = bench.submit("k1")
        await asyncio.sleep(0)
        await bench.writer.stop()
        assert await under_way == "k0!"
        results = await asyncio.gather(moved, waiting, return_exceptions=True)
        assert [type(result) for result in results] == [LedgerBusyError, LedgerBusyError]
        assert (await bench.ended("k2"))[1] == "LedgerBusyError"
        assert "k1" not in str(bench.first.written)

    live(work)


def test_stopping_with_patience_lets_those_who_wait_be_served() -> None:
    async def work(bench: Bench) -> None:
        bench.first.held.add("p")
        bench.first.seconds = 0.1
        tasks = [bench.submit("k0"), bench.submit("p/1")]
        await asyncio.sleep(0.05)
        tasks.append(bench.submit("k1"))
        await asyncio.sleep(0)
        await bench.writer.stop(grace_s=0.5)
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert [results[0], results[2]] == ["k0!", "k1!"]
        assert isinstance(results[1], LedgerBusyError)
        assert 0.5 <= now() <= 0.8

    live(work)


def test_deadline_and_throttling_are_told_apart_from_being_busy() -> None:
    assert not issubclass(LedgerBusyError, DeadlineExceededError | ThrottledError)
