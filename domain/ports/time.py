"""Time, identity and chance: the core reads none of them by itself."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.errors import DeadlineExceededError


class Clock(Protocol):
    """The present, in two kinds."""

    def now(self) -> datetime:
        """Return the instant in UTC; may be set back by an operator, so never used for waiting."""

    def monotonic(self) -> float:
        """Return seconds that only grow, with the zero of the running event loop's clock."""


class Ids(Protocol):
    """A source of identifiers."""

    def uuid7(self, at: datetime) -> str:
        """Return a fresh UUIDv7 for the instant; later calls of a process sort later within it."""


class Chance(Protocol):
    """A source of chance: salts, jitter, sampling."""

    def token(self, size: int) -> bytes:
        """Return `size` unpredictable bytes."""

    def uniform(self) -> float:
        """Return a number in [0, 1)."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """The monotonic instant, in seconds, at which a request has used up its time."""

    at: float

    @classmethod
    def after(cls, clock: Clock, seconds: float) -> "Deadline":
        """Return the deadline `seconds` from now."""
        return cls(clock.monotonic() + seconds)

    def remaining(self, clock: Clock) -> float:
        """Return the seconds left, never negative."""
        return max(0.0, self.at - clock.monotonic())

    def check(self, clock: Clock) -> None:
        """
        Do nothing while there is time.

        Raises:
            DeadlineExceededError: none is left.
        """
        if clock.monotonic() >= self.at:
            raise DeadlineExceededError("the time of this request is used up")

    def share(self, clock: Clock, fraction: float) -> "Deadline":
        """Return an earlier deadline that uses at most `fraction` of what is left."""
        return Deadline(clock.monotonic() + self.remaining(clock) * fraction)
