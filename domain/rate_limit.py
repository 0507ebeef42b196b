"""
How much a caller may ask: a token bucket in whole numbers.

A token is a million units, so a rate in tokens a second is a rate in units a microsecond, and no
refill is ever rounded. A shared bucket runs the same arithmetic as a script (see the port
`SharedBuckets`); a test holds the two together.
"""

from dataclasses import dataclass
from typing import Final, Self

from domain.errors import InvalidInputError

TOKEN: Final = 1_000_000
MICROS: Final = 1_000_000
#: A bucket's units stay below 2**53, so a script that counts in doubles counts exactly.
TOKENS_MAX: Final = 1_000_000
#: A process admits this part of a burst by itself, before the shared bucket has heard of it.
CREDIT_PART: Final = 80
#: The shared bucket holds this part more, for draws that reach it late.
LATE_PART: Final = 40


@dataclass(frozen=True, slots=True)
class Limit:
    """In any span of `t` seconds a caller may ask `burst + rate * t` times; both are tokens."""

    rate: int
    burst: int

    def __post_init__(self) -> None:
        """
        Refuse what is no limit.

        Raises:
            InvalidInputError: not between 1 and `TOKENS_MAX`.
        """
        if not (1 <= self.rate <= TOKENS_MAX and 1 <= self.burst <= TOKENS_MAX):
            raise InvalidInputError(f"a rate and its burst are 1 to {TOKENS_MAX}")

    @property
    def units(self) -> int:
        """What a full bucket holds."""
        return self.burst * TOKEN

    def credit(self, processes: int) -> int:
        """Return how many tokens each of `processes` may spend before it has told of them."""
        return self.burst // (CREDIT_PART * processes)

    def widened(self, processes: int) -> "Limit":
        """Return the limit of the shared bucket, which hears of what is admitted late."""
        late = processes * self.credit(processes) + self.burst // LATE_PART
        return Limit(self.rate, min(TOKENS_MAX, self.burst + late))

    def part(self, processes: int) -> "Limit":
        """Return what one of `processes` may admit when none hears of another."""
        return Limit(max(1, self.rate // processes), max(1, self.burst // processes))


@dataclass(slots=True)
class Bucket:
    """Units, as of an instant in microseconds of any clock."""

    level: int
    at: int

    @classmethod
    def full(cls, limit: Limit, at: int) -> Self:
        """Return a full bucket."""
        return cls(limit.units, at)

    def draw(self, limit: Limit, at: int, asked: int, owed: int = 0) -> int:
        """
        Take what is `owed` in any case, then as many of the tokens `asked` as are there.

        Returns how many of those asked were there. A clock that was set back refills nothing.
        """
        if at > self.at:
            self.level = min(limit.units, self.level + (at - self.at) * limit.rate)
        else:
            self.level = min(limit.units, self.level)
        self.at = at
        self.level -= owed * TOKEN
        given = max(0, min(asked, self.level // TOKEN))
        self.level -= given * TOKEN
        return given


def wait_seconds(level: int, limit: Limit) -> float:
    """Return the seconds until a bucket at this level holds a token; 0 when it does."""
    return max(0, TOKEN - level) / (limit.rate * MICROS)
