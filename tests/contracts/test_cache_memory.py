"""What only the cache in memory promises: its bound, what goes first, how long entries live."""

import asyncio

import pytest

from adapters.stores.embedded.cache import OVERHEAD_BYTES, MemoryCache
from tests.contracts.opened import NEVER, FixedChance, HandClock

ENTRY_BYTES = OVERHEAD_BYTES + 1 + 100


def a_cache(entries: int = 3, chance: float = 0.5) -> tuple[MemoryCache, HandClock]:
    clock = HandClock()
    return MemoryCache(clock, FixedChance(chance), bytes_max=entries * ENTRY_BYTES), clock


def put(cache: MemoryCache, key: str, value: bytes = bytes(100), ttl_s: float = 60) -> None:
    asyncio.run(cache.put_if_newer(key, 1, value, ttl_s, NEVER))


def kept(cache: MemoryCache, keys: str) -> str:
    return "".join(key for key in keys if asyncio.run(cache.get(key, NEVER)) is not None)


def test_the_least_recently_used_entry_goes_first() -> None:
    cache, _ = a_cache(3)
    for key in "abc":
        put(cache, key)
    asyncio.run(cache.get("a", NEVER))

    put(cache, "d")

    assert kept(cache, "abcd") == "acd"


def test_one_large_value_takes_the_place_of_several() -> None:
    cache, _ = a_cache(3)
    for key in "abc":
        put(cache, key)

    put(cache, "d", bytes(100 + ENTRY_BYTES))

    assert kept(cache, "abcd") == "cd"


def test_a_value_larger_than_the_cache_is_not_kept_and_does_not_hurt() -> None:
    cache, _ = a_cache(3)
    put(cache, "a", bytes(9 * ENTRY_BYTES))
    assert kept(cache, "a") == ""

    for key in "abc":
        put(cache, key)
    assert kept(cache, "abc") == "abc"


def test_replaced_forgotten_and_expired_entries_give_their_room_back() -> None:
    cache, clock = a_cache(3)
    for _ in range(9):
        put(cache, "a")
        put(cache, "b")
        asyncio.run(cache.invalidate("b", NEVER))
        put(cache, "c", ttl_s=1)
        clock.advance(2)
        assert kept(cache, "c") == ""
    for key in "abc":
        put(cache, key)

    assert kept(cache, "abc") == "abc"


@pytest.mark.parametrize(("chance", "lifetime"), [(0.0, 90), (0.5, 100), (0.999999, 110)])
def test_a_lifetime_is_spread_by_a_tenth(chance: float, lifetime: float) -> None:
    cache, clock = a_cache(chance=chance)
    put(cache, "a", ttl_s=100)

    clock.advance(lifetime - 0.01)
    assert kept(cache, "a") == "a"
    clock.advance(0.02)
    assert kept(cache, "a") == ""
