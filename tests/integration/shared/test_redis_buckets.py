"""Token buckets on a real Redis: the arithmetic of the core, shared by processes."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack
from random import Random
from typing import Any

import pytest

from adapters.security.rate_limits import RateClass, SharedLimits, micros
from adapters.stores.redis.cache import RedisCache
from adapters.system import SystemClock
from domain.errors import TransientError
from domain.ports.limits import Drawn
from domain.rate_limit import TOKEN, TOKENS_MAX, Bucket, Limit
from tests.contracts.opened import Counted, HandClock
from tests.integration.shared.caches import Loop, Server, at_port, cache_on, execute, soon
from tests.services.proxy import Faults, Verdict, proxied

#: An instant of our days, in microseconds: near what doubles still count one by one.
NOW = 1_796_000_000_000_000
KIND = RateClass.DECISIONS


@pytest.fixture
def caches(server: Server, loop: Loop) -> Iterator[list[RedisCache]]:
    """Two processes' connections."""
    with ExitStack() as opened:
        yield [opened.enter_context(cache_on(server.url, loop, server.prefix)) for _ in range(2)]


@pytest.mark.parametrize("limit", [
    Limit(1, 1), Limit(3, 7), Limit(1000, 2050), Limit(TOKENS_MAX, TOKENS_MAX),
], ids=str)  # fmt: skip
def test_the_script_counts_as_the_core_does(
    caches: list[RedisCache], loop: Loop, limit: Limit
) -> None:
    chance, at = Random(7), NOW
    bucket = Bucket.full(limit, at)
    for _ in range(150):
        # Also a clock that is set back, and one that jumps.
        at = max(1, at + chance.choice((0, 1, 333, 10_007, 2_000_003, 10**12, -5_000_000)))
        asked, owed = chance.randrange(limit.burst + 2), chance.choice((0, 0, 1, limit.burst // 3))

        drawn = loop(caches[chance.randrange(2)].buckets(at).draw("k", limit, asked, owed, soon()))

        given = bucket.draw(limit, at, asked, owed)
        assert drawn == Drawn(given, bucket.level)


def test_processes_on_one_server_admit_at_most_1_05_of_the_limit(
    caches: list[RedisCache], loop: Loop
) -> None:
    limit, clock, chance = Limit(200, 400), HandClock(), Random(3)
    buckets = [cache.buckets(NOW) for cache in caches]
    # Deadlines are the real clock's: only the buckets' time is a test's.
    each = [SharedLimits({KIND: limit}, held, Late(clock), Counted()) for held in buckets]

    async def play() -> tuple[int, int]:
        admitted = refused = 0
        for _ in range(200):
            for held in buckets:
                held.at_us = NOW + micros(clock.monotonic())
            many = chance.randrange(60)
            waits = await asyncio.gather(
                *(each[chance.randrange(2)].admit("caller", KIND) for _ in range(many))
            )
            admitted += waits.count(0.0)
            refused += many - waits.count(0.0)
            clock.advance(0.01)
        for one in each:
            await one.close()
        return admitted, refused

    admitted, refused = loop(play())
    assert refused > 0
    assert limit.burst + limit.rate * 1.9 <= admitted <= 1.05 * (limit.burst + limit.rate * 2)


class Late(HandClock):
    """The hand's clock, read far from any deadline of the real one."""

    def __init__(self, hand: HandClock) -> None:
        super().__init__()
        self._hand, self._begin = hand, SystemClock().monotonic() + 1_000

    def monotonic(self) -> float:
        return self._begin + self._hand.monotonic()


def test_a_bucket_is_forgotten_once_it_is_full_again(
    caches: list[RedisCache], server: Server, loop: Loop
) -> None:
    limit = Limit(10, 100)
    loop(caches[0].buckets().draw("who-calls", limit, 50, 0, soon()))

    (key,) = server.held()
    left = server.admin.pttl(key)
    assert isinstance(left, int)
    # Fifty tokens are back after five seconds; one more for a clock that is set.
    assert 4_000 < left <= 6_000
    assert "who-calls" not in key


def test_the_servers_clock_refills(caches: list[RedisCache], loop: Loop) -> None:
    limit = Limit(TOKENS_MAX, 1)
    for _ in range(3):
        # A token a microsecond: it is there again whenever anybody asks.
        assert loop(caches[0].buckets().draw("k", limit, 1, 0, soon())).given == 1


def test_a_server_that_lost_its_scripts_is_given_them_again(
    caches: list[RedisCache], server: Server, loop: Loop
) -> None:
    limit = Limit(1, 10)
    for given in (7, 3, 0):
        execute(server, "SCRIPT", "FLUSH")
        drawn = loop(caches[0].buckets(NOW).draw("k", limit, 7, 0, soon()))
        assert drawn.given == given


@pytest.mark.parametrize("command", [("SET", "nonsense"), ("LPUSH", "nonsense")])
def test_what_others_wrote_is_a_full_bucket(
    caches: list[RedisCache], server: Server, loop: Loop, command: tuple[str, str]
) -> None:
    loop(caches[0].buckets(NOW).draw("k", Limit(1, 10), 10, 0, soon()))
    (key,) = server.held()
    server.admin.delete(key)
    execute(server, command[0], key, command[1])

    assert loop(caches[0].buckets(NOW).draw("k", Limit(1, 10), 4, 0, soon())) == Drawn(4, 6 * TOKEN)


def test_every_command_leaves_only_keys_that_end(
    caches: list[RedisCache], server: Server, loop: Loop
) -> None:
    cache = caches[0]
    commands: dict[str, Callable[[], Coroutine[Any, Any, object]]] = {
        "value": lambda: cache.put_if_newer("a", 2, b"v", 60, soon()),
        "equal": lambda: cache.put_if_newer("a", 2, b"v", 60, soon()),
        "newer": lambda: cache.put_if_newer("a", 3, b"v", 60, soon()),
        "older": lambda: cache.put_if_newer("a", 1, b"v", 60, soon()),
        "absence": lambda: cache.put_absent("b", 60, soon()),
        "absence over a value": lambda: cache.put_absent("a", 60, soon()),
        "value over an absence": lambda: cache.put_if_newer("b", 1, b"v", 60, soon()),
        "shortest": lambda: cache.put_if_newer("c", 1, b"v", 0.5, soon()),
        "read": lambda: cache.get("a", soon()),
        "draw": lambda: cache.buckets().draw("d", Limit(1, 10), 3, 0, soon()),
        "debt": lambda: cache.buckets().draw("d", Limit(1, 10), 0, 50, soon()),
        "full": lambda: cache.buckets().draw("e", Limit(1, 10), 0, 0, soon()),
        "invalidate": lambda: cache.invalidate("a", soon()),
    }
    for name, command in commands.items():
        loop(command())
        for key in server.admin.scan_iter():
            left = server.admin.pttl(key)
            assert isinstance(left, int)
            assert left != -1, (name, key)

    assert len(server.held()) >= 3


def test_draws_and_reads_of_one_turn_travel_together(server: Server, loop: Loop) -> None:
    with proxied(server.port) as proxy, cache_on(at_port(proxy.port), loop, server.prefix) as cache:
        loop(cache.put_if_newer("k", 1, b"v", 60, soon()))
        loop(cache.buckets(NOW).draw("k", Limit(1, 10), 1, 0, soon()))
        requests: list[bytes] = []
        proxy.faults = Faults(judge=lambda way, data: _heard(way.name, data, requests))

        async def turn() -> list[object]:
            return list(
                await asyncio.gather(
                    cache.get("k", soon()),
                    cache.buckets(NOW).draw("k", Limit(1, 10), 1, 0, soon()),
                )
            )

        assert loop(turn()) == [(1, b"v"), Drawn(1, 8 * TOKEN)]
        assert len(requests) == 1


def _heard(way: str, data: bytes, requests: list[bytes]) -> Verdict:
    if way == "REQUEST":
        requests.append(data)
    return Verdict.PASS


def test_a_server_that_is_away_is_told_as_transient(loop: Loop, server: Server) -> None:
    with proxied(server.port) as proxy, cache_on(at_port(proxy.port), loop, server.prefix) as cache:
        proxy.faults = Faults(judge=lambda _way, _data: Verdict.CUT)
        with pytest.raises(TransientError):
            loop(cache.buckets().draw("k", Limit(1, 10), 1, 0, soon()))
