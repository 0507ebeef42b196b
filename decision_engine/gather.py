"""
Reading a customer, from the fastest tier to the truth: Redis, DynamoDB, Aurora.

A tier that misses, fails or is too slow is passed over and named in `degraded` when it failed; what
was found below is written back above, unless it is newer there. Concurrent reads of one customer
share one flight, a task of its own, so that no caller's cancellation kills the others.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from decision_engine.archive import ReadCustomerProfile
from decision_engine.snapshot import Gathered
from domain.customer import CreditData
from domain.errors import AmbiguousError, CreditError, TransientError
from domain.ports.monitoring import Monitoring
from domain.ports.storage import Cache, DataReader, DataWriter, ProjectionRow
from domain.ports.time import Clock, Deadline
from domain.ports.truth import Truth
from domain.profile_bytes import profile_from_bytes

PROFILE: Final = "CUSTOMER_PROFILE"
#: A profile stays in the cache for five minutes, an absence for half a minute (± 10 % jitter).
PROFILE_TTL_S: Final = 300.0
ABSENT_TTL_S: Final = 30.0
#: What was read longer ago than this is not written back upwards.
FILL_MAX_AGE_S: Final = 2.0
#: Each tier above truth may use this share of what is left of the deadline.
TIER_SHARE: Final = 0.3

Bytes = tuple[int, bytes]
#: Made when the task begins: a task that is cancelled before drops nothing unawaited.
Write = Callable[[], Awaitable[None]]


def profile_key(customer_id: str) -> str:
    """Return the cache key of a customer's profile."""
    return f"profile:{customer_id}"


@dataclass(frozen=True, slots=True)
class Tiers:
    """The stores that a read goes through, fastest first."""

    cache: Cache
    hot_reader: DataReader
    hot_writer: DataWriter
    truth: Truth


@dataclass(slots=True)
class Gather:
    """Returns what is known about a customer; an absence is only believed from truth."""

    tiers: Tiers
    clock: Clock
    monitoring: Monitoring
    _flights: dict[tuple[str, bool], "asyncio.Task[Gathered]"] = field(
        default_factory=dict, init=False
    )
    _fills: set["asyncio.Task[None]"] = field(default_factory=set, init=False)

    async def __call__(
        self, customer_id: str, deadline: Deadline, *, from_truth: bool = False
    ) -> Gathered:
        """
        Return the profile, or none when truth says that there is none.

        `from_truth` passes the tiers above by: they were found to be behind.

        Raises:
            TransientError: no tier could answer, truth included.
            DeadlineExceededError: none could in time.
        """
        key = (customer_id, from_truth)
        flight = self._flights.get(key)
        if flight is None:
            read = self._read_truth if from_truth else self._read
            flight = asyncio.create_task(read(customer_id, deadline))
            self._flights[key] = flight
            flight.add_done_callback(lambda _: self._flights.pop(key, None))
        return await asyncio.shield(flight)

    async def close(self) -> None:
        """Wait for the write-backs under way."""
        await asyncio.gather(*self._fills, *self._flights.values(), return_exceptions=True)

    async def _read(self, customer_id: str, deadline: Deadline) -> Gathered:
        degraded: list[str] = []
        began = self.clock.monotonic()
        absent = False
        cached = await self._try("redis", self._from_cache, customer_id, deadline, degraded)
        if cached is not None and cached[0] > 0:
            return self._found("redis", cached, degraded)
        absent = cached is not None
        if not absent:
            hot = await self._try("dynamodb", self._from_hot, customer_id, deadline, degraded)
            if hot is not None:
                self._fill(customer_id, hot, began, to_hot=False)
                return self._found("dynamodb", hot, degraded)
        return await self._read_truth(customer_id, deadline, tuple(degraded))

    async def _read_truth(
        self, customer_id: str, deadline: Deadline, degraded: tuple[str, ...] = ()
    ) -> Gathered:
        began = self.clock.monotonic()
        stored = await self._from_truth(customer_id, deadline)
        if stored is None:
            self._remember_absence(customer_id, deadline)
            return Gathered(None, "aurora", degraded)
        self._fill(customer_id, stored, began, to_hot=True)
        return Gathered(profile_of(stored), "aurora", degraded)

    async def _try(
        self,
        tier: str,
        read: Callable[[str, Deadline], Awaitable[Bytes | None]],
        customer_id: str,
        deadline: Deadline,
        degraded: list[str],
    ) -> Bytes | None:
        share = deadline.share(self.clock, TIER_SHARE)
        try:
            async with asyncio.timeout(share.remaining(self.clock)):
                found = await read(customer_id, share)
        except (TransientError, AmbiguousError, TimeoutError):
            degraded.append(tier)
            self.monitoring.count("gather_tier_failed_total", tier=tier)
            return None
        self.monitoring.count("gather_reads_total", tier=tier, hit=str(found is not None).lower())
        return found

    async def _from_cache(self, customer_id: str, deadline: Deadline) -> Bytes | None:
        return await self.tiers.cache.get(profile_key(customer_id), deadline)

    async def _from_hot(self, customer_id: str, deadline: Deadline) -> Bytes | None:
        row = await self.tiers.hot_reader.read_item(customer_id, PROFILE, deadline)
        return None if row is None else (row.version, row.payload)

    async def _from_truth(self, customer_id: str, deadline: Deadline) -> Bytes | None:
        (rows,) = await self.tiers.truth.read([ReadCustomerProfile(customer_id)], deadline)
        self.monitoring.count("gather_reads_total", tier="aurora", hit=str(bool(rows)).lower())
        if not rows:
            return None
        return (profile_from_bytes(rows[0]).profile_version, rows[0])

    def _found(self, tier: str, found: Bytes, degraded: list[str]) -> Gathered:
        return Gathered(profile_of(found), tier, tuple(degraded))

    def _fill(self, customer_id: str, found: Bytes, began: float, *, to_hot: bool) -> None:
        if self.clock.monotonic() - began <= FILL_MAX_AGE_S:
            self._later(lambda: self._write_back(customer_id, found, to_hot=to_hot))

    def _remember_absence(self, customer_id: str, deadline: Deadline) -> None:
        key = profile_key(customer_id)
        self._later(lambda: self.tiers.cache.put_absent(key, ABSENT_TTL_S, deadline))

    def _later(self, write: Write) -> None:
        task = asyncio.ensure_future(self._quietly(write))
        self._fills.add(task)
        task.add_done_callback(self._fills.discard)

    async def _quietly(self, write: Write) -> None:
        try:
            await write()
        except CreditError:
            self.monitoring.count("gather_fill_failed_total")

    async def _write_back(self, customer_id: str, found: Bytes, *, to_hot: bool) -> None:
        version, payload = found
        deadline = Deadline.after(self.clock, FILL_MAX_AGE_S)
        if to_hot:
            row = ProjectionRow(customer_id, PROFILE, version, payload)
            await self.tiers.hot_writer.put_if_newer([row], deadline)
        key = profile_key(customer_id)
        await self.tiers.cache.put_if_newer(key, version, payload, PROFILE_TTL_S, deadline)


def profile_of(found: Bytes) -> CreditData:
    """Return the profile that stored bytes stand for."""
    return profile_from_bytes(found[1])
