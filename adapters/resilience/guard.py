"""
A breaker with a bulkhead: what kind of work calls a store, and how much of it at a time.

Work of every class shares the breaker of its store, since it meets the same store; each class has
a bulkhead of its own, so that a back-fill that hangs leaves room for decisions.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from adapters.resilience.breaker import DEFAULTS, Breaker, BreakerSettings
from domain.errors import (
    ConflictError,
    DeadlineExceededError,
    GoneError,
    InvalidInputError,
    NotFoundError,
    ThrottledError,
)
from domain.ports.monitoring import Monitoring
from domain.ports.time import Clock

#: The store answered, and what it said is about the question.
ANSWERED: Final = (InvalidInputError, NotFoundError, ConflictError, GoneError)


class WorkClass(StrEnum):
    """Why a store is called (the brief's B13-B16), most important first."""

    CRITICAL = "critical"  # decisions
    STANDARD = "standard"  # reads that people wait for
    BACKGROUND = "background"  # write-backs, ingestion, repairs
    ANALYTICS = "analytics"  # reports, back-tests


#: Calls under way per store: together less than one process has room for.
IN_FLIGHT: Final[Mapping[WorkClass, int]] = {
    WorkClass.CRITICAL: 1_024,
    WorkClass.STANDARD: 256,
    WorkClass.BACKGROUND: 64,
    WorkClass.ANALYTICS: 16,
}


class Guard:
    """Lets the calls of one class of work through to one store; safe within one event loop."""

    __slots__ = ("_in_flight", "_limit", "_monitoring", "breaker", "work")

    def __init__(
        self, breaker: Breaker, work: WorkClass, limit: int, monitoring: Monitoring
    ) -> None:
        self.breaker, self.work = breaker, work
        self._limit, self._in_flight = limit, 0
        self._monitoring = monitoring

    @property
    def in_flight(self) -> int:
        """How many calls are under way."""
        return self._in_flight

    def enter(self) -> float:
        """
        Begin a call; return what `succeeded` or `failed` is to be given, one of them, once.

        Raises:
            ThrottledError: too many calls of this class are under way; nothing was asked.
            BreakerOpenError: the store is left alone; nothing was asked.
        """
        if self._in_flight >= self._limit:
            self._refuse()
        began = self.breaker.enter()
        self._in_flight += 1
        return began

    def succeeded(self, began: float) -> None:
        """End a call that was answered."""
        self._in_flight -= 1
        self.breaker.succeeded(began)

    def failed(self, began: float, error: BaseException) -> None:
        """End a call that raised, and say what that tells about the store."""
        self._in_flight -= 1
        if isinstance(error, asyncio.CancelledError | GeneratorExit):
            self.breaker.left(began)
        elif isinstance(error, DeadlineExceededError | TimeoutError):
            self.breaker.expired(began)
        elif isinstance(error, ANSWERED):
            self.breaker.succeeded(began)
        else:
            self.breaker.failed(began)

    def _refuse(self) -> None:
        name = self.breaker.name
        self._monitoring.count("bulkhead_refused_total", store=name, kind=self.work.value)
        raise ThrottledError(f"too many {self.work.value} calls to {name} are under way")


@dataclass(frozen=True, slots=True)
class Guards:
    """The breaker of one store, and the guard of each class of work in front of it."""

    breaker: Breaker
    of: Mapping[WorkClass, Guard]

    @classmethod
    def made(
        cls,
        name: str,
        clock: Clock,
        monitoring: Monitoring,
        settings: BreakerSettings = DEFAULTS,
        in_flight: Mapping[WorkClass, int] = IN_FLIGHT,
    ) -> "Guards":
        """Return the guards of a store."""
        breaker = Breaker(name, clock, monitoring, settings)
        return cls(
            breaker, {work: Guard(breaker, work, in_flight[work], monitoring) for work in WorkClass}
        )

    @property
    def critical(self) -> Guard:
        """For decisions."""
        return self.of[WorkClass.CRITICAL]

    @property
    def standard(self) -> Guard:
        """For reads that people wait for."""
        return self.of[WorkClass.STANDARD]

    @property
    def background(self) -> Guard:
        """For what nobody waits for."""
        return self.of[WorkClass.BACKGROUND]

    @property
    def analytics(self) -> Guard:
        """For reports."""
        return self.of[WorkClass.ANALYTICS]
