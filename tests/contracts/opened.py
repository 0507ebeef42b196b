"""
How each suite gets its adapters.

A suite holds a dictionary from an adapter's name to a function that opens it empty in a folder.
`Opened.run` is how coroutines of that adapter run: embedded ones on any loop, simulated ones on
the virtual one.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Generic, Protocol, TypeVar

from domain.ports.time import Deadline

P_co = TypeVar("P_co", covariant=True)
T = TypeVar("T")

START: Final = datetime(2026, 12, 10, 14, 3, 11, tzinfo=UTC)
NEVER: Final = Deadline(float("inf"))


@dataclass(slots=True)
class HandClock:
    """A clock that stands still until a test moves it."""

    instant: datetime = START
    seconds: float = 0.0

    def now(self) -> datetime:
        return self.instant

    def monotonic(self) -> float:
        return self.seconds

    def advance(self, seconds: float) -> None:
        self.instant += timedelta(seconds=seconds)
        self.seconds += seconds


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
class FixedChance:
    """Chance that a test chooses."""

    number: float = 0.5

    def token(self, size: int) -> bytes:
        return bytes(size)

    def uniform(self) -> float:
        return self.number


class Runner(Protocol):
    def __call__(self, coroutine: Coroutine[Any, Any, T], /) -> T: ...


@dataclass(frozen=True, slots=True)
class Opened(Generic[P_co]):
    """An adapter that is open and empty, with the clock that it reads."""

    port: P_co
    clock: HandClock = field(default_factory=HandClock)
    run: Runner = asyncio.run


Factory = Callable[[Path], AbstractContextManager[Opened[P_co]]]


class Closing(Protocol):
    def close(self) -> None: ...


C = TypeVar("C", bound=Closing)


@contextmanager
def opened(port: C, clock: HandClock) -> Iterator[Opened[C]]:
    """Give the adapter to a test and close it afterwards."""
    try:
        yield Opened(port, clock)
    finally:
        port.close()
