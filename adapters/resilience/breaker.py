"""
A circuit breaker with a bulkhead: a store that fails or hangs is left alone for a while.

Closed: calls pass, failures in a row are counted. Open: calls fail at once, without waiting.
Half open: after a pause one call may try; its success closes the breaker, its failure opens it.
At most `in_flight_max` calls are under way at a time, so that a slow store cannot hold everybody.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, TypeVar

from domain.errors import AmbiguousError, ThrottledError, TransientError
from domain.ports.monitoring import Monitoring
from domain.ports.time import Clock

T = TypeVar("T")

FAILURES_MAX: Final = 5
PAUSE_S: Final = 5.0
IN_FLIGHT_MAX: Final = 256


class BreakerState(StrEnum):
    """What a breaker does with the next call."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(slots=True)
class Breaker:
    """Guards the calls to one store; safe within one event loop."""

    name: str
    clock: Clock
    monitoring: Monitoring
    failures_max: int = FAILURES_MAX
    pause_s: float = PAUSE_S
    in_flight_max: int = IN_FLIGHT_MAX
    _failures: int = field(default=0, init=False)
    _opened_at: float | None = field(default=None, init=False)
    _probing: bool = field(default=False, init=False)
    _in_flight: int = field(default=0, init=False)

    @property
    def state(self) -> BreakerState:
        """What the breaker would do with a call now."""
        if self._opened_at is None:
            return BreakerState.CLOSED
        waited = self.clock.monotonic() - self._opened_at
        return BreakerState.OPEN if waited < self.pause_s else BreakerState.HALF_OPEN

    async def call(self, work: Callable[[], Awaitable[T]]) -> T:
        """
        Run a call unless the breaker is open.

        A call that is cancelled counts as failed: whoever waits gives up on slow stores.

        Raises:
            TransientError: the breaker is open; nothing was asked.
            ThrottledError: too many calls are under way; nothing was asked.
        """
        self._refuse()
        self._in_flight += 1
        try:
            result = await work()
        except (TransientError, AmbiguousError, TimeoutError, asyncio.CancelledError):
            self._fail()
            raise
        finally:
            self._in_flight -= 1
            self._probing = False
        self._succeed()
        return result

    def _refuse(self) -> None:
        state = self.state
        if state is BreakerState.OPEN or (state is BreakerState.HALF_OPEN and self._probing):
            raise TransientError(f"{self.name} is left alone for a while")
        if self._in_flight >= self.in_flight_max:
            raise ThrottledError(f"too many calls to {self.name} are under way")
        self._probing = state is BreakerState.HALF_OPEN

    def _fail(self) -> None:
        self._failures += 1
        if self._opened_at is not None or self._failures >= self.failures_max:
            self._opened_at = self.clock.monotonic()
            self.monitoring.count("breaker_opened_total", store=self.name)

    def _succeed(self) -> None:
        self._failures = 0
        self._opened_at = None
