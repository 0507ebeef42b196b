"""What streams are given in place of the outside."""

from collections import Counter
from dataclasses import dataclass, field

from adapters.streams.checkpoints import START, Position


@dataclass(slots=True)
class Counted:
    """Counts, and forgets the rest."""

    counts: Counter[str] = field(default_factory=Counter)

    def count(self, name: str, amount: int = 1, **labels: str) -> None:
        self.counts[name] += amount

    def observe(self, name: str, value: float, **labels: str) -> None:
        pass

    def gauge(self, name: str, value: float, **labels: str) -> None:
        pass

    def event(self, name: str, *, level: str = "info", **fields: str | float | bool) -> None:
        pass


@dataclass(slots=True)
class HeldCheckpoints:
    """Positions in memory."""

    positions: dict[tuple[str, str], Position] = field(default_factory=dict)

    async def position(self, stream: str, shard_id: str) -> Position:
        return self.positions.get((stream, shard_id), START)

    async def keep(self, stream: str, shard_id: str, position: Position) -> None:
        self.positions[stream, shard_id] = position
