"""What `domain.ports.stream` promises, on every stream."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, Protocol

import pytest

from domain.errors import DeadlineExceededError, InvalidInputError, NotFoundError
from domain.ports.stream import EventStream, StreamReader, StreamRecord
from domain.ports.time import Deadline
from tests.contracts.embedded import sqlite_stream
from tests.contracts.model import model_stream
from tests.contracts.opened import NEVER, START, Factory, Opened


class Stream(EventStream, StreamReader, Protocol):
    """Both sides of a stream."""


STREAMS: Final[dict[str, Factory[Stream]]] = {"model": model_stream, "sqlite": sqlite_stream}


@pytest.fixture(params=sorted(STREAMS))
def stream(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opened[Stream]]:
    with STREAMS[request.param](tmp_path) as opened:
        yield opened


def put(stream: Opened[Stream], *records: tuple[str, bytes]) -> None:
    stream.run(stream.port.put(records, NEVER))


def everything(stream: Opened[Stream]) -> list[StreamRecord]:
    async def read() -> list[StreamRecord]:
        shards = await stream.port.shards()
        return [each for shard in shards for each in await stream.port.read(shard, 0, 10_000)]

    return stream.run(read())


def test_shards_are_stable(stream: Opened[Stream]) -> None:
    first = stream.run(stream.port.shards())

    assert len(set(first)) == len(first) >= 1
    assert stream.run(stream.port.shards()) == first


def test_a_record_is_read_as_it_was_put(stream: Opened[Stream]) -> None:
    put(stream, ("c-1", bytes(range(256))), ("c-1", b""))

    first, second = everything(stream)

    assert (first.partition_key, first.data) == ("c-1", bytes(range(256)))
    assert (second.data, second.shard_id) == (b"", first.shard_id)
    assert first.arrived_us == int(START.timestamp()) * 1_000_000


def test_a_key_stays_in_its_shard_and_in_order(stream: Opened[Stream]) -> None:
    for turn in range(3):
        put(stream, *((f"c-{key}", b"%d" % (turn * 100 + n)) for n in range(9) for key in range(9)))

    by_key: dict[str, list[StreamRecord]] = {}
    for record in everything(stream):
        by_key.setdefault(record.partition_key, []).append(record)

    for records in by_key.values():
        assert len({record.shard_id for record in records}) == 1
        assert [int(record.data) for record in records] == [
            t * 100 + n for t in range(3) for n in range(9)
        ]


def test_keys_spread_over_every_shard(stream: Opened[Stream]) -> None:
    put(stream, *((f"c-{number:06d}", b"x") for number in range(200)))

    used = {record.shard_id for record in everything(stream)}

    assert used == set(stream.run(stream.port.shards()))


def test_sequence_numbers_grow_in_a_shard(stream: Opened[Stream]) -> None:
    for _ in range(3):
        put(stream, *((f"c-{number}", b"x") for number in range(300)))

    for shard in stream.run(stream.port.shards()):
        numbers = [record.sequence for record in everything(stream) if record.shard_id == shard]
        assert numbers == sorted(set(numbers))
        assert numbers[0] > 0


def test_reading_goes_on_after_a_sequence_number(stream: Opened[Stream]) -> None:
    put(stream, *(("c-1", b"%d" % number) for number in range(7)))
    (shard,) = {record.shard_id for record in everything(stream)}
    seen: list[bytes] = []
    after = 0

    while page := stream.run(stream.port.read(shard, after, 3)):
        assert len(page) <= 3
        seen += [record.data for record in page]
        after = page[-1].sequence

    assert seen == [b"%d" % number for number in range(7)]


def test_a_checkpoint_is_kept_for_each_shard(stream: Opened[Stream]) -> None:
    first, second, *_ = stream.run(stream.port.shards())

    stream.run(stream.port.set_checkpoint(second, 7))
    stream.run(stream.port.set_checkpoint(second, 5))

    assert stream.run(stream.port.checkpoint(first)) == 0
    assert stream.run(stream.port.checkpoint(second)) == 5


def test_an_unknown_shard_is_not_found(stream: Opened[Stream]) -> None:
    with pytest.raises(NotFoundError):
        stream.run(stream.port.read("no-such-shard", 0, 1))
    with pytest.raises(NotFoundError):
        stream.run(stream.port.checkpoint("no-such-shard"))


def test_a_record_of_one_mebibyte_is_taken(stream: Opened[Stream]) -> None:
    put(stream, ("c-1", bytes(1 << 20)))

    assert [len(record.data) for record in everything(stream)] == [1 << 20]


@pytest.mark.parametrize(
    "record",
    [("c-1", bytes((1 << 20) + 1)), ("", b"x"), ("k" * 257, b"x")],
    ids=["too large", "no key", "long key"],
)
def test_a_record_out_of_bounds_is_refused_with_its_call(
    stream: Opened[Stream], record: tuple[str, bytes]
) -> None:
    with pytest.raises(InvalidInputError):
        put(stream, ("c-1", b"fine"), record)

    assert everything(stream) == []


def test_nothing_is_put_after_the_deadline(stream: Opened[Stream]) -> None:
    deadline = Deadline(stream.clock.monotonic() + 1)
    stream.clock.advance(2)

    with pytest.raises(DeadlineExceededError):
        stream.run(stream.port.put([("c-1", b"late")], deadline))
    assert everything(stream) == []


def test_an_empty_call_is_fine(stream: Opened[Stream]) -> None:
    put(stream)

    assert everything(stream) == []


def test_calls_of_many_tasks_and_loops_all_arrive_in_their_order(stream: Opened[Stream]) -> None:
    async def producer(name: str) -> None:
        for turn in range(5):
            await stream.port.put([(name, b"%d" % (turn * 10 + n)) for n in range(10)], NEVER)

    async def producers(thread: int) -> None:
        await asyncio.gather(*(producer(f"{thread}.{number}") for number in range(4)))

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda thread: stream.run(producers(thread)), range(3)))

    by_key: dict[str, list[int]] = {}
    for record in everything(stream):
        by_key.setdefault(record.partition_key, []).append(int(record.data))
    assert by_key == {f"{t}.{n}": list(range(50)) for t in range(3) for n in range(4)}
