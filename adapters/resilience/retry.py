"""
Reads that are tried again: within a budget, after a random pause, and only while time is left.

The budget is what keeps retries from turning a slow store into a dead one: each call earns a part
of a retry, so that in the long run they are that share of the calls, whatever fails.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from adapters.resilience.breaker import BreakerOpenError
from domain.errors import AmbiguousError, DeadlineExceededError, TransientError
from domain.ports.monitoring import Monitoring
from domain.ports.storage import DataReader, ProjectionRow
from domain.ports.time import Chance, Clock, Deadline
from domain.retries import Budget, full_jitter

T = TypeVar("T")
Sleep = Callable[[float], Awaitable[object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrySettings:
    """
    How often and how soon to try again.

    Attempt n comes after a pause drawn evenly from 0 to `first_s` * `factor` ** (n - 1), at most
    `pause_max_s`: full jitter, so that callers that failed together do not come back together. The
    counts are the brief's (B23); its first second is a twentieth here, because somebody waits.
    """

    attempts: int = 3
    first_s: float = 0.05
    factor: float = 2.0
    pause_max_s: float = 1.0


RETRIES: Final = RetrySettings()


@dataclass(frozen=True, slots=True)
class Retries:
    """Tries a read again; for what changes nothing, or may be repeated."""

    store: str
    budget: Budget
    clock: Clock
    chance: Chance
    monitoring: Monitoring
    settings: RetrySettings = RETRIES
    sleep: Sleep = asyncio.sleep

    async def __call__(self, work: Callable[[], Awaitable[T]], deadline: Deadline) -> T:
        """
        Return what the work gives.

        Raises:
            TransientError: it failed as often as it could be tried; what failed last.
        """
        self.budget.earn()
        attempt = 1
        while True:
            try:
                return await work()
            except (TransientError, AmbiguousError) as error:
                pause = self._pause(attempt)
                if not self._again(attempt, pause, error, deadline):
                    raise
            attempt += 1
            self.monitoring.count("retries_total", store=self.store)
            await self.sleep(pause)

    def _again(
        self, attempt: int, pause: float, error: TransientError | AmbiguousError, deadline: Deadline
    ) -> bool:
        if isinstance(error, BreakerOpenError | DeadlineExceededError):
            return False
        if attempt >= self.settings.attempts or pause >= deadline.remaining(self.clock):
            return False
        if self.budget.spend():
            return True
        self.monitoring.count("retries_refused_total", store=self.store)
        return False

    def _pause(self, attempt: int) -> float:
        held = self.settings
        return full_jitter(held.first_s, held.pause_max_s, attempt, self.chance, factor=held.factor)


@dataclass(frozen=True, slots=True)
class RetryingReader:
    """A projection store whose failed reads are tried again."""

    reader: DataReader
    retries: Retries

    async def read_item(
        self, customer_id: str, data_type: str, deadline: Deadline
    ) -> ProjectionRow | None:
        """See `DataReader.read_item`."""
        return await self.retries(
            lambda: self.reader.read_item(customer_id, data_type, deadline), deadline
        )

    async def query(
        self, customer_id: str, prefix: str, limit: int, before: str, deadline: Deadline
    ) -> Sequence[ProjectionRow]:
        """See `DataReader.query`."""
        return await self.retries(
            lambda: self.reader.query(customer_id, prefix, limit, before, deadline), deadline
        )
