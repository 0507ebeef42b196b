"""The model stream keeps order within a shard, and leaves a failed put in doubt."""

import asyncio

import pytest

from adapters.stores.model.errors import ThrottledError, UnavailableError
from adapters.stores.model.hooks import LANDED, LOST, REFUSED, Fate, FateKind
from adapters.stores.model.stream import Entry, Stream
from tests.simulation.kernel.loop import run
from tests.unit.simulation.hooks import Scripted


def entries(*keys: str) -> list[Entry]:
    return [Entry(key, f"{key}{number}".encode()) for number, key in enumerate(keys)]


def test_a_key_stays_in_its_shard_and_in_order() -> None:
    async def program() -> None:
        stream = Stream("s", 4)
        await stream.put(entries(*"abcabcabc"))
        await stream.put(entries("a"))
        shard = stream.shard_of("a")
        mine = [each.data for each in await stream.read(shard) if each.partition_key == "a"]
        assert mine == [b"a0", b"a3", b"a6", b"a0"]
        sequences = [each.sequence for each in stream.records()]
        assert sequences == sorted(set(sequences))

    run(0, program)


def test_keys_spread_over_all_shards() -> None:
    stream = Stream("s", 4)

    counts = [0] * 4
    for number in range(1000):
        counts[stream.shard_of(f"customer-{number}")] += 1
    assert min(counts) > 200
    assert list(stream.shards) == [0, 1, 2, 3]


def test_reading_goes_on_behind_a_sequence_number() -> None:
    async def program() -> None:
        stream = Stream("s", 1)
        await stream.put(entries(*"abcde"))
        first = await stream.read(0, limit=2)
        rest = await stream.read(0, after=first[-1].sequence)
        assert [each.partition_key for each in (*first, *rest)] == list("abcde")
        assert await stream.read(0, after=rest[-1].sequence) == []
        assert await stream.read(0, after=first[-1].sequence + 1, limit=1) == rest[:1]

    run(0, program)


def test_records_say_when_they_arrived() -> None:
    async def program() -> None:
        stream = Stream("s", 1)
        await stream.put(entries("a"))
        await asyncio.sleep(3)
        await stream.put(entries("a"))
        assert [each.arrived_at for each in stream.records()] == [0, 3]

    run(0, program)


@pytest.mark.parametrize(
    ("fate", "at_once", "later"),
    [(LOST, 0, 0), (LANDED, 2, 2), (Fate(FateKind.LATE, 5.0), 0, 2)],
    ids=["lost", "landed", "late"],
)
def test_a_failed_put_is_ambiguous(fate: Fate, at_once: int, later: int) -> None:
    async def program() -> None:
        stream = Stream("s", 2, Scripted("put", fate))
        with pytest.raises(UnavailableError):
            await stream.put(entries("a", "b"))
        assert len(stream.records()) == at_once
        await asyncio.sleep(10)
        assert len(stream.records()) == later

    run(0, program)


@pytest.mark.parametrize(("abandoned", "later"), [(LOST, 0), (LANDED, 1)], ids=["lost", "landed"])
def test_a_put_whose_caller_went_away(abandoned: Fate, later: int) -> None:
    async def program() -> None:
        stream = Stream("s", 2, Scripted("put", before_s=1.0, abandoned=abandoned))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(stream.put(entries("a")), 0.5)
        await asyncio.sleep(10)
        assert len(stream.records()) == later

    run(0, program)


def test_a_throttled_entry_does_not_stop_the_others() -> None:
    async def program() -> None:
        stream = Stream("s", 1, accepts=lambda entry: entry.data != b"b1")
        results = await stream.put(entries("a", "b", "c"))
        assert [each and each.partition_key for each in results] == ["a", None, "c"]
        assert [each.data for each in stream.records()] == [b"a0", b"c2"]

    run(0, program)


def test_a_refused_put_appends_nothing() -> None:
    async def program() -> None:
        stream = Stream("s", 1, Scripted("put", REFUSED))
        with pytest.raises(ThrottledError):
            await stream.put(entries("a"))
        await asyncio.sleep(10)
        assert stream.records() == []

    run(0, program)


def test_a_read_can_fail_and_changes_nothing() -> None:
    async def program() -> None:
        stream = Stream("s", 1, Scripted("read", LOST))
        await stream.put(entries("a"))
        with pytest.raises(UnavailableError):
            await stream.read(0)
        assert len(stream.records()) == 1

    run(0, program)
