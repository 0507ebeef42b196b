"""
Stores behind a guard; each implements the port that it wraps.

Caches keep deadlines themselves, and a hit is the hottest path there is, so nothing here times
them. Projection stores are timed here, whatever their driver does.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from math import isinf
from typing import TypeVar

from adapters.resilience.guard import Guard
from domain.errors import DeadlineExceededError
from domain.ports.storage import (
    Applied,
    Cache,
    DataReader,
    DataWriter,
    ProjectionRow,
)
from domain.ports.time import Clock, Deadline

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class GuardedCache:
    """A cache that is left alone while it fails."""

    cache: Cache
    reads: Guard
    writes: Guard

    async def get(self, key: str, deadline: Deadline) -> tuple[int, bytes] | None:
        """See `Cache.get`."""
        guard = self.reads
        began = guard.enter()
        try:
            found = await self.cache.get(key, deadline)
        except BaseException as error:
            guard.failed(began, error)
            raise
        guard.succeeded(began)
        return found

    async def put_if_newer(
        self, key: str, version: int, value: bytes, ttl_s: float, deadline: Deadline
    ) -> None:
        """See `Cache.put_if_newer`."""
        with _Passing(self.writes):
            await self.cache.put_if_newer(key, version, value, ttl_s, deadline)

    async def put_absent(self, key: str, ttl_s: float, deadline: Deadline) -> None:
        """See `Cache.put_absent`."""
        with _Passing(self.writes):
            await self.cache.put_absent(key, ttl_s, deadline)

    async def invalidate(self, key: str, deadline: Deadline) -> None:
        """See `Cache.invalidate`."""
        with _Passing(self.writes):
            await self.cache.invalidate(key, deadline)


@dataclass(frozen=True, slots=True)
class GuardedReader:
    """A projection store that is not asked while it fails, and never waited for too long."""

    reader: DataReader
    guard: Guard
    clock: Clock

    async def read_item(
        self, customer_id: str, data_type: str, deadline: Deadline
    ) -> ProjectionRow | None:
        """See `DataReader.read_item`."""
        return await _in_time(
            self.guard,
            self.clock,
            deadline,
            lambda: self.reader.read_item(customer_id, data_type, deadline),
        )

    async def query(
        self, customer_id: str, prefix: str, limit: int, before: str, deadline: Deadline
    ) -> Sequence[ProjectionRow]:
        """See `DataReader.query`."""
        return await _in_time(
            self.guard,
            self.clock,
            deadline,
            lambda: self.reader.query(customer_id, prefix, limit, before, deadline),
        )


@dataclass(frozen=True, slots=True)
class GuardedWriter:
    """A projection store that is not written to while it fails, and never waited for too long."""

    writer: DataWriter
    guard: Guard
    clock: Clock

    async def put_if_newer(
        self, rows: Sequence[ProjectionRow], deadline: Deadline
    ) -> Sequence[Applied]:
        """See `DataWriter.put_if_newer`."""
        return await _in_time(
            self.guard,
            self.clock,
            deadline,
            lambda: self.writer.put_if_newer(rows, deadline),
        )


class _Passing:
    """A call that is under way: entered when the block begins, judged by how it ends."""

    __slots__ = ("_began", "_guard")

    def __init__(self, guard: Guard) -> None:
        self._guard, self._began = guard, 0.0

    def __enter__(self) -> None:
        self._began = self._guard.enter()

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is None:
            self._guard.succeeded(self._began)
        else:
            self._guard.failed(self._began, error)


async def _in_time(
    guard: Guard, clock: Clock, deadline: Deadline, work: Callable[[], Awaitable[T]]
) -> T:
    seconds = deadline.remaining(clock)
    began = guard.enter()
    try:
        async with asyncio.timeout(None if isinf(seconds) else seconds):
            result = await work()
    except BaseException as error:
        guard.failed(began, error)
        if isinstance(error, TimeoutError):
            name = guard.breaker.name
            raise DeadlineExceededError(f"{name} did not answer in time") from error
        raise
    guard.succeeded(began)
    return result
