"""What the tests of shared servers are made of: a loop, a server, and caches on it."""

import asyncio
import threading
from asyncio import new_event_loop
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Self, TypeVar
from urllib.parse import urlsplit

import redis

from adapters.stores.redis.cache import RedisCache
from adapters.stores.redis.line import Limits
from adapters.system import SystemClock
from domain.ports.time import Clock, Deadline
from tests.contracts.opened import Counted, FixedChance, HandClock
from tests.services.server import HOST

T = TypeVar("T")
LIMIT_S: Final = 30.0
#: Long enough for a loaded machine: only a call that never ends meets it.
PATIENCE_S: Final = 20.0
LIMITS: Final = Limits(connect_s=PATIENCE_S, trip_s=PATIENCE_S)


class Loop:
    """One event loop in a thread of its own; any thread may have a coroutine run on it."""

    def __init__(self, new_loop: Callable[[], asyncio.AbstractEventLoop] = new_event_loop) -> None:
        self._loop = new_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        # What was closed in this turn of the loop is gone after the next.
        self(asyncio.sleep(0))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(LIMIT_S)
        self._loop.close()

    def __call__(self, coroutine: Coroutine[Any, Any, T], /) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(LIMIT_S)


@dataclass(frozen=True, slots=True)
class Server:
    """A Redis, an administrator's way into it, and the prefix of one test's keys."""

    url: str
    admin: redis.Redis
    prefix: str = ""

    @property
    def port(self) -> int:
        port = urlsplit(self.url).port
        assert port is not None
        return port

    def held(self) -> list[str]:
        return [key.decode() for key in self.admin.scan_iter(match=f"{self.prefix}*")]

    def calls(self) -> Counter[str]:
        """How often each command came, since the last reset of these counts."""
        stats = self.admin.info("commandstats")
        assert isinstance(stats, dict)
        return Counter({name.removeprefix("cmdstat_"): of["calls"] for name, of in stats.items()})


class ServerClock(HandClock):
    """A clock that a test moves, and the times to live on the server with it."""

    def __init__(self, server: Server) -> None:
        super().__init__()
        self._server = server

    def advance(self, seconds: float) -> None:
        super().advance(seconds)
        for key in self._server.held():
            left = self._server.admin.pttl(key)
            assert isinstance(left, int)
            # Nothing may live for ever there.
            assert left > 0
            self._server.admin.pexpire(key, max(0, left - round(seconds * 1000)))


def execute(server: Server, *command: str) -> None:
    # The driver does not say what this returns.
    server.admin.execute_command(*command)  # type: ignore[no-untyped-call]


@contextmanager
def cache_on(
    url: str,
    loop: Loop,
    prefix: str = "",
    *,
    clock: Clock | None = None,
    chance: float = 0.5,
    limits: Limits = LIMITS,
) -> Iterator[RedisCache]:
    """A cache that is closed afterwards; it counts into `counts_of`."""
    cache = RedisCache(
        url,
        clock=clock or SystemClock(),
        chance=FixedChance(chance),
        monitoring=Counted(),
        prefix=prefix,
        limits=limits,
    )
    try:
        yield cache
    finally:
        loop(cache.close())


def counts_of(cache: RedisCache) -> Counter[str]:
    assert isinstance(cache._monitoring, Counted)
    return cache._monitoring.counts


def soon(seconds: float = PATIENCE_S) -> Deadline:
    return Deadline.after(SystemClock(), seconds)


def at_port(port: int) -> str:
    return f"redis://{HOST}:{port}/0"
