"""The cache of unwrapped keys: bounded in number and age, and never behind a destruction."""

from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from adapters.security.key_cache import KeyCache
from tests.contracts.opened import HandClock

CIPHER = AESSIV(bytes(64))


def a_cache(size: int = 10, fresh_s: float = 5.0) -> tuple[KeyCache, HandClock]:
    clock = HandClock()
    return KeyCache(size, clock, fresh_s), clock


def test_what_was_read_before_a_key_was_dropped_is_not_put() -> None:
    cache, _ = a_cache()
    look = cache.look()
    cache.drop("p")

    cache.put("p", CIPHER, look)
    assert cache.get("p") is None

    cache.put("p", CIPHER, cache.look())
    assert cache.get("p") is CIPHER


def test_the_age_of_a_key_counts_from_before_it_was_read() -> None:
    cache, clock = a_cache(fresh_s=5)
    look = cache.look()
    clock.advance(4)
    cache.put("p", CIPHER, look)

    assert cache.get("p") is CIPHER
    clock.advance(1)
    assert cache.get("p") is None


def test_use_keeps_a_key_in_its_place_but_not_young() -> None:
    cache, clock = a_cache(size=2)
    for person in "ab":
        cache.put(person, CIPHER, cache.look())
    clock.advance(3)
    assert cache.get("a") is CIPHER
    cache.put("c", CIPHER, cache.look())

    assert [cache.get(person) for person in "abc"] == [CIPHER, None, CIPHER]
    clock.advance(2)
    assert [cache.get(person) for person in "abc"] == [None, None, CIPHER]
