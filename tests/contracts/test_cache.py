"""What `domain.ports.storage.Cache` promises, on every cache."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Final

import pytest

from adapters.resilience.guard import Guards
from adapters.resilience.guarded import GuardedCache
from adapters.stores.embedded.cache import MemoryCache
from domain.ports.storage import Cache
from tests.contracts.model import model_cache
from tests.contracts.opened import NEVER, Factory, FixedChance, HandClock, Opened
from tests.unit.decide.world import Counts


@contextmanager
def memory_cache(_: Path) -> Iterator[Opened[MemoryCache]]:
    clock = HandClock()
    yield Opened(MemoryCache(clock, FixedChance()), clock)


@contextmanager
def guarded_cache(folder: Path) -> Iterator[Opened[Cache]]:
    with memory_cache(folder) as opened:
        guards = Guards.made("redis", opened.clock, Counts())
        cache = GuardedCache(opened.port, guards.critical, guards.background)
        yield Opened(cache, opened.clock, opened.run)


CACHES: Final[dict[str, Factory[Cache]]] = {
    "memory": memory_cache,
    "model": model_cache,
    "guarded memory": guarded_cache,
}


@pytest.fixture(params=sorted(CACHES))
def cache(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opened[Cache]]:
    with CACHES[request.param](tmp_path) as opened:
        yield opened


def get(cache: Opened[Cache], key: str = "k") -> tuple[int, bytes] | None:
    return cache.run(cache.port.get(key, NEVER))


def put(cache: Opened[Cache], version: int, value: bytes = b"value", ttl_s: float = 60.0) -> None:
    cache.run(cache.port.put_if_newer("k", version, value, ttl_s, NEVER))


def put_absent(cache: Opened[Cache], ttl_s: float = 60.0) -> None:
    cache.run(cache.port.put_absent("k", ttl_s, NEVER))


def test_an_unknown_key_is_none(cache: Opened[Cache]) -> None:
    assert get(cache) is None


def test_a_newer_value_replaces_an_older_one_only(cache: Opened[Cache]) -> None:
    put(cache, 2, b"two")
    put(cache, 1, b"one")
    assert get(cache) == (2, b"two")

    put(cache, 3, b"three")
    assert get(cache) == (3, b"three")


def test_an_equal_version_lives_on(cache: Opened[Cache]) -> None:
    put(cache, 2)
    cache.clock.advance(50)
    put(cache, 2)
    cache.clock.advance(50)

    assert get(cache) == (2, b"value")


def test_an_absence_is_remembered_and_gives_way_to_any_value(cache: Opened[Cache]) -> None:
    put_absent(cache)
    assert get(cache) == (0, b"")

    put(cache, 1)
    assert get(cache) == (1, b"value")


def test_an_absence_never_overwrites_a_value(cache: Opened[Cache]) -> None:
    put(cache, 1)
    put_absent(cache)

    assert get(cache) == (1, b"value")


def test_a_value_is_gone_some_time_after_its_ttl(cache: Opened[Cache]) -> None:
    put(cache, 1, ttl_s=10)

    cache.clock.advance(8.9)
    assert get(cache) is not None
    cache.clock.advance(2.2)
    assert get(cache) is None


def test_what_has_expired_guards_nothing(cache: Opened[Cache]) -> None:
    put(cache, 9, ttl_s=10)
    cache.clock.advance(12)

    put(cache, 1)
    assert get(cache) == (1, b"value")


def test_an_absence_may_follow_an_expired_value(cache: Opened[Cache]) -> None:
    put(cache, 9, ttl_s=10)
    cache.clock.advance(12)

    put_absent(cache)
    assert get(cache) == (0, b"")


def test_invalidating_forgets(cache: Opened[Cache]) -> None:
    put(cache, 5)
    for _ in range(2):
        cache.run(cache.port.invalidate("k", NEVER))

    assert get(cache) is None
    put(cache, 1)
    assert get(cache) == (1, b"value")


def test_of_racing_writers_the_highest_version_stays(cache: Opened[Cache]) -> None:
    async def write(start: int) -> None:
        for version in range(start, 300, 3):
            await cache.port.put_if_newer("k", version, b"%d" % version, 60, NEVER)
            await asyncio.sleep(0)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda start: cache.run(write(start)), range(3)))

    assert get(cache) == (299, b"299")


@pytest.mark.parametrize("seed", range(6))
def test_any_order_of_repeated_events_by_two_writers_ends_as_in_order_once(
    cache: Opened[Cache], seed: int
) -> None:
    chance = Random(seed)
    versions = sorted(chance.sample(range(1, 1_000), 12))
    # Each event twice or three times, late or early; some read truth before there was a customer.
    writes = [version for version in versions for _ in range(chance.choice((2, 3)))]
    writes += [0] * 4
    chance.shuffle(writes)

    async def write(mine: list[int]) -> None:
        for version in mine:
            if version:
                await cache.port.put_if_newer("k", version, b"%d" % version, 60, NEVER)
            else:
                await cache.port.put_absent("k", 60, NEVER)
            await asyncio.sleep(0)

    async def both() -> None:
        await asyncio.gather(write(writes[::2]), write(writes[1::2]))

    cache.run(both())
    assert get(cache) == (versions[-1], b"%d" % versions[-1])

    # And late once more, one by one.
    for version in chance.sample(versions[:-1], 5):
        put(cache, version, b"late")
    assert get(cache) == (versions[-1], b"%d" % versions[-1])
