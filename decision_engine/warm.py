"""
Filling a cache that was emptied with those who will most likely be asked for again.

A mark in the cache says that it has not been emptied: it ends soon after the last process that
looks is gone, and a flush takes it along. Whoever finds none sets it and reads the customers
decided last, by the way that every decision reads: so each fill is guarded by its version and
dropped when it took too long, and what is still there is not written. Slow on purpose: a refill
must not cost more than the misses that it spares.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from decision_engine.archive import ListDecisions, StoredDecision
from domain.errors import CreditError
from domain.ports.monitoring import Monitoring
from domain.ports.storage import Cache
from domain.ports.time import Clock, Deadline
from domain.ports.truth import Truth

MARK: Final = "warm"
MARK_VERSION: Final = 1
#: Looked at every quarter of a minute; without anybody who looks, profiles have ended as well.
MARK_TTL_S: Final = 120.0
LOOK_S: Final = 1.0
#: A refill reads at most so many customers, one after the other, at most 200 a second.
CUSTOMERS_MAX: Final = 2_000
PAUSE_S: Final = 0.005
#: So many failures in a row end it.
FAILURES_MAX: Final = 5
PAGE: Final = 100
PAGES_MAX: Final = 40
READ_S: Final = 1.0
#: Nor does it go on for longer.
WARM_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class CacheWarmer:
    """Looks whether the cache was emptied, and refills it; `read` reads a customer (`Gather`)."""

    cache: Cache
    read: Callable[[str, Deadline], Awaitable[object]]
    truth: Truth
    clock: Clock
    monitoring: Monitoring
    sleep: Callable[[float], Awaitable[None]]

    async def run_once(self) -> int:
        """
        Look, refill when it is due, and return how many customers were read.

        Raises:
            CreditError: the cache or truth is away, or several reads in a row failed; what is left
                is filled by whoever asks for it.
        """
        within = Deadline.after(self.clock, LOOK_S)
        held = await self.cache.get(MARK, within)
        # Set first: of several processes one refills, or a few, never all again and again.
        await self.cache.put_if_newer(MARK, MARK_VERSION, b"", MARK_TTL_S, within)
        if held is not None:
            return 0
        self.monitoring.count("cache_refills_total")
        count = await self._refill(self.clock.monotonic() + WARM_S)
        self.monitoring.event("cache.refilled", customers=count)
        return count

    async def _refill(self, until: float) -> int:
        seen: set[str] = set()
        before: tuple[int, str] | None = None
        for _ in range(PAGES_MAX):
            rows = await self._page(before)
            fresh = unseen(rows, seen)
            seen.update(fresh)
            if not await self._read_all(fresh, until):
                break
            if len(rows) < PAGE or len(seen) >= CUSTOMERS_MAX:
                break
            before = (rows[-1].decided_us, rows[-1].decision_id)
        return len(seen)

    async def _page(self, before: tuple[int, str] | None) -> Sequence[StoredDecision]:
        within = Deadline.after(self.clock, READ_S)
        (rows,) = await self.truth.read([ListDecisions(PAGE, before)], within)
        return rows

    async def _read_all(self, customers: Iterable[str], until: float) -> bool:
        """Read one after the other; return False when the time is over."""
        failed = 0
        for customer in customers:
            if self.clock.monotonic() >= until:
                return False
            try:
                await self.read(customer, Deadline.after(self.clock, READ_S))
            except CreditError:
                failed += 1
                if failed == FAILURES_MAX:
                    raise
            else:
                failed = 0
                self.monitoring.count("cache_refilled_customers_total")
            await self.sleep(PAUSE_S)
        return True


def unseen(rows: Iterable[StoredDecision], seen: set[str]) -> list[str]:
    """Return the customers of decisions that were not seen, each once, within the bound."""
    fresh = dict.fromkeys(row.customer_id for row in rows if row.customer_id not in seen)
    return list(fresh)[: max(0, CUSTOMERS_MAX - len(seen))]
