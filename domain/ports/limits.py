"""Token buckets that several processes draw from."""

from dataclasses import dataclass
from typing import Protocol

from domain.ports.time import Deadline
from domain.rate_limit import Limit


@dataclass(frozen=True, slots=True)
class Drawn:
    """How many of the tokens asked for were there, and the level afterwards, in units."""

    given: int
    level: int


class SharedBuckets(Protocol):
    """Buckets under keys; one that was never drawn from, or is forgotten, is full."""

    async def draw(
        self, key: str, limit: Limit, asked: int, owed: int, deadline: Deadline
    ) -> Drawn:
        """
        Draw as `domain.rate_limit.Bucket.draw` does, by the clock that all who share it have.

        Raises:
            TransientError: it may have been drawn or not; a call that is made again may draw twice.
        """
