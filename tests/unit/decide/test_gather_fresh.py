"""
Freshness: no read gives a version older than one acknowledged two seconds before it began.

Histories of one customer, drawn: updates go to truth, then through DynamoDB and the cache, and are
acknowledged when all three have them. Meanwhile readers come, entries expire and are evicted, and
stores take their time. An eviction takes what was idle for some seconds, as an LRU does; a cache
that loses what it was just given is away, and then its lifetime is the bound.
"""

import asyncio
import random
from dataclasses import dataclass, field
from typing import Final

import pytest

from adapters.stores.embedded.cache import MemoryCache
from decision_engine.gather import PROFILE_TTL_S, Gather, Tiers, profile_key
from domain.customer import CreditData
from domain.errors import CreditError, DeadlineExceededError
from domain.ports.time import Deadline
from domain.profile_bytes import profile_to_bytes
from domain.profile_row import profile_row
from tests.simulation.kernel.loop import run
from tests.unit.decide.virtual import VirtualWorld
from tests.unit.decide.world import good_profile
from tests.unit.record.ports import FixedChance

HISTORIES: Final = 150
UPDATES: Final = 8
READS: Final = 60
EVICTIONS: Final = 20
SPAN_S: Final = 40.0
BOUND_S: Final = 2.0
NAME: Final = "c-1"
PROFILES: Final = [good_profile(NAME, profile_version=version) for version in range(1, UPDATES + 2)]


class SlowMemoryCache(MemoryCache):
    """The shipped cache, with calls that travel, and what an LRU needs to know."""

    def __init__(self, world: VirtualWorld, lag_s: float) -> None:
        super().__init__(world.clock, FixedChance())
        self.world, self.lag_s = world, lag_s
        self.touched_at = 0.0

    async def get(self, key: str, deadline: Deadline) -> tuple[int, bytes] | None:
        await self._travel(deadline)
        found = await super().get(key, deadline)
        await self._travel(deadline)
        return found

    async def put_if_newer(
        self, key: str, version: int, value: bytes, ttl_s: float, deadline: Deadline
    ) -> None:
        await self._travel(deadline)
        self.touched_at = self.world.clock.monotonic()
        await super().put_if_newer(key, version, value, ttl_s, deadline)

    async def evict(self) -> None:
        if self.world.clock.monotonic() - self.touched_at > BOUND_S:
            await super().invalidate(profile_key(NAME), Deadline(float("inf")))

    async def _travel(self, deadline: Deadline) -> None:
        chance = self.world.pace.chance
        lag = chance.uniform(0.0, self.lag_s if chance.random() < 0.2 else 0.004)
        try:
            async with asyncio.timeout(max(0.0, deadline.at - self.world.clock.monotonic())):
                await asyncio.sleep(lag)
        except TimeoutError as error:
            raise DeadlineExceededError("late") from error


@dataclass
class History:
    """One customer's history, and what was seen of it."""

    seed: int
    acknowledged: list[tuple[float, int]] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)
    answered: int = 0
    tiers: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.world = VirtualWorld(self.chance)
        self.cache = SlowMemoryCache(self.world, lag_s=self.chance.choice([0.01, 0.5, 3.0]))
        self.lag_s = self.chance.choice([0.01, 0.14, 4.0])
        self.writing = asyncio.Lock()

    async def run(self) -> None:
        world = self.world
        world.gather = Gather(
            Tiers(self.cache, world.hot, world.hot, world.truth), world.clock, world.monitoring
        )
        await self._update(PROFILES[0])
        times = [
            *((self.chance.uniform(0, SPAN_S), self._read) for _ in range(READS)),
            *((self.chance.uniform(0, SPAN_S), self.cache.evict) for _ in range(EVICTIONS)),
        ]
        updates = sorted(self.chance.uniform(0, SPAN_S) for _ in range(UPDATES))
        steps = [self._at(at, step()) for at, step in times]
        steps += [
            self._at(at, self._update(profile))
            for at, profile in zip(updates, PROFILES[1:], strict=True)
        ]
        await asyncio.gather(*steps)
        await world.gather.close()

    async def _at(self, seconds: float, step: object) -> None:
        await asyncio.sleep(seconds)
        self.world.truth_s = self.chance.uniform(0.0, self.lag_s)
        self.world.hot.slow_s = self.chance.uniform(0.0, self.lag_s)
        await step  # type: ignore[misc]

    async def _update(self, profile: CreditData) -> None:
        world = self.world
        payload = profile_to_bytes(profile)
        async with self.writing:
            world.truth.put_profile(profile)
            await asyncio.sleep(self.chance.uniform(0.0, 1.0))
            row = profile_row(profile, payload)
            world.hot.rows[row.key] = row
            await self.cache.put_if_newer(
                profile_key(NAME),
                profile.profile_version,
                payload,
                PROFILE_TTL_S,
                Deadline(float("inf")),
            )
            self.acknowledged.append((world.clock.monotonic(), profile.profile_version))

    async def _read(self) -> None:
        began = self.world.clock.monotonic()
        known = [version for at, version in self.acknowledged if at <= began - BOUND_S]
        try:
            found = await self.world.gather(NAME, Deadline(began + self.chance.choice([1.0, 9.0])))
        except CreditError:
            return
        self.answered += 1
        self.tiers.add(found.tier)
        version = found.profile.profile_version if found.profile else 0
        if known and version < max(known):
            self.stale.append(f"{found.tier} gave {version} at {began}, not {max(known)}")


def played(seed: int) -> History:
    async def whole() -> History:
        history = History(seed)
        await history.run()
        return history

    return run(seed, whole)


@pytest.mark.parametrize("part", range(3))
def test_no_read_is_older_than_what_was_acknowledged_two_seconds_before(part: int) -> None:
    histories = [played(seed) for seed in range(part, HISTORIES, 3)]

    assert [each.stale for each in histories if each.stale] == []
    # And it is no safety by silence: nearly all are answered, from every tier.
    assert sum(each.answered for each in histories) > 0.8 * READS * len(histories)
    assert set.union(*(each.tiers for each in histories)) == {"redis", "dynamodb", "aurora"}
