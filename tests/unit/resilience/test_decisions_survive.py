"""
Decisions while the tiers above truth fail, say nothing, or do so now and then: none fails.

Everything is as in production but the stores: guards around faulty ones, virtual time. Each
decision must equal the one with all stores up, the very first of a failure included, and come in
time; afterwards the stores are used again within one pause of their breakers.
"""

import asyncio
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import pytest

from adapters.resilience.guard import Guards
from adapters.resilience.guarded import GuardedCache, GuardedReader, GuardedWriter
from decision_engine.gather import Gather, Tiers, profile_key
from domain.customer import CreditData
from domain.errors import DeadlineExceededError, TransientError
from domain.ports.breakers import BreakerState
from domain.ports.storage import Applied, ProjectionRow
from domain.ports.time import Deadline
from domain.profile_bytes import profile_to_bytes
from domain.profile_row import profile_row
from tests.simulation.kernel.loop import run
from tests.unit.decide.virtual import LoopClock, VirtualWorld
from tests.unit.decide.world import (
    Engine,
    MemoryCache,
    MemoryHot,
    application,
    good_profile,
    grey_profile,
)

HANG_S: Final = 10.0
FLAPS: Final = 0.3
PAUSE_S: Final = 60.0
COUNT: Final = 18


@dataclass
class Trouble:
    """What a store suffers from; `whole` means that it is well."""

    chance: random.Random
    kind: str = "whole"

    async def strike(self, until: float | None) -> None:
        """Do what the trouble does to a call; who keeps deadlines gives up by `until`."""
        await asyncio.sleep(self.chance.uniform(0.0002, 0.002))
        if self.kind == "failing" or (self.kind == "flapping" and self.chance.random() < FLAPS):
            raise TransientError("away")
        if self.kind == "hanging":
            if until is None or until > HANG_S:
                await asyncio.sleep(HANG_S)
                return
            await asyncio.sleep(until)
            raise DeadlineExceededError("no answer in time")


@dataclass
class FaultyCache(MemoryCache):
    clock: LoopClock = field(default_factory=LoopClock)
    trouble: Trouble = field(default_factory=lambda: Trouble(random.Random(0)))

    async def get(self, key: str, deadline: Deadline) -> tuple[int, bytes] | None:
        await self.trouble.strike(deadline.remaining(self.clock))
        return await super().get(key, deadline)

    async def put_if_newer(self, *call: Any) -> None:
        await self.trouble.strike(call[-1].remaining(self.clock))
        await super().put_if_newer(*call)


@dataclass
class FaultyHot(MemoryHot):
    """Hangs whatever the deadline says."""

    trouble: Trouble = field(default_factory=lambda: Trouble(random.Random(0)))

    async def read_item(
        self, customer_id: str, data_type: str, deadline: Deadline
    ) -> ProjectionRow | None:
        await self.trouble.strike(None)
        return await super().read_item(customer_id, data_type, deadline)

    async def put_if_newer(
        self, rows: Sequence[ProjectionRow], deadline: Deadline
    ) -> Sequence[Applied]:
        await self.trouble.strike(None)
        return await super().put_if_newer(rows, deadline)


class Site:
    """A decision engine over guarded stores that all hold everybody's profile."""

    def __init__(self, seed: int) -> None:
        chance = random.Random(seed)
        self.world = world = VirtualWorld(chance)
        clock = LoopClock(world.clock.instant)
        self.troubles = {name: Trouble(chance) for name in ("redis", "dynamodb")}
        self.cache = FaultyCache(clock=clock, trouble=self.troubles["redis"])
        self.hot = FaultyHot(trouble=self.troubles["dynamodb"])
        self.guards = {
            name: Guards.made(name, clock, world.monitoring) for name in ("redis", "dynamodb")
        }
        redis, dynamodb = self.guards["redis"], self.guards["dynamodb"]
        world.gather = Gather(
            Tiers(
                GuardedCache(self.cache, redis.critical, redis.background),
                GuardedReader(self.hot, dynamodb.critical, clock),
                GuardedWriter(self.hot, dynamodb.background, clock),
                world.truth,
            ),
            clock,
            world.monitoring,
        )
        for number in range(3 * COUNT):
            self.keep(profile_of(number))

    def keep(self, profile: CreditData) -> None:
        payload = profile_to_bytes(profile)
        self.world.truth.put_profile(profile)
        row = profile_row(profile, payload)
        self.hot.rows[row.key] = row
        name, version = profile.customer_id, profile.profile_version
        # Half of them are in the cache: the others are read from below in every trouble.
        if hash_of(name) % 2:
            self.cache.entries[profile_key(name)] = (version, payload)

    async def decide(self, engine: Engine, numbers: range, seconds: float) -> list[Any]:
        """Decide for these customers, some at a time, each with so much time."""

        async def one(number: int) -> Any:
            await asyncio.sleep(0.01 * (number - numbers[0]))
            began = asyncio.get_running_loop().time()
            asked = application(f"c-{number}")
            recorded = await engine.decide(f"k-{number}", asked, f"h-{number}", seconds)
            assert asyncio.get_running_loop().time() - began <= seconds
            return json.loads(recorded.reply)

        return await asyncio.gather(*(one(number) for number in numbers))


def hash_of(name: str) -> int:
    return sum(name.encode())


def profile_of(number: int) -> CreditData:
    name = f"c-{number}"
    if number % 3 == 0:
        return good_profile(name)
    if number % 3 == 1:
        return good_profile(name, late=30)
    return good_profile(name, months=grey_profile().months)


def substance(reply: dict[str, Any]) -> dict[str, Any]:
    """Return what was decided, without where the data came from, ids and instants."""
    offers = [
        {name: value for name, value in offer.items() if name not in ("offer_id", "expires_at")}
        for offer in reply["offers"]
    ]
    kept = ("outcome", "customer_id", "policy", "score", "reasons")
    return {**{name: reply[name] for name in kept}, "offers": offers}


def decided(trouble: dict[str, str], seconds: float, seed: int = 1) -> list[dict[str, Any]]:
    """Return what is decided while stores are in trouble; every call begins with all well."""
    site = Site(seed)

    async def work(engine: Engine) -> list[Any]:
        await site.decide(engine, range(2 * COUNT, 2 * COUNT + 6), 1.0)
        for name, kind in trouble.items():
            site.troubles[name].kind = kind
        return await site.decide(engine, range(COUNT), seconds)

    replies: list[dict[str, Any]] = site.world.run(
        work, lambda main: run(seed, lambda: main, max_steps=3_000_000)
    )
    return replies


@pytest.fixture(scope="module")
def healthy() -> list[dict[str, Any]]:
    return [substance(reply) for reply in decided({}, 1.0)]


def test_the_customers_are_of_every_kind(healthy: list[dict[str, Any]]) -> None:
    outcomes = {reply["outcome"] for reply in healthy}

    assert len(outcomes) >= 2
    assert "APPROVED" in outcomes


KINDS: Final = ("failing", "hanging", "flapping")


@pytest.mark.parametrize("seconds", [1.0, 0.1])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("away", [("redis",), ("dynamodb",), ("redis", "dynamodb")])
def test_no_decision_fails_and_each_is_the_healthy_one(
    healthy: list[dict[str, Any]], away: tuple[str, ...], kind: str, seconds: float
) -> None:
    replies = decided(dict.fromkeys(away, kind), seconds)

    assert [substance(reply) for reply in replies] == healthy
    named = {name for reply in replies for name in reply["evidence"]["degraded"]}
    assert named <= set(away)
    assert named


@pytest.mark.parametrize("kind", ["failing", "hanging"])
def test_stores_that_are_well_again_are_used_again_within_one_pause(kind: str) -> None:
    site = Site(7)

    async def work(engine: Engine) -> None:
        for trouble in site.troubles.values():
            trouble.kind = kind
        await site.decide(engine, range(COUNT), 1.0)
        assert {each.breaker.state for each in site.guards.values()} == {BreakerState.OPEN}
        for trouble in site.troubles.values():
            trouble.kind = "whole"
        await asyncio.sleep(PAUSE_S)
        # Two probes a store, one after the other, and each costs the one who makes it nothing.
        for number in range(COUNT, COUNT + 8):
            await site.decide(engine, range(number, number + 1), 1.0)
        replies = await site.decide(engine, range(COUNT + 8, 2 * COUNT), 1.0)

        assert {each.breaker.state for each in site.guards.values()} == {BreakerState.CLOSED}
        assert {tuple(reply["evidence"]["degraded"]) for reply in replies} == {()}
        tiers = {source["tier"] for reply in replies for source in reply["evidence"]["sources"]}
        assert tiers == {"redis", "dynamodb"}

    site.world.run(work, lambda main: run(7, lambda: main, max_steps=3_000_000))


def test_while_its_breaker_is_open_a_store_costs_nobody_any_time() -> None:
    site = Site(9)

    async def work(engine: Engine) -> float:
        for trouble in site.troubles.values():
            trouble.kind = "hanging"
        await site.decide(engine, range(COUNT), 1.0)
        began = asyncio.get_running_loop().time()
        await site.decide(engine, range(COUNT, COUNT + 1), 1.0)
        return asyncio.get_running_loop().time() - began

    took = site.world.run(work, lambda main: run(9, lambda: main, max_steps=3_000_000))
    assert took < 0.02
