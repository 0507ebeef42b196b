"""Shared buckets behind a network that a test moves by hand: late, lost, or answering."""

import asyncio
from dataclasses import dataclass, field
from random import Random

from adapters.security.rate_limits import micros
from domain.errors import DeadlineExceededError
from domain.ports.limits import Drawn
from domain.ports.time import Deadline
from domain.rate_limit import Bucket, Limit
from tests.contracts.opened import HandClock


@dataclass(slots=True)
class Trip:
    """A draw under way; `drawn` once the bucket has heard of it."""

    key: str
    limit: Limit
    asked: int
    owed: int
    deadline: Deadline
    answer: "asyncio.Future[Drawn]"
    drawn: Drawn | None = None


@dataclass(slots=True)
class Wire:
    """Implements `SharedBuckets`; nothing arrives and nothing returns until a test says so."""

    clock: HandClock
    buckets: dict[str, Bucket] = field(default_factory=dict)
    trips: list[Trip] = field(default_factory=list)
    draws: int = 0

    async def draw(
        self, key: str, limit: Limit, asked: int, owed: int, deadline: Deadline
    ) -> Drawn:
        self.draws += 1
        answer: asyncio.Future[Drawn] = asyncio.get_running_loop().create_future()
        self.trips.append(Trip(key, limit, asked, owed, deadline, answer))
        return await answer

    def step(self, trip: Trip) -> None:
        """Let a draw arrive, or its answer return."""
        if trip.drawn is None:
            now = micros(self.clock.monotonic())
            bucket = self.buckets.setdefault(trip.key, Bucket.full(trip.limit, now))
            given = bucket.draw(trip.limit, now, trip.asked, trip.owed)
            trip.drawn = Drawn(given, bucket.level)
            return
        self.trips.remove(trip)
        if not trip.answer.done():
            trip.answer.set_result(trip.drawn)

    def some(self, chance: Random, within_s: float) -> None:
        """Let some go on, in any order; none is left that would be late after `within_s`."""
        soon = self.clock.monotonic() + within_s
        for trip in list(self.trips):
            if chance.random() < 0.5:
                self.step(trip)
        for trip in list(self.trips):
            while trip in self.trips and trip.deadline.at <= soon:
                self.step(trip)

    def expire(self) -> None:
        """End the draws whose time is up; those that arrived have had their effect."""
        for trip in list(self.trips):
            if trip.deadline.at <= self.clock.monotonic():
                self.trips.remove(trip)
                if not trip.answer.done():
                    trip.answer.set_exception(DeadlineExceededError("late"))


async def settle() -> None:
    """Let every task go on until it waits for the wire."""
    for _ in range(6):
        await asyncio.sleep(0)
