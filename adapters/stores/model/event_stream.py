"""The event stream over a model: both sides of the port, with checkpoints that are durable."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, TypeVar

from adapters.stores.model.calls import travel
from adapters.stores.model.errors import ThrottledError, UnavailableError
from adapters.stores.model.hooks import NO_FAULTS, Call, Hooks
from adapters.stores.model.storage import translated
from adapters.stores.model.stream import Entry, Record, Stream
from domain.errors import AmbiguousError, InvalidInputError, NotFoundError, TransientError
from domain.instants import epoch_micros
from domain.ports.stream import StreamRecord
from domain.ports.time import Clock, Deadline

T = TypeVar("T")

RECORD_BYTES_MAX: Final = 1 << 20
KEY_CHARS_MAX: Final = 256
MICROS: Final = 1_000_000


class ModelEventStream:
    """
    Implements `domain.ports.stream.EventStream` and `StreamReader`.

    start: the instant at which the loop's time is zero, from which arrivals are counted.
    """

    def __init__(
        self, stream: Stream, clock: Clock, start: datetime, hooks: Hooks = NO_FAULTS
    ) -> None:
        self._stream: Final = stream
        self._clock: Final = clock
        self._start_us: Final = epoch_micros(start)
        self._hooks: Final = hooks
        self._shards: Final = {f"shardId-{number:012d}": number for number in stream.shards}
        self._checkpoints: Final = dict.fromkeys(self._shards, 0)

    async def put(self, records: Sequence[tuple[str, bytes]], deadline: Deadline) -> None:
        """Append the records in their order; durable once this returns."""
        for key, data in records:
            _check(key, data)
        deadline.check(self._clock)
        try:
            put = await self._stream.put(Entry(key, data) for key, data in records)
        except ThrottledError as error:
            raise translated(error) from error
        except UnavailableError as error:
            raise AmbiguousError("the stream did not answer") from error
        if None in put:
            raise TransientError("some records were throttled")

    async def shards(self) -> Sequence[str]:
        """Return the shard ids in a stable order."""
        return list(self._shards)

    async def read(self, shard_id: str, after: int, limit: int) -> Sequence[StreamRecord]:
        """Return up to `limit` records after a sequence number, in order."""
        number = self._number(shard_id)
        try:
            records = await self._stream.read(number, after, limit)
        except (UnavailableError, ThrottledError) as error:
            raise translated(error) from error
        return [self._record(shard_id, record) for record in records]

    async def checkpoint(self, shard_id: str) -> int:
        """Return the sequence number up to which the shard is handled; 0 at the beginning."""
        self._number(shard_id)
        return await self._call("checkpoint", lambda: self._checkpoints[shard_id])

    async def set_checkpoint(self, shard_id: str, sequence: int) -> None:
        """Keep the new position; durable once this returns."""
        self._number(shard_id)
        await self._call("commit", lambda: self._checkpoints.update({shard_id: sequence}))

    def backlog(self) -> int:
        """Return how many records no checkpoint has passed, for checkers: no call, no fault."""
        checkpoints = [self._checkpoints[name] for name in self._shards]
        return sum(each.sequence > checkpoints[each.shard] for each in self._stream.records())

    def _record(self, shard_id: str, record: Record) -> StreamRecord:
        arrived_us = self._start_us + round(record.arrived_at * MICROS)
        return StreamRecord(
            shard_id, record.sequence, record.partition_key, record.data, arrived_us
        )

    def _number(self, shard_id: str) -> int:
        if shard_id not in self._shards:
            raise NotFoundError("no such shard")
        return self._shards[shard_id]

    async def _call(self, kind: str, apply: Callable[[], T]) -> T:
        try:
            return await travel(self._hooks, Call(kind, "checkpoint"), apply)
        except (UnavailableError, ThrottledError) as error:
            raise translated(error) from error


def _check(key: str, data: bytes) -> None:
    if not 0 < len(key) <= KEY_CHARS_MAX:
        raise InvalidInputError.at("", "partition-key", f"1 to {KEY_CHARS_MAX} characters")
    if len(data) > RECORD_BYTES_MAX:
        raise InvalidInputError.at("", "record-too-large", "a record is at most 1 MiB")
