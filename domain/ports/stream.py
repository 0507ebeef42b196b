"""The event stream: ordered per key, at least once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from domain.ports.time import Deadline


@dataclass(frozen=True, slots=True)
class StreamRecord:
    """One record as stored: its shard, its place in the shard, and when it arrived."""

    shard_id: str
    sequence: int
    partition_key: str
    data: bytes
    arrived_us: int


class EventStream(Protocol):
    """Durable records in shards; a partition key always maps to one shard."""

    async def put(self, records: Sequence[tuple[str, bytes]], deadline: Deadline) -> None:
        """
        Append (partition key, data) pairs in the order given; durable once this returns.

        Raises:
            TransientError, AmbiguousError: some may have been appended; put all again, consumers
                are idempotent on the event id.
        """


class StreamReader(Protocol):
    """The consuming side, as an event source mapping sees it."""

    async def shards(self) -> Sequence[str]:
        """Return the shard ids in a stable order."""

    async def read(self, shard_id: str, after: int, limit: int) -> Sequence[StreamRecord]:
        """Return up to `limit` records after a sequence number, in order."""

    async def checkpoint(self, shard_id: str) -> int:
        """Return the sequence number up to which the shard is handled; 0 at the beginning."""

    async def set_checkpoint(self, shard_id: str, sequence: int) -> None:
        """Keep the new position; durable once this returns."""


class StreamProgress(Protocol):
    """How far the consumers of a stream have come."""

    async def oldest_waiting(self) -> int | None:
        """
        Return when the oldest record arrived that is not handled yet, in µs; None for no record.

        Raises:
            TransientError: the stream is away.
        """
