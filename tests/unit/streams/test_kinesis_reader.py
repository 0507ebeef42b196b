"""What the reader promises of shards, places and checkpoints, whatever Kinesis answers."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.streams.checkpoints import Position
from adapters.streams.kinesis_api import KinesisApi
from adapters.streams.kinesis_reader import KinesisReader, ReaderLimits
from adapters.streams.progress import CheckpointProgress
from domain.errors import NotFoundError, TransientError
from tests.contracts.opened import HandClock
from tests.unit.streams.fake_kinesis import STREAM, FakeKinesis, FakeShard
from tests.unit.streams.fakes import HeldCheckpoints

T = TypeVar("T")


@dataclass(slots=True)
class Reading:
    """A reader on a stream in memory; its waits move the clock."""

    kinesis: FakeKinesis = field(default_factory=FakeKinesis)
    checkpoints: HeldCheckpoints = field(default_factory=HeldCheckpoints)
    clock: HandClock = field(default_factory=HandClock)
    waits: list[float] = field(default_factory=list)
    limits: ReaderLimits = field(default_factory=ReaderLimits)
    reader: KinesisReader = field(init=False)

    def __post_init__(self) -> None:
        self.reader = self.restarted()

    def restarted(self) -> KinesisReader:
        self.reader = KinesisReader(
            KinesisApi(self.kinesis, STREAM), self.checkpoints, clock=self.clock,
            sleep=self.sleep, limits=self.limits,
        )  # fmt: skip
        return self.reader

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.clock.advance(seconds)

    def drain(self, limit: int = 3) -> list[bytes]:
        """Handle everything, as an event source mapping does."""
        handled: list[bytes] = []

        async def shard(name: str) -> int:
            count = 0
            while records := await self.reader.read(
                name, await self.reader.checkpoint(name), limit
            ):
                handled.extend(record.data for record in records)
                count += len(records)
                await self.reader.set_checkpoint(name, records[-1].sequence)
            return count

        async def every_shard() -> None:
            while sum([await shard(name) for name in await self.reader.shards()]):
                pass

        run(every_shard())
        return handled

    def counted(self, operation: str) -> int:
        return len(self.kinesis.operations(operation))


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(coroutine)


def test_records_come_in_order_and_once_and_places_are_kept() -> None:
    reading = Reading(FakeKinesis(page_max=2))
    reading.kinesis.add("shard-0", *(b"%d" % number for number in range(7)))

    assert reading.drain() == [b"%d" % number for number in range(7)]
    assert reading.counted("GetShardIterator") == 1


def test_a_sequence_number_of_56_digits_survives_a_restart() -> None:
    reading = Reading()
    first, _ = reading.kinesis.add("shard-0", b"1", b"2")
    run(reading.reader.set_checkpoint("shard-0", first))

    reading.restarted()

    assert reading.drain() == [b"2"]
    assert len(str(first)) == 56


def test_empty_pages_do_not_end_a_shard_that_holds_more() -> None:
    reading = Reading(FakeKinesis(chatter=5))
    reading.kinesis.add("shard-0", b"1", b"2")

    assert reading.drain() == [b"1", b"2"]


def test_asking_in_vain_ends_and_goes_on_where_it_was() -> None:
    reading = Reading(FakeKinesis(chatter=5), limits=ReaderLimits(empty_max=3))
    reading.kinesis.add("shard-0", b"1")

    assert run(reading.reader.read("shard-0", 0, 9)) == ()
    assert reading.counted("GetRecords") == 3
    assert [each.data for each in run(reading.reader.read("shard-0", 0, 9))] == [b"1"]
    assert reading.counted("GetShardIterator") == 1


def test_an_iterator_that_is_too_old_is_replaced() -> None:
    reading = Reading()
    reading.kinesis.add("shard-0", b"1")
    assert reading.drain() == [b"1"]
    reading.kinesis.add("shard-0", b"2")
    reading.kinesis.expired.update(reading.kinesis._tokens)

    assert reading.drain() == [b"2"]


def test_iterators_that_are_always_too_old_are_an_error_that_passes() -> None:
    reading = Reading()
    reading.kinesis.expired.update(f"iterator-{number}" for number in range(10))

    with pytest.raises(TransientError):
        run(reading.reader.read("shard-0", 0, 1))


def test_children_are_shown_after_their_parent_is_handled() -> None:
    reading = Reading()
    reading.kinesis.add("shard-0", b"1", b"2")
    reading.kinesis.split("shard-0", "shard-1", "shard-2")
    reading.kinesis.add("shard-1", b"3")
    reading.kinesis.add("shard-2", b"4")

    assert run(reading.reader.shards()) == ["shard-0"]
    assert reading.drain() == [b"1", b"2", b"3", b"4"]
    assert run(reading.reader.shards()) == ["shard-1", "shard-2"]


def test_a_parent_that_was_read_but_not_handled_keeps_its_children_back() -> None:
    reading = Reading()
    *_, last = reading.kinesis.add("shard-0", b"1", b"2")
    reading.kinesis.split("shard-0", "shard-1")

    assert run(reading.reader.read("shard-0", last, 9)) == ()

    assert run(reading.reader.shards()) == ["shard-0"]
    assert reading.checkpoints.positions == {}


def test_the_end_of_a_shard_is_remembered_over_a_restart() -> None:
    reading = Reading()
    reading.kinesis.split("shard-0", "shard-1")
    assert run(reading.reader.shards()) == ["shard-1"]

    reading.restarted()
    reading.kinesis.asked.clear()

    assert run(reading.reader.shards()) == ["shard-1"]
    assert reading.counted("GetRecords") == 0


def test_going_back_in_a_shard_that_has_ended_reads_it_again() -> None:
    reading = Reading()
    reading.kinesis.add("shard-0", b"1", b"2")
    reading.kinesis.split("shard-0", "shard-1")
    reading.drain()

    run(reading.reader.set_checkpoint("shard-0", 0))

    assert reading.drain() == [b"1", b"2"]


def test_a_merged_shard_waits_for_both_parents_and_for_none_that_is_forgotten() -> None:
    shards = {"a": FakeShard(closed=True), "b": FakeShard(closed=True)}
    reading = Reading(FakeKinesis(shards={"c": FakeShard(("b", "a")), **shards}))
    reading.kinesis.add("b", b"1")

    assert run(reading.reader.shards()) == ["b"]
    del reading.kinesis.shards["b"]
    reading.restarted()
    assert run(reading.reader.shards()) == ["c"]


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 9)), max_size=12), st.integers(1, 4))
def test_every_descent_is_handled_in_order(steps: list[tuple[bool, int]], limit: int) -> None:
    reading = Reading()
    kinesis = reading.kinesis
    for number, (split, choice) in enumerate(steps):
        open_now = [name for name, shard in kinesis.shards.items() if not shard.closed]
        name = open_now[choice % len(open_now)]
        if split:
            kinesis.split(name, f"{name}.{number}a", f"{name}.{number}b")
        else:
            kinesis.add(name, f"{name}/{number}".encode())

    handled = [data.decode().partition("/") for data in reading.drain(limit)]

    places = {name: place for place, (name, _, _) in enumerate(handled)}
    assert sorted(int(number) for *_, number in handled) == [
        number for number, (split, _) in enumerate(steps) if not split
    ]
    for place, (name, _, _) in enumerate(handled):
        assert all(place < last for other, last in places.items() if other.startswith(f"{name}."))


def test_a_list_in_pages_is_read_to_its_end() -> None:
    names = [f"shard-{number}" for number in range(5)]
    reading = Reading(FakeKinesis(shards={name: FakeShard() for name in names}))

    assert run(reading.reader.shards()) == names
    assert run(reading.reader.shards()) == names
    assert reading.counted("ListShards") == 3


def test_a_list_is_asked_for_again_after_a_time() -> None:
    reading = Reading()
    run(reading.reader.shards())
    reading.kinesis.shards["shard-9"] = FakeShard()
    assert run(reading.reader.shards()) == ["shard-0"]

    reading.clock.advance(60)

    assert run(reading.reader.shards()) == ["shard-0", "shard-9"]


def test_a_stream_that_was_made_again_begins_again() -> None:
    reading = Reading()
    reading.kinesis.add("shard-0", b"1")
    reading.drain()
    reading.kinesis.summary["StreamCreationTimestamp"] = 1.9e9

    reading.restarted()

    assert reading.drain() == [b"1"]


def test_a_shard_is_asked_five_times_a_second_at_most() -> None:
    reading = Reading(FakeKinesis(page_max=1))
    reading.kinesis.add("shard-0", *(b"%d" % number for number in range(10)))

    reading.drain()

    assert reading.waits == pytest.approx([0.2] * (reading.counted("GetRecords") - 1))


def test_two_shards_do_not_wait_for_one_another() -> None:
    shards = {"a": FakeShard(), "b": FakeShard()}
    reading = Reading(FakeKinesis(shards=shards))

    run(reading.reader.read("a", 0, 1))
    run(reading.reader.read("b", 0, 1))

    assert reading.waits == []


def test_too_many_readers_of_a_shard_are_told_so() -> None:
    class Crowded(Reading):
        async def sleep(self, _: float) -> None:
            await asyncio.sleep(0)

    reading = Crowded(limits=ReaderLimits(timeout_s=0.5))

    async def crowd() -> list[Any]:
        reads = (reading.reader.read("shard-0", 0, 1) for _ in range(9))
        return await asyncio.gather(*reads, return_exceptions=True)

    results = run(crowd())

    assert sum(isinstance(each, TransientError) for each in results) > 0
    assert results.count(()) > 0


def test_an_unknown_shard_is_not_found() -> None:
    reading = Reading()

    for ask in (reading.reader.read("x", 0, 1), reading.reader.checkpoint("x")):
        with pytest.raises(NotFoundError):
            run(ask)
    with pytest.raises(NotFoundError):
        run(reading.reader.set_checkpoint("x", 1))


def test_progress_tells_the_oldest_record_that_is_not_handled() -> None:
    reading = Reading()
    first, _ = reading.kinesis.add("shard-0", b"1", b"2", at=1_800_000_000.125)
    progress = CheckpointProgress(reading.reader)

    assert run(progress.oldest_waiting()) == 1_800_000_000_125_000
    reading.drain()
    assert run(progress.oldest_waiting()) is None
    key = next(iter(reading.checkpoints.positions))
    assert reading.checkpoints.positions[key].sequence > first
    assert reading.checkpoints.positions[key] == Position(first + 1)
