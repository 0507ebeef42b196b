"""Both sides of one Kinesis stream, as a process that produces and consumes has it."""

from collections.abc import Sequence
from dataclasses import dataclass

from adapters.streams.kinesis import KinesisStream
from adapters.streams.kinesis_reader import KinesisReader
from domain.ports.stream import StreamRecord
from domain.ports.time import Deadline


@dataclass(frozen=True, slots=True)
class TwoSidedStream:
    """Implements `domain.ports.stream.EventStream` and `StreamReader`."""

    producer: KinesisStream
    consumer: KinesisReader

    async def put(self, records: Sequence[tuple[str, bytes]], deadline: Deadline) -> None:
        """See `EventStream.put`."""
        await self.producer.put(records, deadline)

    async def shards(self) -> Sequence[str]:
        """See `StreamReader.shards`."""
        return await self.consumer.shards()

    async def read(self, shard_id: str, after: int, limit: int) -> Sequence[StreamRecord]:
        """See `StreamReader.read`."""
        return await self.consumer.read(shard_id, after, limit)

    async def checkpoint(self, shard_id: str) -> int:
        """See `StreamReader.checkpoint`."""
        return await self.consumer.checkpoint(shard_id)

    async def set_checkpoint(self, shard_id: str, sequence: int) -> None:
        """See `StreamReader.set_checkpoint`."""
        await self.consumer.set_checkpoint(shard_id, sequence)
