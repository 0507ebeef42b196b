"""What AWS promises of an event source mapping holds of ours (K1-K10 of its conformance list)."""

import asyncio
import base64
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.inbound.lambdas.kinesis import build_handler
from adapters.streams.event_source_mapping import (
    ARN,
    EventSourceMapping,
    FailedBatch,
    LambdaEvent,
    MappingSettings,
    finished_records,
    kinesis_event,
    sequence_text,
)
from domain.errors import TransientError
from domain.ports.stream import StreamRecord
from tests.simulation.kernel.loop import new_loop
from tests.unit.ingestion.builders import record
from tests.unit.ingestion.fakes import FakeClock, FakeMonitoring
from tests.unit.ingestion.world import World
from tests.unit.lambdas.test_kinesis import Context

T = TypeVar("T")


@dataclass
class FakeShards:
    """A stream's consuming side; `fault` is raised by every read while it is set."""

    records: dict[str, list[StreamRecord]] = field(default_factory=dict)
    checkpoints: dict[str, int] = field(default_factory=Counter)
    moves: list[tuple[str, int]] = field(default_factory=list)
    fault: Exception | None = None

    def fill(self, shard_id: str, number: int, size: int = 1) -> "FakeShards":
        self.records[shard_id] = [
            StreamRecord(shard_id, n, f"c-{n}", b"x" * size, n) for n in range(1, number + 1)
        ]
        return self

    async def shards(self) -> Sequence[str]:
        return sorted(self.records)

    async def read(self, shard_id: str, after: int, limit: int) -> Sequence[StreamRecord]:
        if self.fault is not None:
            raise self.fault
        return [each for each in self.records[shard_id] if each.sequence > after][:limit]

    async def checkpoint(self, shard_id: str) -> int:
        return self.checkpoints[shard_id]

    async def set_checkpoint(self, shard_id: str, sequence: int) -> None:
        assert sequence > self.checkpoints[shard_id]
        self.checkpoints[shard_id] = sequence
        self.moves.append((shard_id, sequence))


def failure(sequence: int) -> dict[str, Any]:
    return {"batchItemFailures": [{"itemIdentifier": sequence_text(sequence)}]}


@dataclass
class Mapped:
    """A mapping with its ports; `handle` answers the sequence numbers of each invocation."""

    shards: FakeShards = field(default_factory=FakeShards)
    handle: Callable[[list[int]], object] = lambda _: None
    settings: MappingSettings = field(default_factory=lambda: MappingSettings(batch_size=8))
    monitoring: FakeMonitoring = field(default_factory=FakeMonitoring)
    invocations: list[list[int]] = field(default_factory=list)
    failed: list[FailedBatch] = field(default_factory=list)
    sleeps: list[float] = field(default_factory=list)
    done: Counter[str] = field(default_factory=Counter)
    failure_fault: Exception | None = None

    @property
    def mapping(self) -> EventSourceMapping:
        return EventSourceMapping(
            self.shards,
            self._invoke,
            self._on_failure,
            self._sleep,
            self.monitoring,
            self.settings,
            self._progress,
        )

    def caught_up(self) -> int:
        return virtually(self.mapping.run_until_caught_up)

    async def _invoke(self, event: LambdaEvent) -> object:
        names = [int(each["kinesis"]["sequenceNumber"]) for each in event["Records"]]
        self.invocations.append(names)
        return self.handle(names)

    async def _on_failure(self, batch: FailedBatch) -> None:
        if self.failure_fault is not None:
            raise self.failure_fault
        self.failed.append(batch)

    async def _sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        await asyncio.sleep(seconds)

    def _progress(self, shard_id: str, records: int) -> None:
        self.done[shard_id] += records


def virtually(program: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a program in virtual time."""
    loop = new_loop(seed=1, order="fifo")
    result: T = loop.run_until_complete(program())
    loop.close()
    return result


def broken(_: list[int]) -> object:
    raise ZeroDivisionError


# --- the event


def test_k1_the_event_is_the_one_of_kinesis() -> None:
    event = kinesis_event([StreamRecord("shardId-000000000001", 42, "c-1", b"\x00x", 1_500_000)])

    sequence = "0" * 54 + "42"
    assert event == {
        "Records": [
            {
                "kinesis": {
                    "kinesisSchemaVersion": "1.0",
                    "partitionKey": "c-1",
                    "sequenceNumber": sequence,
                    "data": base64.b64encode(b"\x00x").decode(),
                    "approximateArrivalTimestamp": 1.5,
                },
                "eventSource": "aws:kinesis",
                "eventVersion": "1.0",
                "eventID": f"shardId-000000000001:{sequence}",
                "eventName": "aws:kinesis:record",
                "invokeIdentityArn": "arn:aws:iam::000000000000:role/ingestion",
                "awsRegion": "local",
                "eventSourceARN": ARN,
            }
        ]
    }


# --- answers

NAMES = ["1", "2", "3"]


@pytest.mark.parametrize(
    ("answer", "finished"),
    [
        (None, 3),
        ({}, 3),
        ({"batchItemFailures": []}, 3),
        ({"batchItemFailures": None}, 3),
        ({"batchItemFailures": [{"itemIdentifier": "2"}]}, 1),
        ({"batchItemFailures": [{"itemIdentifier": "3"}, {"itemIdentifier": "2"}]}, 1),
        ({"batchItemFailures": [{"itemIdentifier": "1"}]}, 0),
        ({"batchItemFailures": [{"itemIdentifier": "9"}]}, 0),
        ({"batchItemFailures": [{"itemIdentifier": "3"}, {"itemIdentifier": "9"}]}, 0),
        ({"batchItemFailures": [{"itemIdentifier": ""}]}, 0),
        ({"batchItemFailures": [{"itemIdentifier": None}]}, 0),
        ({"batchItemFailures": [{"itemIdentifier": ["2"]}]}, 0),
        ({"batchItemFailures": [{"item": "2"}]}, 0),
        ({"batchItemFailures": ["2"]}, 0),
        ({"batchItemFailures": "2"}, 0),
        ({"batchItemFailure": []}, 0),
        ("", 0),
        ([], 0),
        (True, 0),
    ],
)
def test_k4_what_an_answer_says(answer: object, finished: int) -> None:
    assert finished_records(answer, NAMES) == finished


# --- checkpoints


def test_k2_a_finished_batch_moves_the_checkpoint_to_its_end() -> None:
    world = Mapped(FakeShards().fill("a", 20))

    assert world.caught_up() == 20
    assert world.shards.moves == [("a", 8), ("a", 16), ("a", 20)]
    assert world.done == {"a": 20}
    assert world.sleeps == []


def test_k3_everything_from_the_lowest_failure_on_comes_again() -> None:
    answers: list[object] = [failure(3), None]
    world = Mapped(FakeShards().fill("a", 4), lambda _: answers.pop(0))

    assert world.caught_up() == 4
    assert world.invocations == [[1, 2, 3, 4], [3, 4]]
    assert world.shards.moves == [("a", 2), ("a", 4)]


@pytest.mark.parametrize("answer", ["", failure(99)])
def test_k4_a_worthless_answer_fails_the_whole_batch(answer: object) -> None:
    answers: list[object] = [answer]
    world = Mapped(FakeShards().fill("a", 2), lambda _: answers.pop() if answers else None)

    world.caught_up()

    assert world.invocations == [[1, 2], [1], [2]]


def test_k6_a_record_that_cannot_be_halved_is_tried_a_finite_number_of_times() -> None:
    world = Mapped(FakeShards().fill("a", 1), broken, MappingSettings(attempts_max=4))

    assert world.caught_up() == 1
    assert world.invocations == [[1]] * 4
    assert world.shards.checkpoints["a"] == 1
    assert [(each.attempts, len(each.records)) for each in world.failed] == [(4, 1)]
    assert world.monitoring.counts["mapping_given_up"] == 1
    assert world.monitoring.counts["mapping_handler_errors:ZeroDivisionError"] == 4


def test_k8_halving_isolates_the_bad_record_and_costs_no_attempt() -> None:
    def handle(names: list[int]) -> object:
        return broken(names) if 6 in names else None

    world = Mapped(FakeShards().fill("a", 8), handle, MappingSettings(attempts_max=2))

    assert world.caught_up() == 8
    assert world.invocations == [
        [1, 2, 3, 4, 5, 6, 7, 8], [1, 2, 3, 4], [5, 6, 7, 8], [5, 6], [5], [6], [6], [7, 8],
    ]  # fmt: skip
    assert [[each.sequence for each in batch.records] for batch in world.failed] == [[6]]
    assert world.shards.moves == [("a", 4), ("a", 5), ("a", 6), ("a", 8)]


def test_k8_a_reported_first_record_is_isolated_by_halving_too() -> None:
    def handle(names: list[int]) -> object:
        return failure(3) if 3 in names else None

    world = Mapped(FakeShards().fill("a", 8), handle, MappingSettings(attempts_max=2))

    world.caught_up()

    assert [[each.sequence for each in batch.records] for batch in world.failed] == [[3]]
    assert world.shards.checkpoints["a"] == 8


def test_k9_progress_begins_the_attempts_anew() -> None:
    def handle(names: list[int]) -> object:
        answer = failure(names[1]) if len(names) > 1 else None
        return answer or (failure(names[0]) if len(world.invocations) % 2 else None)

    world = Mapped(FakeShards().fill("a", 4), handle, MappingSettings(attempts_max=2, bisect=False))

    world.caught_up()

    assert world.failed == []
    assert world.shards.checkpoints["a"] == 4


def test_without_halving_the_whole_batch_is_given_up() -> None:
    settings_ = MappingSettings(attempts_max=2, bisect=False)
    world = Mapped(FakeShards().fill("a", 3), broken, settings_)

    world.caught_up()

    assert world.invocations == [[1, 2, 3]] * 2
    assert [len(batch.records) for batch in world.failed] == [3]


def test_k10_a_batch_fits_into_one_invocation() -> None:
    world = Mapped(FakeShards().fill("a", 5, size=1_600_000))

    world.caught_up()

    assert world.invocations == [[1, 2], [3, 4], [5]]


def test_a_record_that_alone_is_too_large_is_handed_over_all_the_same() -> None:
    world = Mapped(FakeShards().fill("a", 2, size=7_000_000))

    world.caught_up()

    assert world.invocations == [[1], [2]]


# --- several shards, waiting, stopping


def test_a_shard_that_fails_holds_up_no_other() -> None:
    shards = FakeShards().fill("a", 1).fill("b", 3)
    order: list[str] = []

    def handle(names: list[int]) -> object:
        order.append("a" if names == [1] else "b")
        return broken(names) if names == [1] and len(order) < 4 else None

    world = Mapped(shards, handle, MappingSettings(batch_size=3))

    assert world.caught_up() == 4
    assert order[:2] == ["a", "b"]


def test_waits_grow_while_nothing_moves_and_begin_anew_after_progress() -> None:
    answers: list[object] = ["", "", "", "", failure(2), None]
    world = Mapped(
        FakeShards().fill("a", 2),
        lambda _: answers.pop(0),
        MappingSettings(bisect=False, first_wait_s=1.0, longest_wait_s=5.0),
    )

    world.caught_up()

    assert world.sleeps == [2.0, 4.0, 5.0, 5.0, 1.0]


def test_running_it_waits_while_idle_and_takes_up_what_comes() -> None:
    world = Mapped(FakeShards().fill("a", 1))

    async def script() -> None:
        stop = asyncio.Event()
        running = asyncio.ensure_future(world.mapping.run(stop))
        await asyncio.sleep(0.5)
        world.shards.fill("a", 2)
        world.shards.fill("b", 1)
        await asyncio.sleep(0.5)
        stop.set()
        await running

    virtually(script)

    assert world.invocations == [[1], [2], [1]]
    assert set(world.sleeps) == {0.2}


def test_told_to_stop_it_leaves_the_rest_for_the_next_start() -> None:
    world = Mapped(FakeShards().fill("a", 4), broken, MappingSettings(attempts_max=99))

    async def script() -> int:
        stop = asyncio.Event()
        caught = asyncio.ensure_future(world.mapping.run_until_caught_up(stop))
        await asyncio.sleep(1)
        stop.set()
        return await caught

    assert virtually(script) == 0
    assert world.shards.moves == []


def test_a_stream_that_is_away_is_asked_again_later() -> None:
    world = Mapped(FakeShards(fault=TransientError("away")).fill("a", 1))

    with pytest.raises(TransientError):
        world.caught_up()

    async def script() -> None:
        stop = asyncio.Event()
        running = asyncio.ensure_future(world.mapping.run(stop))
        await asyncio.sleep(0.3)
        world.shards.fault = None
        await asyncio.sleep(0.3)
        stop.set()
        await running

    virtually(script)
    assert world.shards.checkpoints["a"] == 1
    assert world.monitoring.counts["mapping_failures:unavailable"] == 2


def test_what_the_destination_could_not_keep_is_not_passed_over() -> None:
    world = Mapped(FakeShards().fill("a", 1), broken, MappingSettings(attempts_max=1))
    world.failure_fault = TransientError("full")

    with pytest.raises(TransientError):
        world.caught_up()

    assert world.shards.checkpoints["a"] == 0


def test_a_sleep_that_fails_ends_the_run() -> None:
    async def no_sleep(_: float) -> None:
        raise ZeroDivisionError

    world = Mapped(FakeShards())
    mapping = EventSourceMapping(
        world.shards, world._invoke, world._on_failure, no_sleep, world.monitoring
    )

    with pytest.raises(ZeroDivisionError):
        virtually(lambda: mapping.run(asyncio.Event()))


@given(
    st.integers(1, 12),
    st.sets(st.integers(1, 12)),
    st.lists(st.sampled_from(["", None, 1, 2, 5, 11]), max_size=30),
    st.sampled_from(
        [
            MappingSettings(batch_size=5, attempts_max=3, bisect=True),
            MappingSettings(batch_size=5, attempts_max=3, bisect=False),
        ]
    ),
)
def test_no_record_is_lost_and_order_within_a_shard_holds(
    number: int, poison: set[int], answers: list[Any], chosen: MappingSettings
) -> None:
    """Whatever the handler answers, each record is finished or given up, in order, once moved."""
    finished: list[int] = []
    left = list(answers)

    def handle(names: list[int]) -> object:
        answer = left.pop() if left else None
        if answer == "" or (chosen.bisect and poison & set(names)):
            return broken(names)
        good = [name for name in names if answer is None or name < answer]
        finished.extend(good)
        return failure(names[len(good)]) if len(good) < len(names) else None

    world = Mapped(FakeShards().fill("a", number), handle, chosen)

    assert world.caught_up() == number
    given_up = [each.sequence for batch in world.failed for each in batch.records]
    assert set(finished) | set(given_up) == set(range(1, number + 1))
    assert [sequence for _, sequence in world.shards.moves] == sorted(
        {sequence for _, sequence in world.shards.moves}
    )
    assert finished == sorted(finished)


def test_the_real_handler_runs_behind_it() -> None:
    ingestion = World()
    shards = FakeShards()
    shards.records["a"] = [record(1), record(2, b"poison"), record(3), record(4)]
    clock = FakeClock(seconds=1.0)

    with asyncio.Runner() as runner:
        handle = build_handler(ingestion.process, runner.run, clock, FakeMonitoring())

        async def invoke(event: LambdaEvent) -> object:
            return await asyncio.to_thread(handle, event, Context())

        world = Mapped(shards)
        mapping = EventSourceMapping(
            shards, invoke, world._on_failure, asyncio.sleep, world.monitoring
        )
        assert asyncio.run(mapping.run_until_caught_up()) == 4

    assert ingestion.profile().profile_version == 4
    assert ingestion.profile().incomplete
    assert ingestion.agrees()
