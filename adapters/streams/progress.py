"""How far a stream is handled, told by its checkpoints."""

from dataclasses import dataclass

from domain.ports.stream import StreamReader


@dataclass(frozen=True, slots=True)
class CheckpointProgress:
    """Implements `domain.ports.stream.StreamProgress` on any reader that keeps checkpoints."""

    reader: StreamReader

    async def oldest_waiting(self) -> int | None:
        """Return when the oldest record arrived that is not handled yet; None for no record."""
        arrived: list[int] = []
        for shard in await self.reader.shards():
            after = await self.reader.checkpoint(shard)
            arrived += [record.arrived_us for record in await self.reader.read(shard, after, 1)]
        return min(arrived, default=None)
