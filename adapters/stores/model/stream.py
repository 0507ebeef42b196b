"""A model of a Kinesis stream: shards by hash of the partition key, ordered within a shard."""

import asyncio
import hashlib
from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from adapters.stores.model.calls import travel
from adapters.stores.model.hooks import NO_FAULTS, Call, Hooks

READ_LIMIT: Final = 10_000
HASH_BITS: Final = 128


@dataclass(frozen=True, slots=True)
class Entry:
    """A record to be: what a producer puts."""

    partition_key: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Record:
    """A record of the stream; sequence numbers of a shard rise, with gaps."""

    shard: int
    sequence: int
    partition_key: str
    data: bytes
    arrived_at: float


def _accept(_: Entry) -> bool:
    return True


class Stream:
    """
    A stream that keeps every record.

    accepts: says of each entry of a put whether it is taken or throttled.
    """

    def __init__(
        self,
        name: str,
        shards: int,
        hooks: Hooks = NO_FAULTS,
        *,
        accepts: Callable[[Entry], bool] = _accept,
    ) -> None:
        self.name: Final = name
        self._hooks: Final = hooks
        self._accepts: Final = accepts
        self._shards: Final[list[list[Record]]] = [[] for _ in range(shards)]
        self._last_sequence = 0

    @property
    def shards(self) -> range:
        """Return the numbers of the shards."""
        return range(len(self._shards))

    def shard_of(self, partition_key: str) -> int:
        """Return the shard of a partition key: its MD5 in equal ranges, as Kinesis does."""
        digest = hashlib.md5(partition_key.encode(), usedforsecurity=False).digest()
        return int.from_bytes(digest, "big") * len(self._shards) >> HASH_BITS

    async def put(self, entries: Iterable[Entry]) -> list[Record | None]:
        """
        Append the entries in their order; None stands for one that was throttled.

        A throttled entry does not stop those after it, so a key's order can break here. What was
        put twice is there twice.

        Raises:
            UnavailableError: none or all were appended, or will be.
            ThrottledError: none was appended.
        """
        given = tuple(entries)
        call = Call("put", self.name)
        return await travel(self._hooks, call, lambda: [self._append(entry) for entry in given])

    async def read(
        self, shard: int, after: int | None = None, limit: int = READ_LIMIT
    ) -> list[Record]:
        """
        Return records of a shard behind a sequence number, from the beginning with None.

        Raises:
            UnavailableError, ThrottledError: read again.
        """
        call = Call("read", self.name)
        return await travel(self._hooks, call, lambda: self._behind(shard, after)[:limit])

    def records(self) -> list[Record]:
        """Return everything in the order of arrival, for checkers: no call, no fault."""
        return sorted(
            (record for shard in self._shards for record in shard),
            key=lambda record: record.sequence,
        )

    def _append(self, entry: Entry) -> Record | None:
        if not self._accepts(entry):
            return None
        # Steps of two, so that nobody gets away with computing the next number.
        self._last_sequence += 2
        shard = self.shard_of(entry.partition_key)
        now = asyncio.get_running_loop().time()
        record = Record(shard, self._last_sequence, entry.partition_key, entry.data, now)
        self._shards[shard].append(record)
        return record

    def _behind(self, shard: int, after: int | None) -> list[Record]:
        records = self._shards[shard]
        if after is None:
            return list(records)
        return records[bisect_right(records, after, key=lambda record: record.sequence) :]
