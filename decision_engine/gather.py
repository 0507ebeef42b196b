"""
Reading a customer, from the fastest tier to the truth: Redis, DynamoDB, Aurora.

A tier that misses, fails, is too slow or holds what cannot be read is passed over, and named in
`degraded` unless it only missed. What was found below is written back above, unless it is newer
there. Each reader waits for a tier within its own share of its own deadline; below the cache the
read itself is shared (see `flights`).
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from decision_engine.archive import ReadCustomerProfile
from decision_engine.flights import JOINABLE_S, Flight, Landed, SharedReads
from decision_engine.snapshot import Gathered
from domain.customer import CreditData
from domain.errors import CreditError, DeadlineExceededError, PermanentError
from domain.ports.monitoring import Monitoring
from domain.ports.storage import Cache, DataReader, DataWriter
from domain.ports.time import Clock, Deadline
from domain.ports.truth import Truth
from domain.profile_bytes import profile_from_bytes
from domain.profile_row import PROFILE, profile_row

#: A profile stays in the cache for five minutes, an absence for half a minute (± 10 % jitter).
PROFILE_TTL_S: Final = 300.0
ABSENT_TTL_S: Final = 30.0
#: What was read longer ago than this is neither shared nor written back upwards.
FILL_MAX_AGE_S: Final = JOINABLE_S
#: Write-backs under way; those beyond are left to the next reader.
FILLS_MAX: Final = 1_000
#: Truth is read for at least so long once it has begun: others may wait for it longer.
TRUTH_READ_S: Final = 1.0
#: What may go wrong with a tier above truth without anybody noticing more than `degraded`.
AWAY: Final = (CreditError, OSError)

#: Made when the task begins: a task that is cancelled before drops nothing unawaited.
Write = Callable[[Deadline], Awaitable[object]]


def profile_key(customer_id: str) -> str:
    """Return the cache key of a customer's profile."""
    return f"profile:{customer_id}"


@dataclass(frozen=True, slots=True)
class Tiers:
    """The stores that a read goes through, fastest first; each keeps the deadline it is given."""

    cache: Cache
    hot_reader: DataReader
    hot_writer: DataWriter
    truth: Truth


@dataclass(frozen=True, slots=True)
class Share:
    """How long a tier above truth may be waited for: of what is left, and in seconds at most."""

    fraction: float
    most_s: float


@dataclass(frozen=True, slots=True)
class Shares:
    """The shares of the tiers; with all of them used up truth has more than half of the time."""

    cache: Share = Share(0.2, 0.1)
    hot: Share = Share(0.3, 0.25)


SHARES: Final = Shares()


@dataclass(frozen=True, slots=True)
class Found:
    """A profile with the bytes it was read from."""

    profile: CreditData
    payload: bytes


@dataclass(slots=True)
class Gather:
    """Returns what is known about a customer; an absence is only believed from truth."""

    tiers: Tiers
    clock: Clock
    monitoring: Monitoring
    shares: Shares = SHARES
    _reads: SharedReads[Found | None] = field(init=False)
    _fills: set["asyncio.Task[None]"] = field(default_factory=set, init=False)

    def __post_init__(self) -> None:
        """Begin with no read under way."""
        self._reads = SharedReads(self.clock)

    async def __call__(
        self, customer_id: str, deadline: Deadline, *, from_truth: bool = False
    ) -> Gathered:
        """
        Return the profile, or none when truth says that there is none.

        `from_truth` passes the tiers above by, and reads under way as well: they were found to be
        behind.

        Raises:
            TransientError: no tier could answer, truth included.
            DeadlineExceededError: none could in time.
        """
        if from_truth:
            return await self._ask_truth_anew(customer_id, deadline)
        now = self.clock.monotonic()
        share = self.shares.cache
        until = Deadline(min(now + (deadline.at - now) * share.fraction, now + share.most_s))
        # Nothing here starts a task or a timer: a hit is what most decisions wait for.
        try:
            cached = await self.tiers.cache.get(profile_key(customer_id), until)
            if cached is not None and cached[0] > 0:
                found = _readable(customer_id, cached)
                self.monitoring.count("gather_reads_total", tier="redis", hit="true")
                return Gathered(found.profile, "redis")
        except AWAY as error:
            return await self._below(customer_id, deadline, self._failed("redis", error))
        self.monitoring.count("gather_reads_total", tier="redis", hit="false")
        if cached is not None:
            # An absence spares the tier in the middle; whether it still holds, truth says.
            return await self._ask_truth(customer_id, deadline, ())
        return await self._below(customer_id, deadline, ())

    async def close(self) -> None:
        """Wait for the reads and write-backs under way, for as long as these may take."""
        left = {*self._reads.tasks(), *self._fills}
        if left:
            _, late = await asyncio.wait(left, timeout=FILL_MAX_AGE_S)
            for task in late:
                task.cancel()

    async def _below(
        self, customer_id: str, deadline: Deadline, degraded: tuple[str, ...]
    ) -> Gathered:
        if self._reads.under_way(("aurora", customer_id)):
            # The tier in the middle had nothing a moment ago, and truth is being asked for it.
            return await self._ask_truth(customer_id, deadline, degraded)
        share = self.shares.hot
        seconds = min(deadline.remaining(self.clock) * share.fraction, share.most_s)
        flight = self._reads.joined(
            ("dynamodb", customer_id),
            partial(self._read_hot, customer_id, deadline.at),
            self.clock.monotonic() + share.most_s,
        )
        try:
            found = await self._reads.wait(flight, seconds)
        except AWAY as error:
            degraded = (*degraded, *self._failed("dynamodb", error))
        else:
            if found is not None:
                return Gathered(found.profile, "dynamodb", degraded)
        return await self._ask_truth(customer_id, deadline, degraded)

    async def _ask_truth(
        self, customer_id: str, deadline: Deadline, degraded: tuple[str, ...]
    ) -> Gathered:
        while True:
            deadline.check(self.clock)
            flight = self._truth_flight(customer_id, deadline.at)
            try:
                found = await self._reads.wait(flight, deadline.remaining(self.clock))
            except DeadlineExceededError:
                # Whoever began this read may have had less time than is left here.
                if self.clock.monotonic() < flight.until or deadline.at <= flight.until:
                    raise
            else:
                return Gathered(_profile(found), "aurora", degraded)

    async def _ask_truth_anew(self, customer_id: str, deadline: Deadline) -> Gathered:
        deadline.check(self.clock)
        read = partial(self._read_truth, customer_id, deadline)
        flight = self._reads.begun(("anew", customer_id), read, deadline.at)
        found = await self._reads.wait(flight, deadline.remaining(self.clock))
        return Gathered(_profile(found), "aurora")

    def _truth_flight(self, customer_id: str, until: float) -> Flight[Found | None]:
        until = max(until, self.clock.monotonic() + TRUTH_READ_S)
        read = partial(self._read_truth, customer_id, Deadline(until))
        return self._reads.joined(("aurora", customer_id), read, until)

    async def _read_hot(
        self, customer_id: str, leader_until: float, began: float
    ) -> Landed[Found | None]:
        until = Deadline(began + self.shares.hot.most_s)
        row = await self.tiers.hot_reader.read_item(customer_id, PROFILE, until)
        self._count("dynamodb", hit=row is not None)
        if row is None:
            # Begun here, so that whoever comes now finds a read under way and begins no other.
            self._truth_flight(customer_id, leader_until)
            return None, None
        found = _readable(customer_id, (row.version, row.payload))
        return found, self._later(began, partial(self._fill_cache, found))

    async def _read_truth(
        self, customer_id: str, deadline: Deadline, began: float
    ) -> Landed[Found | None]:
        (rows,) = await self.tiers.truth.read([ReadCustomerProfile(customer_id)], deadline)
        self._count("aurora", hit=bool(rows))
        if not rows:
            forget = partial(self.tiers.cache.put_absent, profile_key(customer_id), ABSENT_TTL_S)
            return None, self._later(began, forget)
        found = Found(profile_from_bytes(rows[0]), rows[0])
        self._later(began, partial(self._fill_hot, found))
        return found, self._later(began, partial(self._fill_cache, found))

    def _failed(self, tier: str, error: BaseException) -> tuple[str, ...]:
        code = error.code if isinstance(error, CreditError) else "unavailable"
        self.monitoring.count("gather_tier_failed_total", tier=tier, code=code)
        return (tier,)

    def _count(self, tier: str, *, hit: bool) -> None:
        self.monitoring.count("gather_reads_total", tier=tier, hit="true" if hit else "false")

    async def _fill_cache(self, found: Found, within: Deadline) -> None:
        profile = found.profile
        await self.tiers.cache.put_if_newer(
            profile_key(profile.customer_id),
            profile.profile_version,
            found.payload,
            PROFILE_TTL_S,
            within,
        )

    async def _fill_hot(self, found: Found, within: Deadline) -> None:
        await self.tiers.hot_writer.put_if_newer(
            [profile_row(found.profile, found.payload)], within
        )

    def _later(self, began: float, write: Write) -> "asyncio.Task[None] | None":
        """Write what was read since `began`, each store by itself: one may be away."""
        within = Deadline(began + FILL_MAX_AGE_S)
        if within.remaining(self.clock) <= 0.0 or len(self._fills) >= FILLS_MAX:
            self.monitoring.count("gather_fill_dropped_total")
            return None
        task = asyncio.create_task(self._quietly(write, within))
        self._fills.add(task)
        task.add_done_callback(self._fills.discard)
        return task

    async def _quietly(self, write: Write, within: Deadline) -> None:
        try:
            await write(within)
        except AWAY:
            self.monitoring.count("gather_fill_failed_total")


def _profile(found: Found | None) -> CreditData | None:
    return None if found is None else found.profile


def _readable(customer_id: str, stored: tuple[int, bytes]) -> Found:
    """
    Return the profile that a tier above truth holds.

    Raises:
        PermanentError: it is none, another customer's, or another version than it says: older
            code, newer code or a mistake wrote it, and truth knows better.
    """
    version, payload = stored
    profile = profile_from_bytes(payload)
    if profile.customer_id != customer_id or profile.profile_version != version:
        raise PermanentError("a tier holds another profile than it was asked for")
    return Found(profile, payload)
