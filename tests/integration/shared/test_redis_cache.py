"""What only the cache on Redis promises: how it stores, shares, bounds and travels."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from adapters.stores.redis.line import Limits
from domain.errors import PermanentError, ThrottledError, TransientError
from tests.contracts.opened import NEVER
from tests.integration.shared.caches import Loop, Server, cache_on, counts_of, execute, soon
from tests.services.proxy import Faults, Verdict, Way, proxied


def test_two_processes_see_what_either_wrote(server: Server, loop: Loop) -> None:
    with (
        cache_on(server.url, loop, server.prefix) as one,
        Loop() as elsewhere,
        cache_on(server.url, elsewhere, server.prefix) as other,
    ):
        loop(one.put_if_newer("k", 2, b"two", 60, NEVER))
        assert elsewhere(other.get("k", NEVER)) == (2, b"two")

        elsewhere(other.put_if_newer("k", 3, b"three", 60, NEVER))
        loop(one.put_if_newer("k", 2, b"late", 60, NEVER))
        assert loop(one.get("k", NEVER)) == (3, b"three")

        elsewhere(other.invalidate("k", NEVER))
        assert loop(one.get("k", NEVER)) is None


def test_threads_with_loops_of_their_own_share_one_cache(server: Server, loop: Loop) -> None:
    with Loop() as other, cache_on(server.url, loop, server.prefix) as cache:

        async def write(start: int) -> None:
            for version in range(start, 200, 2):
                await cache.put_if_newer("k", version, b"%d" % version, 60, NEVER)

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda run, start: run(write(start)), (loop, other), (1, 2)))

        assert loop(cache.get("k", NEVER)) == other(cache.get("k", NEVER)) == (199, b"199")


@pytest.mark.parametrize(("chance", "lifetime_s"), [(0.0, 270), (0.5, 300), (0.999999, 330)])
def test_every_key_ends_after_its_time_spread_by_a_tenth(
    server: Server, loop: Loop, chance: float, lifetime_s: int
) -> None:
    with cache_on(server.url, loop, server.prefix, chance=chance) as cache:
        loop(cache.put_if_newer("value", 1, b"v", 300, NEVER))
        loop(cache.put_if_newer("value", 1, b"v", 300, NEVER))
        loop(cache.put_absent("absence", 300, NEVER))

        ends = [server.admin.pexpiretime(key) for key in server.held()]
        (seconds, micros) = server.admin.time()

    assert len(ends) == 2
    for end in ends:
        assert lifetime_s - 60 < end / 1000 - seconds - micros / 1e6 <= lifetime_s + 0.001


@pytest.mark.parametrize("high", [2**53, 2**64 - 1, 2**32])
def test_large_versions_are_told_apart(server: Server, loop: Loop, high: int) -> None:
    with cache_on(server.url, loop, server.prefix) as cache:
        loop(cache.put_if_newer("k", high - 1, b"older", 60, NEVER))
        loop(cache.put_if_newer("k", high, b"newer", 60, NEVER))
        loop(cache.put_if_newer("k", high - 1, b"older", 60, NEVER))

        assert loop(cache.get("k", NEVER)) == (high, b"newer")


def test_an_absence_is_older_than_a_value_of_version_0(server: Server, loop: Loop) -> None:
    with cache_on(server.url, loop, server.prefix) as cache:
        loop(cache.put_if_newer("k", 0, b"v", 60, NEVER))
        loop(cache.put_absent("k", 60, NEVER))

        assert loop(cache.get("k", NEVER)) == (0, b"v")


def test_any_bytes_come_back(server: Server, loop: Loop) -> None:
    value = bytes(range(256)) * 1000
    with cache_on(server.url, loop, server.prefix) as cache:
        loop(cache.put_if_newer("ação\r\n k", 1, value, 60, NEVER))

        assert loop(cache.get("ação\r\n k", NEVER)) == (1, value)


@pytest.mark.parametrize("command", [
    ("SET", "value"), ("SET", "\x02" + "\0" * 12), ("SET", ""), ("LPUSH", "value"),
])  # fmt: skip
def test_what_others_wrote_is_a_counted_miss_and_gives_way(
    server: Server, loop: Loop, command: tuple[str, str]
) -> None:
    with cache_on(server.url, loop, server.prefix) as cache:
        execute(server, command[0], f"{server.prefix}k", command[1])

        assert loop(cache.get("k", NEVER)) is None
        assert counts_of(cache)["cache_foreign_values_total"] == 1

        loop(cache.put_if_newer("k", 1, b"ours", 60, NEVER))
        assert loop(cache.get("k", NEVER)) == (1, b"ours")


def test_the_reads_of_one_turn_travel_once_and_equal_ones_are_one(
    server: Server, loop: Loop
) -> None:
    requests: list[bytes] = []

    def judge(way: Way, data: bytes) -> Verdict:
        requests.extend([data] if way is Way.REQUEST else [])
        return Verdict.PASS

    with (
        proxied(server.port) as proxy,
        cache_on(f"redis://127.0.0.1:{proxy.port}/0", loop, server.prefix) as cache,
    ):
        for number in range(30):
            loop(cache.put_if_newer(f"k{number}", 1, b"%d" % number, 60, NEVER))
        server.admin.config_resetstat()
        proxy.faults = Faults(judge=judge)

        async def read() -> list[tuple[int, bytes] | None]:
            return await asyncio.gather(*(cache.get(f"k{n % 30}", NEVER) for n in range(90)))

        found = loop(read())

        assert found == [(1, b"%d" % (number % 30)) for number in range(90)]
        assert len(requests) == 1
        assert server.calls()["get"] == 30
        assert proxy.connections == 1


def test_a_caller_that_leaves_takes_nobody_along(server: Server, loop: Loop) -> None:
    with cache_on(server.url, loop, server.prefix) as cache:
        loop(cache.put_if_newer("k", 1, b"v", 60, NEVER))

        async def read() -> list[object]:
            reads = [asyncio.create_task(cache.get("k", NEVER)) for _ in range(3)]
            await asyncio.sleep(0)
            reads[0].cancel()
            return list(await asyncio.gather(*reads, return_exceptions=True))

        first, *rest = loop(read())

    assert isinstance(first, asyncio.CancelledError)
    assert rest == [(1, b"v")] * 2


def test_what_waits_is_bounded_and_the_bound_is_lifted_again(server: Server, loop: Loop) -> None:
    with cache_on(server.url, loop, server.prefix, limits=Limits(waiting=8, trip_s=20)) as cache:

        async def read() -> list[object]:
            reads = (cache.get(f"k{number % 4}", NEVER) for number in range(20))
            return list(await asyncio.gather(*reads, return_exceptions=True))

        for _ in range(3):
            found = loop(read())
            refused = [each for each in found if each is not None]
            assert len(refused) == 12
            assert all(isinstance(each, ThrottledError) for each in refused)


def test_those_who_left_before_their_turn_make_room(server: Server, loop: Loop) -> None:
    with cache_on(server.url, loop, server.prefix, limits=Limits(waiting=8, trip_s=20)) as cache:

        async def leave() -> None:
            reads = [asyncio.create_task(cache.get(f"k{n}", NEVER)) for n in range(8)]
            await asyncio.sleep(0)
            for each in reads:
                each.cancel()
            await asyncio.gather(*reads, return_exceptions=True)

        server.admin.config_resetstat()
        for _ in range(3):
            loop(leave())
        assert server.calls()["get"] == 0
        assert loop(cache.get("k", NEVER)) is None


def test_after_closing_nothing_is_begun_and_whoever_waited_is_told(
    server: Server, loop: Loop
) -> None:
    with Loop() as other, cache_on(server.url, loop, server.prefix) as cache:
        other(cache.get("k", NEVER))

        async def close_while_reading() -> object:
            read = asyncio.create_task(cache.get("k", NEVER))
            await asyncio.sleep(0)
            await cache.close()
            (found,) = await asyncio.gather(read, return_exceptions=True)
            return found

        assert isinstance(loop(close_while_reading()), TransientError)
        for each in (loop, other):
            with pytest.raises(TransientError, match="closed"):
                each(cache.get("k", NEVER))
        # The server takes note of an end in one of its next turns.
        left = next((n for _ in range(1000) if (n := len(server.admin.client_list())) == 1), None)
    assert left == 1


def test_a_full_memory_refuses_writes_and_still_reads(server: Server, loop: Loop) -> None:
    with cache_on(server.url, loop, server.prefix) as cache:
        loop(cache.put_if_newer("k", 1, b"v", 60, NEVER))
        server.admin.config_set("maxmemory-policy", "noeviction")
        server.admin.config_set("maxmemory", "1")
        try:
            with pytest.raises(ThrottledError, match="memory"):
                loop(cache.put_if_newer("k", 2, b"w", 60, NEVER))
            assert loop(cache.get("k", NEVER)) == (1, b"v")
        finally:
            server.admin.config_set("maxmemory", "256mb")
            server.admin.config_set("maxmemory-policy", "volatile-lru")
        loop(cache.put_if_newer("k", 2, b"w", 60, NEVER))
        assert loop(cache.get("k", NEVER)) == (2, b"w")


def test_a_replica_refuses_writes_until_it_is_the_primary_again(server: Server, loop: Loop) -> None:
    with cache_on(server.url, loop, server.prefix) as cache:
        loop(cache.put_if_newer("k", 1, b"v", 60, NEVER))
        execute(server, "REPLICAOF", "127.0.0.1", "1")
        try:
            with pytest.raises(TransientError, match="ReadOnly"):
                loop(cache.put_if_newer("k", 2, b"w", 60, NEVER))
            assert loop(cache.get("k", NEVER)) == (1, b"v")
        finally:
            execute(server, "REPLICAOF", "NO", "ONE")
        loop(cache.put_if_newer("k", 2, b"w", 60, NEVER))
        assert loop(cache.get("k", NEVER)) == (2, b"w")


def test_a_flush_and_forgotten_scripts_are_misses_and_nothing_else(
    server: Server, loop: Loop
) -> None:
    with cache_on(server.url, loop, server.prefix) as cache:
        loop(cache.put_if_newer("k", 5, b"v", 60, NEVER))
        server.admin.flushall()
        server.admin.script_flush()

        assert loop(cache.get("k", NEVER)) is None

        async def together() -> list[object]:
            writes = (cache.put_if_newer(f"k{n}", 1, b"w", 60, NEVER) for n in range(9))
            return list(await asyncio.gather(*writes, cache.get("k", NEVER)))

        assert loop(together()) == [None] * 10
        assert loop(cache.get("k8", NEVER)) == (1, b"w")


def test_a_wrong_login_is_named_and_a_correction_is_enough(server: Server, loop: Loop) -> None:
    wrong = server.url.replace("redis://", "redis://:honey-word@")
    with (
        cache_on(server.url, loop, server.prefix) as without,
        cache_on(wrong, loop, server.prefix) as cache,
    ):
        with pytest.raises(PermanentError, match="refuses the login"):
            loop(cache.check(soon()))
        server.admin.config_set("requirepass", "right")
        try:
            for each in (cache, without):
                with pytest.raises(TransientError, match="refuses the login") as caught:
                    loop(each.get("k", soon()))
                assert "honey" not in repr(caught.value)
            server.admin.config_set("requirepass", "honey-word")
            assert loop(cache.get("k", soon())) is None
        finally:
            server.admin.config_set("requirepass", "")
        loop(without.check(soon()))


def test_a_database_that_there_is_not_is_named(server: Server, loop: Loop) -> None:
    with (
        cache_on(server.url.replace("/0", "/99"), loop) as cache,
        pytest.raises(PermanentError, match="no such database"),
    ):
        loop(cache.check(soon()))


@pytest.mark.parametrize(
    "url",
    ["", "http://h:1/0", "redis://:honey@h:port/0", "redis://h:1/0?honey=1", "localhost:6379"],
)
def test_an_address_that_is_none_is_refused_and_not_quoted(loop: Loop, url: str) -> None:
    with pytest.raises(PermanentError, match="REDIS_URL") as caught, cache_on(url, loop):
        pass

    assert "honey" not in repr(caught.value)


@pytest.mark.parametrize("version", [-1, 2**64])
def test_a_version_that_does_not_fit_is_refused(server: Server, loop: Loop, version: int) -> None:
    with cache_on(server.url, loop) as cache, pytest.raises(ValueError, match="64 bits"):
        loop(cache.put_if_newer("k", version, b"", 60, NEVER))
