"""A cache that was emptied is refilled within bounds, once, with what is asked for next."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from adapters.stores.embedded.cache import MemoryCache
from decision_engine import warm
from decision_engine.warm import MARK, CacheWarmer, unseen
from domain.errors import TransientError
from domain.ports.time import Deadline
from tests.contracts.opened import NEVER, Counted, FixedChance, HandClock


@dataclass(frozen=True, slots=True)
class Decided:
    customer_id: str
    decided_us: int
    decision_id: str


@dataclass(slots=True)
class World:
    """Decisions in truth, a cache, and whoever was read since."""

    customers: Sequence[str]
    clock: HandClock = field(default_factory=HandClock)
    read: list[str] = field(default_factory=list)
    failing: frozenset[str] = frozenset()
    counted: Counted = field(default_factory=Counted)
    cache: MemoryCache = field(init=False)

    def __post_init__(self) -> None:
        self.cache = MemoryCache(self.clock, FixedChance())

    def warmer(self) -> CacheWarmer:
        return CacheWarmer(
            self.cache, self._read, Truth(self), self.clock, self.counted, self._sleep
        )

    def once(self) -> int:
        return asyncio.run(self.warmer().run_once())

    async def _read(self, customer_id: str, _deadline: Deadline) -> None:
        self.read.append(customer_id)
        if customer_id in self.failing:
            raise TransientError("away")
        await self.cache.put_if_newer(f"profile:{customer_id}", 1, b"v", 300, NEVER)

    async def _sleep(self, seconds: float) -> None:
        self.clock.advance(seconds)


@dataclass(frozen=True, slots=True)
class Truth:
    """The newest decision is the first."""

    world: World

    async def read(self, reads: Sequence[Any], deadline: Deadline) -> list[Any]:
        del deadline
        (statement,) = reads
        held = self.world.customers
        first = 0 if statement.before is None else len(held) - statement.before[0]
        rows = [
            Decided(customer, len(held) - 1 - place, f"d{place}")
            for place, customer in enumerate(held)
        ]
        return [rows[first : first + statement.limit]]

    async def transact(self, *_: object) -> Any:
        raise AssertionError("a refill writes nothing to truth")


def test_an_emptied_cache_is_refilled_with_the_customers_decided_last() -> None:
    world = World(["c", "a", "c", "b", "a"])

    assert world.once() == 3
    assert world.read == ["c", "a", "b"]
    assert asyncio.run(world.cache.get("profile:b", NEVER)) == (1, b"v")


def test_a_cache_that_was_not_emptied_is_left_alone() -> None:
    world = World(["a", "b"])
    world.once()
    world.read.clear()
    for _ in range(100):
        world.clock.advance(warm.MARK_TTL_S / 4)
        assert world.once() == 0

    assert world.read == []
    assert world.counted.counts["cache_refills_total"] == 1


def test_each_flush_is_noticed_once() -> None:
    world = World(["a", "b"])
    for flushes in range(1, 4):
        asyncio.run(world.cache.invalidate(MARK, NEVER))
        assert [world.once(), world.once()] == [2, 0]
        assert world.counted.counts["cache_refills_total"] == flushes


def test_a_start_long_after_the_last_process_refills() -> None:
    world = World(["a"])
    world.once()
    world.clock.advance(warm.MARK_TTL_S * 2)

    assert world.once() == 1


def test_a_refill_has_a_budget_of_customers_pace_and_time() -> None:
    world = World([f"c{number}" for number in range(10_000)])
    began = world.clock.monotonic()

    assert world.once() == warm.CUSTOMERS_MAX == len(world.read) == len(set(world.read))
    # At most 200 a second.
    assert world.clock.monotonic() - began >= warm.CUSTOMERS_MAX / 200 - 0.1


def test_a_refill_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World([f"c{number}" for number in range(10_000)])
    monkeypatch.setattr(warm, "WARM_S", 1.0)

    world.once()
    assert 195 <= len(world.read) <= 205


def test_few_customers_with_many_decisions_do_not_make_it_read_all_of_truth() -> None:
    world = World(["a"] * 100_000)

    assert world.once() == 1


def test_a_refill_that_fails_is_given_up_and_not_begun_again() -> None:
    names = [f"c{number}" for number in range(100)]
    world = World(names, failing=frozenset(names[30:]))

    with pytest.raises(TransientError):
        world.once()
    assert len(world.read) == 30 + warm.FAILURES_MAX
    assert world.once() == 0


def test_some_failures_are_borne() -> None:
    names = [f"c{number}" for number in range(100)]
    world = World(names, failing=frozenset(names[::3]))

    assert world.once() == 100


def test_a_platform_without_decisions_has_nothing_to_read() -> None:
    assert World([]).once() == 0


def test_the_plan_is_distinct_and_bounded() -> None:
    rows: Any = [Decided(name, 0, "") for name in ("a", "b", "a", "c")]

    assert unseen(rows, {"b"}) == ["a", "c"]
    assert unseen(rows, {str(number) for number in range(warm.CUSTOMERS_MAX - 1)}) == ["a"]
    assert unseen(rows, {str(number) for number in range(warm.CUSTOMERS_MAX + 5)}) == []
