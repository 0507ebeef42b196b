"""The cache that processes share."""

from typing import Final

from adapters.stores.redis.buckets import RedisBuckets
from adapters.stores.redis.commands import forget, keep
from adapters.stores.redis.encoding import ABSENT, decode, encode
from adapters.stores.redis.errors import CacheRefusedError
from adapters.stores.redis.line import Limits
from adapters.stores.redis.lines import Lines
from domain.errors import PermanentError
from domain.ports.monitoring import Monitoring
from domain.ports.time import Chance, Clock, Deadline

#: Entries live this much longer or shorter, so that what came together does not go together.
JITTER: Final = 0.1
LIMITS: Final = Limits()
MILLI: Final = 1_000


class RedisCache:
    """
    Implements `domain.ports.storage.Cache` on one Redis or Valkey endpoint.

    Every key begins with `prefix` and has a time to live, so the policy `volatile-lru` may drop
    it. Event loops of several threads may share the cache: each has one connection of its own,
    made at first use. No method raises anything but a `TransientError`.
    """

    def __init__(
        self, url: str, *, clock: Clock, chance: Chance, monitoring: Monitoring,
        prefix: str = "", limits: Limits = LIMITS,
    ) -> None:  # fmt: skip
        """
        Take the settings; the first call connects.

        Raises:
            PermanentError: the address is none of Redis.
        """
        self._chance, self._monitoring = chance, monitoring
        self._prefix = prefix.encode()
        self._lines = Lines(url, clock, limits)

    def buckets(self, at_us: int = 0) -> RedisBuckets:
        """Return token buckets on the same connections; `at_us` is for tests (see there)."""
        return RedisBuckets(self._lines, self._prefix.decode(), at_us)

    async def get(self, key: str, deadline: Deadline) -> tuple[int, bytes] | None:
        """Return (version, bytes), `(0, b"")` for a remembered absence, or None."""
        data = await self._lines.here().read(self._prefix + key.encode(), deadline)
        if data is None:
            return None
        held = decode(data)
        if held is None:
            self._monitoring.count("cache_foreign_values_total")
        return held

    async def put_if_newer(
        self, key: str, version: int, value: bytes, ttl_s: float, deadline: Deadline
    ) -> None:
        """Keep the value unless a newer version is held; an equal one is kept afresh."""
        await self._keep(key, encode(version, value), ttl_s, deadline)

    async def put_absent(self, key: str, ttl_s: float, deadline: Deadline) -> None:
        """Remember that there is nothing, unless a value is held."""
        await self._keep(key, encode(*ABSENT), ttl_s, deadline)

    async def invalidate(self, key: str, deadline: Deadline) -> None:
        """Forget the key."""
        await self._lines.here().write(forget(self._prefix + key.encode()), deadline)

    async def check(self, deadline: Deadline) -> None:
        """
        Ask the server once, for a start that refuses to be half configured.

        Raises:
            PermanentError: the settings do not fit the server, and what to correct.
            TransientError: the server is away; a start may go on without it.
        """
        try:
            await self.get("check", deadline)
        except CacheRefusedError as error:
            raise PermanentError(str(error)) from None

    async def close(self) -> None:
        """End every connection; another loop ends its own in its next turn, so close it later."""
        await self._lines.close()

    async def _keep(self, key: str, value: bytes, ttl_s: float, deadline: Deadline) -> None:
        spread = 1 - JITTER + 2 * JITTER * self._chance.uniform()
        ttl_ms = max(1, round(ttl_s * MILLI * spread))
        await self._lines.here().write(keep(self._prefix + key.encode(), value, ttl_ms), deadline)
