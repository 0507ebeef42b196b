"""A Redis that was flushed, or began empty, is refilled once; its mark ends by itself."""

from adapters.system import SystemClock
from decision_engine.warm import MARK, CacheWarmer
from tests.integration.shared.caches import Loop, Server, cache_on, soon
from tests.unit.decide.test_warm import Truth, World


def test_a_flushed_server_is_refilled_once_by_one_of_two_processes(
    server: Server, loop: Loop
) -> None:
    world = World(["a", "b", "c", "b"])
    with (
        cache_on(server.url, loop, server.prefix) as one,
        cache_on(server.url, loop, server.prefix) as other,
    ):

        async def read(customer_id: str, _deadline: object) -> None:
            world.read.append(customer_id)
            await one.put_if_newer(f"profile:{customer_id}", 1, b"v", 300, soon())

        async def pause(_seconds: float) -> None:
            pass

        warmers = [
            CacheWarmer(cache, read, Truth(world), SystemClock(), world.counted, pause)
            for cache in (one, other)
        ]
        for _ in range(2):
            assert [loop(each.run_once()) for each in warmers * 2] == [3, 0, 0, 0]
            assert loop(one.get("profile:c", soon())) == (1, b"v")
            server.admin.flushall()

    assert world.read == ["a", "b", "c"] * 2


def test_its_mark_ends_as_every_key_does(server: Server, loop: Loop) -> None:
    world = World([])
    with cache_on(server.url, loop, server.prefix) as cache:
        warmer = CacheWarmer(
            cache, world._read, Truth(world), SystemClock(), world.counted, world._sleep
        )
        loop(warmer.run_once())

    left = server.admin.pttl(f"{server.prefix}{MARK}")
    assert isinstance(left, int)
    assert 0 < left <= 132_000
