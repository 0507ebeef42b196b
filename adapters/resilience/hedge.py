"""
Hedged reads: when an answer takes longer than most do, a second read is sent, and the first counts.

It shortens the tail where single replicas are slow now and then. A store that is slow as a whole
gets little of it: hedges have a budget, and the delay follows the store. Off unless wired.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from domain.ports.monitoring import Monitoring
from domain.ports.storage import DataReader, ProjectionRow
from domain.ports.time import Clock, Deadline
from domain.retries import Budget

T = TypeVar("T")
Read = Callable[[], Coroutine[Any, Any, T]]

KEPT: Final = 128
#: The delay is found anew after so many reads; before the first time nothing is hedged.
EVERY: Final = 32
QUANTILE: Final = 0.95
RATIO: Final = 0.05


@dataclass(slots=True)
class Delay:
    """The 95th percentile of the last reads' seconds, None while too few are known."""

    seconds: float | None = field(default=None, init=False)
    _kept: list[float] = field(default_factory=list, init=False)
    _count: int = field(default=0, init=False)

    def note(self, seconds: float) -> None:
        """Note how long a read took."""
        if len(self._kept) < KEPT:
            self._kept.append(seconds)
        else:
            self._kept[self._count % KEPT] = seconds
        self._count += 1
        if self._count % EVERY == 0:
            self.seconds = sorted(self._kept)[int(QUANTILE * (len(self._kept) - 1))]


@dataclass(frozen=True, slots=True)
class HedgedReader:
    """A projection store that is asked a second time when it hesitates; the loser is cancelled."""

    reader: DataReader
    store: str
    clock: Clock
    monitoring: Monitoring
    budget: Budget = field(default_factory=lambda: Budget(RATIO))
    delay: Delay = field(default_factory=Delay)

    async def read_item(
        self, customer_id: str, data_type: str, deadline: Deadline
    ) -> ProjectionRow | None:
        """See `DataReader.read_item`."""
        return await self._first(
            lambda: self.reader.read_item(customer_id, data_type, deadline), deadline
        )

    async def query(
        self, customer_id: str, prefix: str, limit: int, before: str, deadline: Deadline
    ) -> Sequence[ProjectionRow]:
        """See `DataReader.query`; pages are read once: they cost the store too much."""
        return await self.reader.query(customer_id, prefix, limit, before, deadline)

    async def _first(self, read: Read[T], deadline: Deadline) -> T:
        began = self.clock.monotonic()
        self.budget.earn()
        result = await self._hedged(read, deadline)
        self.delay.note(self.clock.monotonic() - began)
        return result

    async def _hedged(self, read: Read[T], deadline: Deadline) -> T:
        delay = self.delay.seconds
        if delay is None or delay >= deadline.remaining(self.clock):
            return await read()
        first = asyncio.ensure_future(read())
        try:
            await asyncio.wait([first], timeout=delay)
            if first.done() or not self.budget.spend():
                return await first
            self.monitoring.count("hedges_total", store=self.store)
            return await self._race(first, asyncio.ensure_future(read()))
        finally:
            first.cancel()

    async def _race(self, first: "asyncio.Future[T]", second: "asyncio.Future[T]") -> T:
        try:
            done, _ = await asyncio.wait([first, second], return_when=asyncio.FIRST_COMPLETED)
            winner = next((each for each in (first, second) if _answered(each, done)), None)
            if winner is None:
                # Whoever came first failed: the other one may still answer.
                await asyncio.wait([first, second])
                winner = second if second.exception() is None else first
            if winner is second:
                self.monitoring.count("hedges_won_total", store=self.store)
            return winner.result()
        finally:
            second.cancel()


def _answered(each: "asyncio.Future[Any]", done: "set[asyncio.Future[Any]]") -> bool:
    return each in done and each.exception() is None
