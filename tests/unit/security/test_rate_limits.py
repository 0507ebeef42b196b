"""Rate limits: never more than 1.05 times the limit, and never less than the limit."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from random import Random

import pytest

from adapters.security.rate_limits import (
    FRESH_S,
    PAUSE_S,
    WAIT_S,
    LocalLimits,
    RateClass,
    SharedLimits,
    micros,
)
from domain.rate_limit import TOKEN, Bucket, Limit
from tests.contracts.opened import Counted, HandClock
from tests.unit.security.wire import Wire, settle

KIND = RateClass.DECISIONS
#: Over a span of a second or more.
MOST = 1.05


@dataclass(slots=True)
class Play:
    """Processes that share a wire, what they admitted and when, and what they refused."""

    limit: Limit
    processes: int = 2
    clock: HandClock = field(default_factory=HandClock)
    monitoring: Counted = field(default_factory=Counted)
    admitted: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    asking: set["asyncio.Task[None]"] = field(default_factory=set)
    wire: Wire = field(init=False)
    each: Sequence[SharedLimits] = field(init=False)

    def __post_init__(self) -> None:
        self.wire = Wire(self.clock)
        limits = {KIND: self.limit}
        self.each = [
            SharedLimits(limits, self.wire, self.clock, self.monitoring, self.processes)
            for _ in range(self.processes)
        ]

    def request(self, process: int, caller: str = "a") -> None:
        task = asyncio.ensure_future(self._request(process, caller))
        self.asking.add(task)
        task.add_done_callback(self.asking.discard)

    async def _request(self, process: int, caller: str) -> None:
        wait = await self.each[process].admit(caller, KIND)
        (self.refused if wait else self.admitted).append(self.clock.monotonic())

    async def quick(self, process: int = 0, caller: str = "a") -> float:
        """Ask, and let the wire answer at once."""
        task = asyncio.ensure_future(self.each[process].admit(caller, KIND))
        await settle()
        while self.wire.trips:
            self.wire.step(self.wire.trips[0])
            await settle()
        return await task

    async def pass_time(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.wire.expire()
        await settle()

    async def go_on(self, chance: Random, seconds: float) -> None:
        """Let some draws go on, those first that would be late; then let time pass."""
        self.wire.some(chance, seconds)
        await settle()
        while self.wire.trips and seconds > WAIT_S / 2:
            self.wire.step(self.wire.trips[0])
            await settle()
        await self.pass_time(seconds)

    async def end(self) -> None:
        await self.pass_time(2 * WAIT_S)
        await self.pass_time(2 * WAIT_S)
        for each in self.each:
            await each.close()
        await settle()
        assert not self.asking


def most_over(instants: Sequence[float], limit: Limit, span_s: float = 1.0) -> float:
    """Return the greatest share of the limit that any span of `span_s` or more seconds saw."""
    worst, first = 0.0, 0
    for last, at in enumerate(instants):
        while at - instants[first] > span_s:
            first += 1
        worst = max(worst, (last - first + 1) / (limit.burst + limit.rate * span_s))
    total = len(instants) / (limit.burst + limit.rate * max(span_s, instants[-1] - instants[0]))
    return max(worst, total)


def played(play: Callable[[Random], Coroutine[None, None, None]], seed: int) -> None:
    asyncio.run(play(Random(seed)))


LIMITS = [Limit(200, 400), Limit(1000, 2000), Limit(20, 40), Limit(3, 5), Limit(50, 800)]


@pytest.mark.parametrize("limit", LIMITS, ids=str)
@pytest.mark.parametrize("seed", range(4))
def test_processes_together_admit_at_most_1_05_of_the_limit(limit: Limit, seed: int) -> None:
    async def play(chance: Random) -> None:
        held = Play(limit)
        for turn in range(400):
            # Quiet spans in between, in which everything that is kept grows stale or full.
            quiet = 3 * FRESH_S if turn % 100 == 0 else 0.0
            for _ in range(chance.randrange(max(3, limit.burst // 10))):
                held.request(chance.randrange(2))
            await settle()
            await held.go_on(chance, chance.choice((0.0, 0.0001, 0.003, 0.02)) + quiet)
        await held.end()

        assert held.refused
        assert most_over(held.admitted, limit) <= MOST
        assert most_over(held.admitted, limit, 3.0) <= MOST

    played(play, seed)


@pytest.mark.parametrize("limit", LIMITS[:3], ids=str)
@pytest.mark.parametrize("seed", range(4))
def test_a_caller_within_the_limit_is_never_refused(limit: Limit, seed: int) -> None:
    async def play(chance: Random) -> None:
        held = Play(limit)
        ideal = Bucket.full(limit, 0)
        for turn in range(400):
            quiet = 3 * FRESH_S if turn % 100 == 0 else 0.0
            # As many as the limit allows: bursts at once, and each token as soon as it is there.
            many = chance.choice((1, 2, limit.burst // 8, limit.burst))
            for _ in range(ideal.draw(limit, micros(held.clock.monotonic()), many)):
                held.request(chance.randrange(2))
            await settle()
            await held.go_on(chance, chance.choice((0.0, 0.0001, 0.003)) + quiet)
        await held.go_on(chance, WAIT_S)
        await held.end()

        assert held.refused == []
        assert held.monitoring.counts["rate_limit_alone_total"] == 0
        assert len(held.admitted) > limit.burst

    played(play, seed)


def test_most_requests_of_a_caller_within_the_limit_wait_for_nobody() -> None:
    async def play(_chance: Random) -> None:
        held = Play(Limit(10_000, 20_000))
        await held.quick()
        draws = held.wire.draws
        waited = 0
        for _ in range(5_000):
            await held.pass_time(0.0005)
            # An answer that is there before the wire was touched.
            request = asyncio.ensure_future(held.each[0].admit("a", KIND))
            await settle()
            waited += not request.done()
            while held.wire.trips:
                held.wire.step(held.wire.trips[0])
                await settle()
            assert await request == 0.0

        assert waited == 0
        assert held.wire.draws - draws <= 5_000 / 50
        await held.end()

    played(play, 0)


def test_who_was_refused_is_refused_from_memory_until_a_token_is_due() -> None:
    async def play(_chance: Random) -> None:
        held = Play(Limit(2, 4))
        assert [await held.quick() for _ in range(4)] == [0.0] * 4
        draws = held.wire.draws

        waits = [await held.quick() for _ in range(50)]
        assert all(0.4 < wait <= 0.5 for wait in waits)
        assert held.wire.draws == draws
        assert held.monitoring.counts["rate_limit_refused_total"] == 50

        await held.pass_time(0.5)
        assert await held.quick() == 0.0
        assert await held.quick() > 0.0
        await held.end()

    played(play, 0)


def test_callers_and_classes_have_limits_of_their_own() -> None:
    async def play(_: Random) -> None:
        clock, monitoring = HandClock(), Counted()
        limits = {KIND: Limit(1, 1), RateClass.READS: Limit(1, 1)}
        wire = Wire(clock)
        for each in (
            LocalLimits(limits, clock, monitoring),
            SharedLimits(limits, wire, clock, monitoring),
        ):
            found = []
            for caller, kind in (("a", KIND), ("b", KIND), ("a", RateClass.READS), ("a", KIND)):
                task = asyncio.ensure_future(each.admit(caller, kind))
                await settle()
                for trip in list(wire.trips):
                    wire.step(trip)
                    wire.step(trip)
                found.append(await task)

            assert found[:3] == [0.0] * 3
            assert 0.9 < found[3] <= 1.0

    played(play, 0)


@pytest.mark.parametrize("limit", LIMITS, ids=str)
def test_without_the_shared_bucket_a_process_admits_its_part_and_nobody_waits(
    limit: Limit,
) -> None:
    async def play(chance: Random) -> None:
        held = Play(limit)
        for process in range(2):
            held.request(process)
            await settle()
        await held.pass_time(WAIT_S)
        assert len(held.admitted) == 2

        for _ in range(600):
            for _ in range(limit.burst // 20 + 1):
                held.request(chance.randrange(2))
            await settle()
            assert not held.asking
            await held.pass_time(0.01)
        await held.end()

        alone = held.monitoring.counts["rate_limit_alone_total"]
        assert alone == len(held.admitted) + len(held.refused)
        assert held.wire.draws <= 2 + 2 * 6.0 / PAUSE_S + 2
        assert most_over(held.admitted, limit) <= MOST
        # Nor is it less than what is due.
        assert len(held.admitted) >= 0.9 * (limit.rate // 2 * 2) * 6.0

    played(play, 1)


def test_a_shared_bucket_that_is_back_is_used_again() -> None:
    async def play(_: Random) -> None:
        held = Play(Limit(10, 20))
        held.request(0)
        await settle()
        await held.pass_time(WAIT_S)
        await held.pass_time(PAUSE_S)
        await held.quick()
        alone = held.monitoring.counts["rate_limit_alone_total"]
        assert await held.quick() == 0.0

        assert held.monitoring.counts["rate_limit_alone_total"] == alone == 2
        (bucket,) = held.wire.buckets.values()
        assert bucket.level < 20 * TOKEN
        await held.end()

    played(play, 0)


def test_a_drained_bucket_is_not_refilled_by_losing_the_shared_one() -> None:
    async def play(_chance: Random) -> None:
        held = Play(Limit(1, 40))
        while await held.quick() == 0.0:
            pass
        await held.pass_time(1.1)
        held.request(0)
        await settle()
        await held.pass_time(WAIT_S)
        held.admitted.clear()
        for _ in range(100):
            held.request(0)
        await settle()

        assert len(held.admitted) <= 1
        await held.end()

    played(play, 0)


def test_who_leaves_while_asking_takes_nobody_along() -> None:
    async def play(_chance: Random) -> None:
        held = Play(Limit(10, 20))
        tasks = [asyncio.ensure_future(held.each[0].admit("a", KIND)) for _ in range(3)]
        await settle()
        tasks[0].cancel()
        await settle()
        while held.wire.trips:
            held.wire.step(held.wire.trips[0])
            await settle()

        assert await asyncio.gather(*tasks[1:]) == [0.0, 0.0]
        await held.end()

    played(play, 0)


def test_closing_answers_whoever_asks() -> None:
    async def play(_: Random) -> None:
        held = Play(Limit(10, 20))
        held.request(0)
        await settle()
        await held.each[0].close()
        await settle()

        assert len(held.admitted) == 1
        await held.end()

    played(play, 0)


def test_the_counted_names_tell_classes_not_callers() -> None:
    seen: list[object] = []

    async def play(_: Random) -> None:
        held = Play(Limit(1, 1))
        await held.quick(caller="caller-of-honey")
        await held.quick(caller="caller-of-honey")
        seen.append(held.monitoring.counts)
        await held.end()

    played(play, 0)
    assert "honey" not in str(seen)


def test_while_no_answer_comes_a_process_admits_its_credit_and_no_more() -> None:
    async def play(_chance: Random) -> None:
        limit = Limit(1_000, 2_000)
        held = Play(limit)
        for process in range(2):
            await held.quick(process)
        for number in range(200):
            held.request(number % 2)
            await settle()

        assert limit.credit(2) == 12
        assert len(held.admitted) == 2 * 12
        held.admitted.clear()
        await held.go_on(Random(1), WAIT_S)
        assert len(held.admitted) == 200 - 2 * 12
        await held.end()

    played(play, 0)


def test_what_was_admitted_alone_is_owed_when_the_shared_bucket_is_back() -> None:
    async def play(_chance: Random) -> None:
        held = Play(Limit(1, 40))
        await held.quick()
        await held.pass_time(FRESH_S)
        for _ in range(19):
            held.request(0)
            await settle()
        await held.pass_time(WAIT_S)
        assert len(held.admitted) == 19

        await held.pass_time(PAUSE_S)
        await held.quick()
        while await held.quick() == 0.0:
            held.admitted.append(held.clock.monotonic())
        assert len(held.admitted) + 2 <= MOST * (40 + held.clock.monotonic())
        await held.end()

    played(play, 0)
