"""What only the stream in a file promises: Kinesis' hashing, trimming, shared commits."""

import asyncio
import hashlib
import threading
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.stores.embedded.opening import Layout
from adapters.stores.embedded.sqlite_file import SqliteFile
from adapters.streams import embedded
from adapters.streams.embedded import VERSION, EmbeddedStream, shard_of, stream_ddl
from domain.errors import TransientError
from domain.ports.stream import StreamRecord
from tests.contracts.opened import NEVER, HandClock

ONE_SHARD = Layout("stream", VERSION, stream_ddl(1))


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


def a_stream(folder: Path, clock: HandClock, layout: Layout = ONE_SHARD) -> EmbeddedStream:
    return EmbeddedStream(SqliteFile(folder / "stream.sqlite", layout, clock), clock)


@pytest.fixture
def stream(tmp_path: Path, clock: HandClock) -> Iterator[EmbeddedStream]:
    stream = a_stream(tmp_path, clock)
    yield stream
    stream.close()


def put(stream: EmbeddedStream, *texts: str) -> None:
    asyncio.run(stream.put([("c-1", text.encode()) for text in texts], NEVER))


def records(stream: EmbeddedStream) -> list[StreamRecord]:
    async def read() -> list[StreamRecord]:
        (shard,) = await stream.shards()
        return list(await stream.read(shard, 0, 99))

    return asyncio.run(read())


def texts(stream: EmbeddedStream) -> str:
    return "".join(record.data.decode() for record in records(stream))


def set_checkpoint(stream: EmbeddedStream, sequence: int) -> None:
    asyncio.run(stream.set_checkpoint("shardId-000000000000", sequence))


#: Where the shards of a new Kinesis stream begin, as DescribeStream shows them.
RANGES = {
    2: (0, 170141183460469231731687303715884105728),
    3: (0, 113427455640312821154458202477256070485, 226854911280625642308916404954512140970),
}


@pytest.mark.parametrize("shards", sorted(RANGES))
@given(key=st.text(min_size=1, max_size=20))
def test_a_key_belongs_to_the_shard_whose_hash_range_holds_it(shards: int, key: str) -> None:
    value = int(hashlib.md5(key.encode(), usedforsecurity=False).hexdigest(), 16)

    begun = [number for number, start in enumerate(RANGES[shards]) if start <= value]

    assert shard_of(key, shards) == begun[-1]


def test_the_number_of_shards_is_the_one_of_its_creation(tmp_path: Path, clock: HandClock) -> None:
    a_stream(tmp_path, clock, Layout("stream", VERSION, stream_ddl(3))).close()
    again = a_stream(tmp_path, clock, Layout("stream", VERSION, stream_ddl(5)))

    assert len(asyncio.run(again.shards())) == 3
    again.close()


def test_records_and_positions_survive_reopening(tmp_path: Path, clock: HandClock) -> None:
    first = a_stream(tmp_path, clock)
    put(first, "a", "b")
    set_checkpoint(first, 1)
    first.close()
    again = a_stream(tmp_path, clock)

    put(again, "c")

    assert texts(again) == "abc"
    assert [record.sequence for record in records(again)] == [1, 2, 3]
    assert asyncio.run(again.checkpoint("shardId-000000000000")) == 1
    again.close()


def test_old_records_are_forgotten_handled_or_not(stream: EmbeddedStream, clock: HandClock) -> None:
    put(stream, "a", "b")
    clock.advance(100)
    put(stream, "c")

    assert asyncio.run(stream.trim(retention_s=100)) == 0
    clock.advance(1)
    assert asyncio.run(stream.trim(retention_s=100)) == 2
    assert texts(stream) == "c"


def test_handled_records_may_go_sooner_but_never_past_the_checkpoint(
    stream: EmbeddedStream, clock: HandClock
) -> None:
    put(stream, "a", "b")
    clock.advance(10)
    put(stream, "c", "d")
    clock.advance(10)
    set_checkpoint(stream, 3)

    assert asyncio.run(stream.trim(retention_s=1_000, handled_s=15)) == 2
    assert texts(stream) == "cd"
    assert asyncio.run(stream.trim(retention_s=1_000, handled_s=5)) == 1
    assert texts(stream) == "d"
    assert asyncio.run(stream.trim(retention_s=1_000, handled_s=0)) == 0


def test_a_young_record_keeps_those_behind_it(stream: EmbeddedStream, clock: HandClock) -> None:
    """The clock may be set back; an order without gaps is worth more than a prompt end."""
    put(stream, "a")
    clock.instant = clock.instant.replace(year=2020)
    put(stream, "b")
    clock.instant = clock.instant.replace(year=2026)

    assert asyncio.run(stream.trim(retention_s=1_000_000)) == 0


def test_trimming_goes_in_bounded_steps(
    stream: EmbeddedStream, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "TRIM_MAX", 2)
    put(stream, "a", "b", "c")
    clock.advance(100)

    assert [asyncio.run(stream.trim(retention_s=1)) for _ in range(3)] == [2, 1, 0]


def test_a_sequence_number_is_never_given_twice(tmp_path: Path, clock: HandClock) -> None:
    first = a_stream(tmp_path, clock)
    put(first, "a", "b")
    clock.advance(100)
    asyncio.run(first.trim(retention_s=1))
    first.close()
    again = a_stream(tmp_path, clock)

    put(again, "c")

    assert [record.sequence for record in records(again)] == [3]
    again.close()


def test_calls_that_wait_share_a_commit_and_a_failing_one_fails_alone(
    tmp_path: Path, clock: HandClock
) -> None:
    commits: list[str] = []
    file = SqliteFile(tmp_path / "stream.sqlite", ONE_SHARD, clock, at=commits.append)
    stream = EmbeddedStream(file, clock)

    def fail(connection: apsw.Connection) -> None:
        connection.execute("INSERT INTO shards VALUES (0, 'taken', 0, 0)")

    async def together() -> list[object]:
        await stream.shards()
        calls = [
            stream.put([("c-1", b"a")], NEVER),
            file.commit(fail),
            stream.put([("c-1", b"b")], NEVER),
        ]
        return [*await asyncio.gather(*calls, return_exceptions=True)]

    first, failed, last = asyncio.run(together())

    assert (first, last) == (None, None)
    assert isinstance(failed, TransientError)
    assert sorted(texts(stream)) == ["a", "b"]
    stream.close()


def test_calls_that_wait_share_one_flush(tmp_path: Path, clock: HandClock) -> None:
    points: list[str] = []
    file = SqliteFile(tmp_path / "stream.sqlite", ONE_SHARD, clock, at=points.append)
    stream = EmbeddedStream(file, clock)
    begun, go_on = threading.Event(), threading.Event()

    def busy(_: apsw.Connection) -> None:
        begun.set()
        go_on.wait()

    async def many() -> None:
        await stream.shards()
        first = asyncio.create_task(file.run(busy))
        await asyncio.to_thread(begun.wait)
        puts = [asyncio.create_task(stream.put([("c-1", b"x")], NEVER)) for _ in range(50)]
        await asyncio.sleep(0)
        go_on.set()
        await asyncio.gather(first, *puts)

    asyncio.run(many())

    assert points == ["stream.begin", "stream.before_commit", "stream.after_commit"]
    assert len(records(stream)) == 50
    stream.close()
