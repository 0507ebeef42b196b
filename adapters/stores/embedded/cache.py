"""The cache of one machine: in the process, bounded, least recently used first out."""

from collections import OrderedDict
from threading import Lock
from typing import Final

from domain.ports.time import Chance, Clock, Deadline

Entry = tuple[float, int, bytes]

#: What an entry costs beside its key and value: three objects and their places in the table.
OVERHEAD_BYTES: Final = 300
#: Entries live this much longer or shorter, so that what came together does not go together.
JITTER: Final = 0.1
ABSENT: Final = (0, b"")


class MemoryCache:
    """
    Implements `domain.ports.storage.Cache` within `bytes_max` bytes of memory.

    A value too large for the whole cache is not kept, and neither is the older one under its key.
    """

    def __init__(self, clock: Clock, chance: Chance, *, bytes_max: int = 64 << 20) -> None:
        self._clock = clock
        self._chance = chance
        self._bytes_max = bytes_max
        self._bytes = 0
        self._entries: OrderedDict[str, Entry] = OrderedDict()
        # Event loops of several threads may share the cache; nothing waits while it is held.
        self._lock = Lock()

    async def get(
        self,
        key: str,
        deadline: Deadline,  # noqa: ARG002  the port's; memory makes nobody wait
    ) -> tuple[int, bytes] | None:
        """Return (version, bytes), `(0, b"")` for a remembered absence, or None."""
        with self._lock:
            held = self._held(key)
            if held is not None:
                self._entries.move_to_end(key)
            return held

    async def put_if_newer(
        self,
        key: str,
        version: int,
        value: bytes,
        ttl_s: float,
        deadline: Deadline,  # noqa: ARG002  as above
    ) -> None:
        """Keep the value unless a newer version is held; an equal one is kept afresh."""
        with self._lock:
            held = self._held(key)
            if held is None or held[0] <= version:
                self._keep(key, version, value, ttl_s)

    async def put_absent(
        self,
        key: str,
        ttl_s: float,
        deadline: Deadline,  # noqa: ARG002  as above
    ) -> None:
        """Remember that there is nothing, unless a value is held."""
        with self._lock:
            if self._held(key) in (None, ABSENT):
                self._keep(key, *ABSENT, ttl_s)

    async def invalidate(
        self,
        key: str,
        deadline: Deadline,  # noqa: ARG002  as above
    ) -> None:
        """Forget the key."""
        with self._lock:
            self._drop(key)

    def _held(self, key: str) -> tuple[int, bytes] | None:
        entry = self._entries.get(key)
        if entry is None:
            return None
        ends_at, version, value = entry
        if self._clock.monotonic() < ends_at:
            return (version, value)
        self._drop(key)
        return None

    def _keep(self, key: str, version: int, value: bytes, ttl_s: float) -> None:
        self._drop(key)
        spread = 1 - JITTER + 2 * JITTER * self._chance.uniform()
        self._entries[key] = (self._clock.monotonic() + ttl_s * spread, version, value)
        self._bytes += _size(key, value)
        while self._bytes > self._bytes_max:
            self._drop(next(iter(self._entries)))

    def _drop(self, key: str) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._bytes -= _size(key, entry[2])


def _size(key: str, value: bytes) -> int:
    return len(key) + len(value) + OVERHEAD_BYTES
