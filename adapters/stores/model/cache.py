"""A model of a cache: it may forget anything at any time, and its calls travel."""

import asyncio
from collections.abc import Callable
from math import isinf
from typing import Final, TypeVar

from adapters.stores.model.calls import travel
from adapters.stores.model.errors import ThrottledError, UnavailableError
from adapters.stores.model.hooks import NO_FAULTS, Call, Hooks
from adapters.stores.model.storage import translated
from domain.errors import DeadlineExceededError
from domain.ports.time import Clock, Deadline

T = TypeVar("T")
Entry = tuple[float, int, bytes]

ABSENT: Final = (0, b"")


def _never() -> bool:
    return False


class ModelCache:
    """
    Implements `domain.ports.storage.Cache`; all processes that share it see the same entries.

    forgets: says of each read whether the entry has been evicted just before.
    """

    def __init__(
        self, clock: Clock, hooks: Hooks = NO_FAULTS, *, forgets: Callable[[], bool] = _never
    ) -> None:
        self._clock: Final = clock
        self._hooks: Final = hooks
        self._forgets: Final = forgets
        self._entries: Final[dict[str, Entry]] = {}

    async def get(self, key: str, deadline: Deadline) -> tuple[int, bytes] | None:
        """Return (version, bytes), `(0, b"")` for a remembered absence, or None."""
        return await self._call("get", deadline, lambda: self._read(key))

    async def put_if_newer(
        self, key: str, version: int, value: bytes, ttl_s: float, deadline: Deadline
    ) -> None:
        """Keep the value unless a newer version is held; an equal one is kept afresh."""
        await self._call("put", deadline, lambda: self._put(key, (version, value), ttl_s))

    async def put_absent(self, key: str, ttl_s: float, deadline: Deadline) -> None:
        """Remember that there is nothing, unless a value is held."""
        await self._call("put", deadline, lambda: self._put(key, ABSENT, ttl_s))

    async def invalidate(self, key: str, deadline: Deadline) -> None:
        """Forget the key."""
        await self._call("delete", deadline, lambda: self._entries.pop(key, None))

    async def _call(self, kind: str, deadline: Deadline, apply: Callable[[], T]) -> T:
        deadline.check(self._clock)
        seconds = deadline.remaining(self._clock)
        try:
            async with asyncio.timeout(None if isinf(seconds) else seconds):
                return await travel(self._hooks, Call(kind, ""), apply)
        except (UnavailableError, ThrottledError) as error:
            raise translated(error) from error
        except TimeoutError as error:
            raise DeadlineExceededError("the model cache did not answer in time") from error

    def _read(self, key: str) -> tuple[int, bytes] | None:
        if self._forgets():
            self._entries.pop(key, None)
        return self._held(key)

    def _put(self, key: str, new: tuple[int, bytes], ttl_s: float) -> None:
        held = self._held(key)
        if held is None or held[0] <= new[0]:
            self._entries[key] = (self._clock.monotonic() + ttl_s, *new)

    def _held(self, key: str) -> tuple[int, bytes] | None:
        ends_at, version, value = self._entries.get(key, (0.0, *ABSENT))
        return (version, value) if self._clock.monotonic() < ends_at else None
