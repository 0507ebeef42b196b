"""What the outbox holds gets published in order, at least once, without asking all the time."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar

import pytest

from consistency.outbox.relay import OutboxRelay
from consistency.outbox.statements import DeleteOutbox, OutboxEvent, ReadOutbox
from domain.errors import AmbiguousError, TransientError
from domain.instants import epoch_micros
from domain.ports.time import Deadline
from domain.ports.truth import Begin, Commit, Program, Rows, Statement
from tests.simulation.kernel.loop import new_loop
from tests.unit.ingestion.fakes import NOW, FakeClock, FakeMonitoring, FakeStream

T = TypeVar("T")


@dataclass
class FakeOutbox:
    """A truth that holds nothing but an outbox; `fault` is raised by the next call that writes."""

    events: list[OutboxEvent] = field(default_factory=list)
    fault: Exception | None = None
    reads: int = 0
    trips: list[tuple[Statement, ...]] = field(default_factory=list)

    def add(self, number: int, key: str = "c-1") -> None:
        created_us = epoch_micros(NOW - timedelta(seconds=2))
        self.events.append(OutboxEvent(number, f"e-{number}", key, b"%d" % number, created_us))

    async def read(self, statements: Sequence[Statement], deadline: Deadline) -> list[Rows]:
        assert deadline.at > 0
        self.reads += 1
        assert self.reads < 100, "it asks all the time"
        (asked,) = statements
        assert isinstance(asked, ReadOutbox)
        return [sorted(self.events, key=lambda each: each.id)[: asked.limit]]

    async def transact(self, program: Callable[[], Program[T]], deadline: Deadline) -> T:
        assert deadline.at > 0
        running = program()
        trip = next(running)
        if self.fault is not None:
            error, self.fault = self.fault, None
            raise error
        self.trips.append(trip)
        begin, delete, commit = trip
        assert (begin, commit) == (Begin(), Commit())
        assert isinstance(delete, DeleteOutbox)
        self.events = [each for each in self.events if each.id not in delete.ids]
        try:
            running.send([[], [], []])
        except StopIteration as end:
            result: T = end.value
            return result
        raise AssertionError("one trip was expected")


@dataclass
class World:
    """A relay with its ports; `sleeps` are the waits it asked for."""

    truth: FakeOutbox = field(default_factory=FakeOutbox)
    stream: FakeStream = field(default_factory=FakeStream)
    monitoring: FakeMonitoring = field(default_factory=FakeMonitoring)
    clock: FakeClock = field(default_factory=lambda: FakeClock(seconds=100.0))
    sleeps: list[float] = field(default_factory=list)
    events_max: int = 3

    @property
    def relay(self) -> OutboxRelay:
        return OutboxRelay(
            self.truth, self.stream, self.clock, self.monitoring, self._sleep, self.events_max
        )

    async def _sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        await asyncio.sleep(seconds)

    def published(self) -> list[bytes]:
        return [data for put in self.stream.puts for _, data in put]


def test_the_oldest_events_are_published_in_order_and_then_forgotten() -> None:
    world = World()
    for number, key in ((2, "c-2"), (1, "c-1"), (4, "c-1"), (3, "c-1")):
        world.truth.add(number, key)

    assert asyncio.run(world.relay.run_once()) == 3
    assert world.stream.puts == [[("c-1", b"1"), ("c-2", b"2"), ("c-1", b"3")]]
    assert [each.id for each in world.truth.events] == [4]
    assert asyncio.run(world.relay.run_once()) == 1
    assert asyncio.run(world.relay.run_once()) == 0
    assert len(world.stream.puts) == 2
    assert world.monitoring.counts["outbox_published"] == 4
    assert world.monitoring.observed[0] == ("outbox_age_seconds", 2.0)


@pytest.mark.parametrize("error", [TransientError("away"), AmbiguousError("unknown")])
def test_what_the_stream_did_not_acknowledge_stays(error: Exception) -> None:
    world = World()
    world.truth.add(1)
    world.stream.fault = error

    with pytest.raises(type(error)):
        asyncio.run(world.relay.run_once())
    assert len(world.truth.events) == 1

    world.stream.fault = None
    assert asyncio.run(world.relay.run_once()) == 1
    assert world.published() == [b"1"]


def test_a_crash_before_the_deletion_publishes_again() -> None:
    world = World()
    world.truth.add(1)
    world.truth.fault = TransientError("away")

    with pytest.raises(TransientError):
        asyncio.run(world.relay.run_once())
    asyncio.run(world.relay.run_once())

    assert world.published() == [b"1", b"1"]
    assert world.truth.events == []


def run(world: World, script: Callable[[asyncio.Event, asyncio.Event], object]) -> float:
    """Run the relay beside a script of (stop, wake) in virtual time; return the seconds it took."""
    loop = new_loop(seed=1, order="fifo")

    async def main() -> float:
        stop, wake = asyncio.Event(), asyncio.Event()
        relay = asyncio.ensure_future(world.relay.run(stop, wake))
        await script(stop, wake)  # type: ignore[misc]
        await relay
        return loop.time()

    seconds: float = loop.run_until_complete(main())
    loop.close()
    return seconds


def test_without_work_it_waits_instead_of_asking() -> None:
    world = World()

    async def script(stop: asyncio.Event, _: asyncio.Event) -> None:
        await asyncio.sleep(12)
        stop.set()

    seconds = run(world, script)

    assert Counter(world.sleeps) == {5.0: 3}
    assert world.truth.reads == 3
    assert seconds == 12


def test_a_commit_wakes_it_at_once() -> None:
    world = World()

    async def script(stop: asyncio.Event, wake: asyncio.Event) -> None:
        await asyncio.sleep(1)
        world.truth.add(1)
        wake.set()
        await asyncio.sleep(0.001)
        assert world.published() == [b"1"]
        stop.set()

    run(world, script)


def test_a_wake_that_comes_while_it_reads_is_not_missed() -> None:
    world = World()
    wakes: list[asyncio.Event] = []

    class Late(FakeOutbox):
        async def read(self, statements: Sequence[Statement], deadline: Deadline) -> list[Rows]:
            rows = await super().read(statements, deadline)
            if self.reads == 1:
                self.add(1)
                wakes[0].set()
            return rows

    world.truth = Late()

    async def script(stop: asyncio.Event, wake: asyncio.Event) -> None:
        wakes.append(wake)
        await asyncio.sleep(0.001)
        assert world.published() == [b"1"]
        stop.set()

    run(world, script)


def test_a_full_round_is_followed_by_the_next_one_without_a_wait() -> None:
    world = World()
    for number in range(7):
        world.truth.add(number)

    async def script(stop: asyncio.Event, _: asyncio.Event) -> None:
        await asyncio.sleep(0.001)
        assert [len(put) for put in world.stream.puts] == [3, 3, 1]
        stop.set()

    run(world, script)
    assert world.sleeps == [5.0]


def test_after_a_failure_it_waits_shortly_and_tries_again() -> None:
    world = World()
    world.truth.add(1)
    world.stream.fault = TransientError("away")

    async def script(stop: asyncio.Event, wake: asyncio.Event) -> None:
        await asyncio.sleep(1.2)
        # While the stream is away, busy writers must not turn each commit into an attempt.
        wake.set()
        world.stream.fault = None
        await asyncio.sleep(0.1)
        assert world.published() == []
        await asyncio.sleep(1)
        assert world.published() == [b"1"]
        stop.set()

    run(world, script)
    assert world.sleeps == [0.5, 0.5, 0.5, 5.0]
    assert world.monitoring.counts["outbox_failures:unavailable"] == 3


def test_a_sleep_that_fails_ends_the_relay() -> None:
    world = World()

    async def broken(_: float) -> None:
        raise ZeroDivisionError

    relay = OutboxRelay(world.truth, world.stream, world.clock, world.monitoring, broken)

    with pytest.raises(ZeroDivisionError):
        asyncio.run(relay.run(asyncio.Event(), asyncio.Event()))


def test_it_does_not_begin_when_it_is_told_to_stop() -> None:
    world = World()

    async def script(stop: asyncio.Event, _: asyncio.Event) -> None:
        stop.set()

    run(world, script)
    assert world.truth.reads == 0
