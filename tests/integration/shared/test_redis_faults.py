"""What the cache on Redis does when the network or the server fails: an error of the port, soon."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvloop

from adapters.stores.redis.cache import RedisCache
from adapters.stores.redis.line import Limits
from domain.errors import DeadlineExceededError, PermanentError, TransientError
from tests.integration.shared.caches import Loop, Server, at_port, cache_on, soon
from tests.integration.shared.scripted import Says, scripted
from tests.services.certificate import certificate
from tests.services.proxy import NONE, SILENCE, FaultProxy, Faults, Verdict, Way, after, proxied
from tests.services.server import HOST, free_ports

#: Nothing here ends by chance on a loaded machine: only what `impatient` asks meets its limit.
PATIENT = Limits(connect_s=20, trip_s=20)
BRIEF = Limits(connect_s=20, trip_s=0.2)
VALUE = b"$10\r\n\x01\0\0\0\0\0\0\0\x07v\r\n"
KNOWN = (7, b"v")


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop])
def loop(request: pytest.FixtureRequest) -> Iterator[Loop]:
    """Each loop: they tell of an end in different ways, and the service runs on uvloop."""
    with Loop(request.param) as running:
        yield running


@pytest.fixture
def proxy(server: Server) -> Iterator[FaultProxy]:
    with proxied(server.port) as made:
        yield made


@pytest.fixture
def cache(server: Server, proxy: FaultProxy, loop: Loop) -> Iterator[RedisCache]:
    with cache_on(at_port(proxy.port), loop, server.prefix, limits=PATIENT) as made:
        loop(made.put_if_newer("k", *KNOWN, 60, soon()))
        yield made


@contextmanager
def impatient(cache: RedisCache) -> Iterator[None]:
    (line,) = cache._lines._lines.values()
    line._limits = BRIEF
    yield
    line._limits = PATIENT


def read(cache: RedisCache, loop: Loop, seconds: float = 20.0) -> tuple[int, bytes] | None:
    return loop(cache.get("k", soon(seconds)))


def test_a_kept_connection_that_was_ended_costs_nobody_an_error(
    cache: RedisCache, proxy: FaultProxy, loop: Loop
) -> None:
    for _ in range(3):
        proxy.cut()
        assert read(cache, loop) == KNOWN
        proxy.cut()
        loop(cache.put_if_newer("k", *KNOWN, 60, soon()))
    assert proxy.connections == 1


@pytest.mark.parametrize("verdict", [Verdict.CUT, Verdict.RESET, Verdict.DROP])
@pytest.mark.parametrize("way", Way)
def test_a_failing_network_is_transient_and_heals(
    cache: RedisCache, proxy: FaultProxy, loop: Loop, verdict: Verdict, way: Way
) -> None:
    proxy.faults = after(way, 0, verdict)
    calls: list[Callable[[], Coroutine[Any, Any, object]]] = [
        lambda: cache.get("k", soon()),
        lambda: cache.put_if_newer("k", 8, b"w", 60, soon()),
        lambda: cache.put_absent("k", 60, soon()),
        lambda: cache.invalidate("other", soon()),
    ]
    with impatient(cache):
        for call in calls:
            with pytest.raises(TransientError):
                loop(call())

    proxy.faults = NONE
    held = read(cache, loop)
    # What was written before a lost reply may well be there.
    assert held in ({KNOWN} if way is Way.REQUEST else {KNOWN, (8, b"w")})
    assert loop(tasks_left()) == 0
    # Where bytes are lost, the proxy never hears of the client's end.
    assert verdict is Verdict.DROP or proxy.connections == 1


def test_a_silent_server_ends_every_wait_at_its_own_deadline(
    server: Server, proxy: FaultProxy, loop: Loop
) -> None:
    with cache_on(at_port(proxy.port), loop, server.prefix, limits=Limits(trip_s=600)) as cache:
        loop(cache.put_if_newer("k", *KNOWN, 60, soon()))
        proxy.faults = SILENCE

        async def wait() -> list[object]:
            reads = (cache.get(f"k{number}", soon(number / 100)) for number in range(1, 20))
            found = await asyncio.gather(*reads, return_exceptions=True)
            return [type(each) for each in found]

        assert loop(wait()) == [DeadlineExceededError] * 19
        assert loop(wait()) == [DeadlineExceededError] * 19

        # The trip of the first ones still waits. Its end is no reason to send anything again.
        proxy.faults = NONE
        proxy.cut()
        assert read(cache, loop) == KNOWN
        assert loop(tasks_left()) == 0


def test_a_silent_trip_ends_before_its_callers_lose_patience(
    cache: RedisCache, proxy: FaultProxy, loop: Loop
) -> None:
    proxy.faults = SILENCE
    with impatient(cache), pytest.raises(DeadlineExceededError):
        read(cache, loop)

    proxy.faults = NONE
    assert read(cache, loop) == KNOWN


async def tasks_left() -> int:
    # One turn for a task that has just finished.
    await asyncio.sleep(0)
    return len(asyncio.all_tasks()) - 1


def test_a_late_reply_is_nobody_elses(server: Server, proxy: FaultProxy, loop: Loop) -> None:
    with cache_on(at_port(proxy.port), loop, server.prefix, limits=Limits(trip_s=600)) as cache:
        loop(cache.put_if_newer("k", *KNOWN, 60, soon()))
        loop(cache.put_if_newer("other", 1, b"other", 60, soon()))
        proxy.faults = Faults(latency_s=0.1)

        async def both() -> list[object]:
            late = asyncio.create_task(cache.get("other", soon(0.03)))
            (first,) = await asyncio.gather(late, return_exceptions=True)
            return [type(first), await cache.get("k", soon())]

        assert loop(both()) == [DeadlineExceededError, KNOWN]


def test_a_slow_drip_arrives_whole(cache: RedisCache, proxy: FaultProxy, loop: Loop) -> None:
    proxy.faults = Faults(drip=1, latency_s=0.001)

    assert read(cache, loop) == KNOWN


def test_past_its_deadline_a_call_sends_nothing(
    cache: RedisCache, proxy: FaultProxy, loop: Loop
) -> None:
    sent: list[bytes] = []

    def judge(_way: Way, data: bytes) -> Verdict:
        sent.append(data)
        return Verdict.PASS

    proxy.faults = Faults(judge=judge)
    calls: list[Coroutine[Any, Any, object]] = [
        cache.get("k", soon(-1)),
        cache.put_if_newer("k", 9, b"", 60, soon(0)),
    ]
    for call in calls:
        with pytest.raises(DeadlineExceededError):
            loop(call)
    assert sent == []


def test_a_server_that_is_away_and_comes_back_empty(
    cache: RedisCache, proxy: FaultProxy, server: Server, loop: Loop
) -> None:
    proxy.close()
    proxy.cut()
    for _ in range(3):
        with pytest.raises(TransientError, match="away"):
            read(cache, loop)
    # What a restart forgets: keys and scripts.
    server.admin.flushall()
    server.admin.script_flush()
    proxy.open()

    assert read(cache, loop) is None
    loop(cache.put_if_newer("k", *KNOWN, 60, soon()))
    assert read(cache, loop) == KNOWN


def test_nobody_listens(loop: Loop) -> None:
    (nobody,) = free_ports(1)
    with cache_on(at_port(nobody), loop) as cache, pytest.raises(TransientError, match="away"):
        read(cache, loop)


@pytest.mark.parametrize("ends", [True, False])
@pytest.mark.parametrize("count", range(len(VALUE)))
def test_a_reply_that_stops_at_any_byte(loop: Loop, count: int, *, ends: bool) -> None:
    limits = Limits(connect_s=20, trip_s=20 if ends else 0.02)
    with (
        scripted(Says([VALUE[:count]], ends=ends), Says([VALUE] * 9)) as script,
        cache_on(at_port(script.port), loop, limits=limits) as cache,
    ):
        with pytest.raises(TransientError):
            read(cache, loop)
        # From here on the server has time.
        object.__setattr__(limits, "trip_s", 20.0)
        assert read(cache, loop) == KNOWN
        assert script.connections == 2


def test_a_login_that_is_never_answered_is_given_up(loop: Loop) -> None:
    with (
        scripted(Says([b""]), Says([b"+OK\r\n", VALUE])) as script,
        cache_on(
            f"redis://:word@{HOST}:{script.port}/0", loop, limits=Limits(connect_s=0.05)
        ) as cache,
    ):
        with pytest.raises(DeadlineExceededError):
            read(cache, loop)
        object.__setattr__(cache._lines._limits, "connect_s", 20.0)
        assert read(cache, loop) == KNOWN
        assert script.connections == 2


def test_the_first_of_two_replies_counts_when_the_second_is_cut(loop: Loop) -> None:
    with (
        scripted(Says([VALUE + VALUE[:5]], ends=True)) as script,
        cache_on(at_port(script.port), loop) as cache,
    ):

        async def both() -> list[object]:
            reads = (cache.get(key, soon()) for key in ("one", "two"))
            return list(await asyncio.gather(*reads, return_exceptions=True))

        one, two = loop(both())
    assert one == KNOWN
    assert isinstance(two, TransientError)


@pytest.mark.parametrize(
    ("reply", "sentence"),
    [
        (b"-LOADING Redis is loading the dataset in memory\r\n", "away .BusyLoadingError"),
        (b"-MASTERDOWN Link with MASTER is down\r\n", "away|node of a cluster"),
        (b"-MOVED 866 10.0.0.1:6379\r\n", "node of a cluster"),
        (b"-CLUSTERDOWN The cluster is down\r\n", "cluster"),
        (b"-NOPERM this user has no permissions\r\n", "forbids"),
        (b"-ERR max number of clients reached\r\n", "away"),
        (b"-ERR unknown command 'GET', with args beginning with: 'k'\r\n", "away .ResponseError"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "away .InvalidResponse"),
    ],
)
def test_an_error_reply_has_its_sentence_and_quotes_nothing(
    loop: Loop, reply: bytes, sentence: str
) -> None:
    with (
        scripted(*[Says([reply], ends=True)] * 2, Says([VALUE])) as script,
        cache_on(at_port(script.port), loop) as cache,
    ):
        for _ in range(2):
            with pytest.raises(TransientError, match=sentence) as caught:
                read(cache, loop)
            assert "'k'" not in str(caught.value)
        assert read(cache, loop) == KNOWN


def test_a_primary_that_became_a_replica_is_looked_up_again(loop: Loop) -> None:
    readonly = b"-READONLY You can't write against a read only replica.\r\n"
    with (
        scripted(Says([VALUE, readonly]), Says([b":1\r\n"])) as script,
        cache_on(at_port(script.port), loop) as cache,
    ):
        assert read(cache, loop) == KNOWN
        loop(cache.put_if_newer("k", 8, b"w", 60, soon()))
        assert script.connections == 2
        assert script.requests[1] == script.requests[2]


def test_over_tls_only_a_known_certificate_is_spoken_to(
    server: Server, loop: Loop, tmp_path: Path
) -> None:
    certificate_file, key_file = certificate(tmp_path)
    (port,) = free_ports(1)
    server.admin.config_set(
        "tls-cert-file", str(certificate_file), "tls-key-file", str(key_file),
        "tls-ca-cert-file", str(certificate_file), "tls-auth-clients", "no", "tls-port", port,
    )  # fmt: skip
    url = f"rediss://{HOST}:{port}/0"
    try:
        with cache_on(f"{url}?ssl_ca_certs={certificate_file}", loop, server.prefix) as cache:
            loop(cache.put_if_newer("k", *KNOWN, 60, soon()))
            assert read(cache, loop) == KNOWN
        with cache_on(url, loop) as cache, pytest.raises(TransientError, match="away"):
            read(cache, loop)
    finally:
        server.admin.config_set("tls-port", 0)


def test_a_start_without_redis_is_told_apart_from_a_wrong_setting(loop: Loop) -> None:
    (nobody,) = free_ports(1)
    with cache_on(at_port(nobody), loop) as cache, pytest.raises(TransientError):
        loop(cache.check(soon()))
    with (
        scripted(Says([b"-NOAUTH Authentication required.\r\n"])) as script,
        cache_on(at_port(script.port), loop) as cache,
        pytest.raises(PermanentError, match="login"),
    ):
        loop(cache.check(soon()))
