"""A cluster: each key's node is found, wherever it moves to, and the others do not notice."""

import asyncio
from collections.abc import Iterator
from itertools import islice

import pytest
from redis.crc import key_slot

from adapters.stores.redis.cache import RedisCache
from adapters.stores.redis.cluster import HOPS_MAX, Cluster
from adapters.stores.redis.probe import look
from domain.errors import PermanentError, TransientError
from domain.ports.limits import Drawn
from domain.ports.storage import Cache
from domain.rate_limit import TOKEN, Limit
from tests.contracts import test_cache
from tests.contracts.opened import NEVER, HandClock, Opened
from tests.integration.shared.caches import Loop, Server, cache_on, soon
from tests.integration.shared.cluster_keys import (
    ClusterClock,
    end_move,
    keys_of,
    move_key,
    moving,
)
from tests.integration.shared.scripted import Says, scripted
from tests.services.provided import skipping
from tests.services.redis_cluster import ClusterServers, Node, redis_cluster, until
from tests.services.server import HOST

globals().update({name: test for name, test in vars(test_cache).items() if name[:5] == "test_"})

VALUE = (7, b"v")
#: What a scripted node says to the first look for the map, which travels with the first read.
NO_MAP = b"-ERR no map here\r\n"


@pytest.fixture(scope="module")
def servers() -> Iterator[ClusterServers]:
    with skipping("redis"), redis_cluster() as made:
        yield made


@pytest.fixture
def cluster(servers: ClusterServers) -> Iterator[ClusterServers]:
    for node in servers.primaries:
        node.ask("CONFIG", "RESETSTAT")
    yield servers
    for node in servers.primaries:
        node.admin.flushall()


@pytest.fixture(params=[False, True], ids=["clear", "tls"])
def nodes(
    request: pytest.FixtureRequest, cluster: ClusterServers, loop: Loop
) -> Iterator[RedisCache]:
    """A cache on the cluster."""
    with cache_on(cluster.url(tls=request.param), loop) as made:
        yield made


@pytest.fixture
def cache(cluster: ClusterServers, loop: Loop) -> Iterator[Opened[Cache]]:
    """For the shared suite."""
    clock = ClusterClock(cluster)
    with cache_on(cluster.url(), loop, clock=clock) as made:
        yield Opened(made, clock, loop)


def put(cache: RedisCache, loop: Loop, *keys: str) -> None:
    async def write() -> None:
        await asyncio.gather(*(cache.put_if_newer(key, *VALUE, 60, soon()) for key in keys))

    loop(write())


def got(cache: RedisCache, loop: Loop, *keys: str) -> list[tuple[int, bytes] | None]:
    async def read() -> list[tuple[int, bytes] | None]:
        return await asyncio.gather(*(cache.get(key, soon()) for key in keys))

    return loop(read())


def lines_of(cache: RedisCache) -> Cluster:
    (held,) = cache._lines._lines.values()
    assert isinstance(held, Cluster)
    return held


def calls(node: Node, command: str) -> int:
    held: dict[str, dict[str, int]] = node.admin.info("commandstats")
    return held.get(f"cmdstat_{command}", {"calls": 0})["calls"]


def sent_away(node: Node) -> int:
    """How often a node said that a key is elsewhere."""
    held: dict[str, dict[str, int]] = node.admin.info("errorstats")
    return sum(held.get(f"errorstat_{name}", {"count": 0})["count"] for name in ("MOVED", "ASK"))


def test_keys_of_all_nodes_are_found_over_one_connection_each(
    cluster: ClusterServers, nodes: RedisCache, loop: Loop
) -> None:
    names = [f"k{number}" for number in range(90)]
    put(nodes, loop, *names)
    loop(_learnt(nodes))
    for node in cluster.primaries:
        node.ask("CONFIG", "RESETSTAT")
    before = [node.admin.info("stats")["total_connections_received"] for node in cluster.primaries]

    assert got(nodes, loop, *names) == [VALUE] * 90
    assert sum(calls(node, "get") for node in cluster.primaries) == 90
    assert [calls(node, "get") > 0 for node in cluster.primaries] == [True] * 3
    assert [sent_away(node) for node in cluster.primaries] == [0, 0, 0]
    after = [node.admin.info("stats")["total_connections_received"] for node in cluster.primaries]
    assert sum(after) - sum(before) <= 3
    loop(nodes.invalidate(names[0], soon()))
    assert got(nodes, loop, names[0]) == [None]


async def _learnt(cache: RedisCache) -> None:
    held = lines_of(cache)
    while held._refreshing is not None:
        await asyncio.wait([held._refreshing])


def test_before_the_map_is_known_no_call_fails(cluster: ClusterServers, loop: Loop) -> None:
    names = [next(keys_of(number)) for number in range(3)]
    for node in range(3):
        with cache_on(cluster.url(node), loop) as cache:
            put(cache, loop, *names)
            assert got(cache, loop, *names) == [VALUE] * 3


def test_buckets_are_one_whatever_node_a_process_names(cluster: ClusterServers, loop: Loop) -> None:
    with cache_on(cluster.url(0), loop) as one, cache_on(cluster.url(1, tls=True), loop) as other:
        for name in ("a", "b", "c", "d"):
            first = loop(one.buckets(5).draw(name, Limit(1, 10), 7, 0, soon()))
            second = loop(other.buckets(5).draw(name, Limit(1, 10), 7, 0, soon()))
            assert (first, second) == (Drawn(7, 3 * TOKEN), Drawn(3, 0))


def test_a_slot_that_moves_is_followed_at_every_step(
    cluster: ClusterServers, nodes: RedisCache, loop: Loop
) -> None:
    source, target = cluster.primaries[0], cluster.primaries[1]
    tag = next(keys_of(0))
    slot = key_slot(tag.encode())
    moved, kept, new = (f"{{{tag}}}{name}" for name in ("moved", "kept", "new"))
    put(nodes, loop, moved, kept)
    loop(_learnt(nodes))
    with moving(cluster, slot, source, target):
        move_key(source, target, moved)
        assert got(nodes, loop, moved, kept, new) == [VALUE, VALUE, None]

        # What is written meanwhile lies where it will be looked for, and stays guarded there.
        put(nodes, loop, new)
        loop(nodes.put_if_newer(moved, 6, b"older", 60, soon()))
        assert got(nodes, loop, moved, kept, new) == [VALUE] * 3

        move_key(source, target, kept)
        end_move(cluster, slot, target)
        assert got(nodes, loop, moved, kept, new) == [VALUE] * 3

        away = sent_away(source)
        assert got(nodes, loop, moved, kept, new) == [VALUE] * 3
        assert sent_away(source) == away


def test_a_node_that_is_gone_takes_only_its_keys_along_until_another_takes_over(
    loop: Loop,
) -> None:
    clock = HandClock()
    with (
        skipping("redis"),
        redis_cluster() as cluster,
        cache_on(cluster.url(), loop, clock=clock) as cache,
    ):
        lost, replica = cluster.primaries[2], cluster.replica
        theirs, others = next(keys_of(2)), [next(keys_of(0)), next(keys_of(1))]
        put(cache, loop, theirs, *others)
        loop(_learnt(cache))
        until(lambda: replica.admin.dbsize() == lost.admin.dbsize())
        lost.server.kill()
        for _ in range(50):
            with pytest.raises(TransientError):
                got(cache, loop, theirs)
        assert got(cache, loop, *others) == [VALUE] * 2
        loop(_learnt(cache))
        # The clock stands still: however much failed, nobody was asked for the map again.
        assert sum(calls(node, "cluster|slots") for node in cluster.primaries[:2]) <= 1

        replica.ask("CLUSTER", "FAILOVER", "TAKEOVER")
        until(lambda: _served(cache, loop, clock, theirs))
        put(cache, loop, *islice(keys_of(2), 5))
        # They have heard by now that there is no third one; nothing leads to it any more.
        assert str(lost.port) not in str(list(lines_of(cache)._lines))


def _served(cache: RedisCache, loop: Loop, clock: HandClock, key: str) -> bool:
    clock.advance(1.0)
    try:
        return got(cache, loop, key) == [VALUE]
    except TransientError:
        loop(_learnt(cache))
        return False


def test_nodes_that_do_not_agree_are_not_asked_for_ever(loop: Loop) -> None:
    with scripted(Says([])) as script:
        there = b"-MOVED 0 127.0.0.1:%d\r\n" % script.port
        script.says = [Says([there + NO_MAP, *[there] * 50])]
        url = f"redis+cluster://{HOST}:{script.port}"
        with cache_on(url, loop, clock=HandClock()) as cache:
            with pytest.raises(TransientError, match="does not serve"):
                loop(cache.get("k", NEVER))
            assert len(lines_of(cache)._lines) == 1
        asked = sum(request.count(b"GET") for request in script.requests)
        assert asked == HOPS_MAX + 1


def test_a_cluster_that_is_down_is_told_as_transient(loop: Loop) -> None:
    down = b"-CLUSTERDOWN Hash slot not served\r\n"
    with (
        scripted(Says([down + NO_MAP])) as script,
        cache_on(f"redis+cluster://{HOST}:{script.port}", loop, clock=HandClock()) as cache,
        pytest.raises(TransientError, match="does not serve"),
    ):
        loop(cache.get("k", NEVER))


def test_a_single_server_may_be_named_as_a_cluster(server: Server, loop: Loop) -> None:
    with cache_on(server.url.replace("redis:", "redis+cluster:"), loop, server.prefix) as cache:
        put(cache, loop, "a", "b", "c")
        assert got(cache, loop, "a", "b", "c") == [VALUE] * 3


def test_a_node_of_a_cluster_is_no_single_server(cluster: ClusterServers, loop: Loop) -> None:
    url = cluster.url().replace("+cluster", "")
    (name,) = islice(keys_of(2), 1)
    with cache_on(url, loop) as cache, pytest.raises(TransientError, match=r"redis\+cluster://"):
        loop(cache.get(name, soon()))


@pytest.mark.parametrize("url", [
    "redis+cluster://127.0.0.1:1/3", "unix+cluster:///tmp/socket", "http+cluster://host",
])  # fmt: skip
def test_an_address_that_names_no_cluster_is_refused(loop: Loop, url: str) -> None:
    with pytest.raises(PermanentError, match="REDIS_URL"), cache_on(url, loop):
        pass


def test_a_look_at_a_cluster_sees_that_it_is_one(cluster: ClusterServers) -> None:
    seen = [look(cluster.url(node, tls=tls)) for node in range(3) for tls in (False, True)]

    assert [each.cluster for each in seen] == [True] * 6
    assert {each.role for each in seen} == {"master"}


def test_a_look_at_one_server_sees_that_it_is_no_cluster(server: Server) -> None:
    assert look(server.url).cluster is False
    assert look(server.url.replace("redis:", "redis+cluster:")).cluster is False


def test_a_look_at_a_node_as_if_it_were_alone_says_how_to_name_the_cluster(
    cluster: ClusterServers,
) -> None:
    found = []
    for node in range(3):
        try:
            look(cluster.url(node).replace("+cluster", ""))
        except PermanentError as error:
            found.append(str(error))
    # The key of the look is of one of them.
    assert len(found) == 2
    assert all("redis+cluster://" in each for each in found)
