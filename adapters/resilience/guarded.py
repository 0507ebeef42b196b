"""Stores behind a breaker; each implements the port that it wraps."""

from collections.abc import Sequence
from dataclasses import dataclass

from adapters.resilience.breaker import Breaker
from domain.ports.storage import Applied, Cache, DataReader, DataWriter, ProjectionRow
from domain.ports.time import Deadline


@dataclass(frozen=True, slots=True)
class GuardedCache:
    """A cache that is left alone while it fails."""

    cache: Cache
    breaker: Breaker

    async def get(self, key: str, deadline: Deadline) -> tuple[int, bytes] | None:
        """See `Cache.get`."""
        return await self.breaker.call(lambda: self.cache.get(key, deadline))

    async def put_if_newer(
        self, key: str, version: int, value: bytes, ttl_s: float, deadline: Deadline
    ) -> None:
        """See `Cache.put_if_newer`."""
        await self.breaker.call(
            lambda: self.cache.put_if_newer(key, version, value, ttl_s, deadline)
        )

    async def put_absent(self, key: str, ttl_s: float, deadline: Deadline) -> None:
        """See `Cache.put_absent`."""
        await self.breaker.call(lambda: self.cache.put_absent(key, ttl_s, deadline))

    async def invalidate(self, key: str, deadline: Deadline) -> None:
        """See `Cache.invalidate`."""
        await self.breaker.call(lambda: self.cache.invalidate(key, deadline))


@dataclass(frozen=True, slots=True)
class GuardedReader:
    """A projection store that is not asked while it fails."""

    reader: DataReader
    breaker: Breaker

    async def read_item(
        self, customer_id: str, data_type: str, deadline: Deadline
    ) -> ProjectionRow | None:
        """See `DataReader.read_item`."""
        return await self.breaker.call(
            lambda: self.reader.read_item(customer_id, data_type, deadline)
        )

    async def query(
        self, customer_id: str, prefix: str, limit: int, before: str, deadline: Deadline
    ) -> Sequence[ProjectionRow]:
        """See `DataReader.query`."""
        return await self.breaker.call(
            lambda: self.reader.query(customer_id, prefix, limit, before, deadline)
        )


@dataclass(frozen=True, slots=True)
class GuardedWriter:
    """A projection store that is not written to while it fails."""

    writer: DataWriter
    breaker: Breaker

    async def put_if_newer(
        self, rows: Sequence[ProjectionRow], deadline: Deadline
    ) -> Sequence[Applied]:
        """See `DataWriter.put_if_newer`."""
        return await self.breaker.call(lambda: self.writer.put_if_newer(rows, deadline))
