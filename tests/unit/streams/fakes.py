"""What streams are given in place of the outside."""

from dataclasses import dataclass, field

from adapters.streams.checkpoints import START, Position


@dataclass(slots=True)
class HeldCheckpoints:
    """Positions in memory."""

    positions: dict[tuple[str, str], Position] = field(default_factory=dict)

    async def position(self, stream: str, shard_id: str) -> Position:
        return self.positions.get((stream, shard_id), START)

    async def keep(self, stream: str, shard_id: str, position: Position) -> None:
        self.positions[stream, shard_id] = position
