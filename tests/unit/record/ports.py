"""Fakes of time, ids and chance that move by hand."""

import itertools
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from domain.identifiers import uuid7
from tests.unit.record.toy import NOW


@dataclass
class HandClock:
    """A clock that stands still until it is moved."""

    instant: datetime = NOW
    seconds: float = 0.0

    def now(self) -> datetime:
        return self.instant

    def monotonic(self) -> float:
        return self.seconds

    def move(self, seconds: float) -> None:
        self.instant += timedelta(seconds=seconds)
        self.seconds += seconds


@dataclass
class CountingIds:
    """UUIDv7s in order."""

    counter: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def uuid7(self, at: datetime) -> str:
        return uuid7(at, next(self.counter))


@dataclass
class FixedChance:
    """Chance without chance."""

    counter: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def token(self, size: int) -> bytes:
        return next(self.counter).to_bytes(size, "big")

    def uniform(self) -> float:
        return 0.5
