"""
How often each caller may ask, per class of routes: the port of the HTTP gate and its adapters.

Processes share a bucket for each caller and class. Most requests never wait for it: while it is
known to be well filled, a process admits a small credit by itself and tells later (see ADR 0024
for why neither the limit nor a caller within it suffers). Who finds the bucket low asks, and all
who ask meanwhile ask together. Who was refused is refused from memory until the next token is due.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol

from domain.errors import CreditError
from domain.ports.limits import SharedBuckets
from domain.ports.monitoring import Monitoring
from domain.ports.time import Clock, Deadline
from domain.rate_limit import MICROS, TOKEN, Bucket, Limit, wait_seconds

#: A request waits no longer for the shared bucket; then the local one decides.
WAIT_S: Final = 0.05
#: How long a shared bucket that failed is left alone.
PAUSE_S: Final = 1.0
#: What a process knows of the shared bucket is believed this long.
FRESH_S: Final = 1.0
#: The caller of whom least was heard is forgotten; a forgotten bucket is asked for again.
CALLERS_MAX: Final = 16_384
ADMITTED: Final = 0.0


class RateClass(StrEnum):
    """Routes that share a limit."""

    DECISIONS = "decisions"
    READS = "reads"
    EVENTS = "events"
    ADMIN = "admin"


Limits = Mapping[RateClass, Limit]


class RateLimits(Protocol):
    """Admits or refuses requests of verified callers."""

    async def admit(self, caller: str, kind: RateClass) -> float:
        """Return 0 when the request is admitted, else the seconds after which to try again."""


class LocalLimits:
    """Implements `RateLimits` for the one process that there is."""

    def __init__(self, limits: Limits, clock: Clock, monitoring: Monitoring) -> None:
        self._limits, self._clock, self._monitoring = limits, clock, monitoring
        self._buckets: OrderedDict[tuple[RateClass, str], Bucket] = OrderedDict()

    async def admit(self, caller: str, kind: RateClass) -> float:
        """See `RateLimits.admit`."""
        limit, now = self._limits[kind], micros(self._clock.monotonic())
        bucket = self._buckets.get((kind, caller))
        if bucket is None:
            bucket = self._buckets[kind, caller] = Bucket.full(limit, now)
            if len(self._buckets) > CALLERS_MAX:
                self._buckets.popitem(last=False)
        else:
            self._buckets.move_to_end((kind, caller))
        if bucket.draw(limit, now, 1):
            return ADMITTED
        self._monitoring.count("rate_limit_refused_total", kind=kind.value)
        return wait_seconds(bucket.level, limit)


@dataclass(slots=True)
class _Caller:
    """What a process knows of one caller's bucket, and owes it."""

    key: str
    kind: RateClass
    local: Bucket
    #: Units that were there, less what was admitted since.
    level: int = 0
    fresh_until: float = 0.0
    #: Told before it is fresh no more, so that who asks steadily never waits.
    tell_from: float = 0.0
    refused_until: float = 0.0
    #: Tokens admitted that the shared bucket has not heard of, and those just being told.
    owed: int = 0
    telling: int = 0
    #: Tokens admitted by the local bucket that the shared one has not heard of.
    alone: int = 0
    asking: list["asyncio.Future[float]"] = field(default_factory=list)
    task: "asyncio.Task[None] | None" = None


@dataclass(frozen=True, slots=True)
class _Terms:
    """What follows from a limit and the number of processes."""

    shared: Limit
    local: Limit
    credit: int
    floor: int
    tell_at: int

    @classmethod
    def of(cls, limit: Limit, processes: int) -> "_Terms":
        credit = limit.credit(processes)
        return cls(
            shared=limit.widened(processes),
            local=limit.part(processes),
            credit=credit,
            # Below half, no credit: what is admitted near the limit is asked for.
            floor=limit.units // 2,
            tell_at=max(1, credit // 2),
        )


class SharedLimits:
    """
    Implements `RateLimits` on buckets that `processes` share; safe within one event loop.

    While those are away, each process admits its part of the limit by itself; counted, never
    open-ended. Nobody waits for them then: one draw a second looks whether they are back.
    """

    def __init__(
        self,
        limits: Limits,
        buckets: SharedBuckets,
        clock: Clock,
        monitoring: Monitoring,
        processes: int = 2,
    ) -> None:
        self._terms = {kind: _Terms.of(limit, processes) for kind, limit in limits.items()}
        self._buckets, self._clock, self._monitoring = buckets, clock, monitoring
        self._callers: OrderedDict[tuple[RateClass, str], _Caller] = OrderedDict()
        self._away = False
        self._look_at = 0.0
        self._closed = False

    async def admit(self, caller: str, kind: RateClass) -> float:
        """See `RateLimits.admit`."""
        now = self._clock.monotonic()
        held = self._callers.get((kind, caller))
        if held is None:
            held = self._met(caller, kind, now)
        else:
            self._callers.move_to_end((kind, caller))
        if self._away:
            return self._alone(held, now)
        if now < held.refused_until:
            return self._refused(held, held.refused_until - now)
        terms = self._terms[kind]
        if (
            held.level >= terms.floor
            and now < held.fresh_until
            and held.owed + held.telling < terms.credit
        ):
            held.owed += 1
            held.level -= TOKEN
            if held.task is None and (held.owed >= terms.tell_at or now >= held.tell_from):
                self._tell(held)
            return ADMITTED
        return await self._ask(held)

    async def close(self) -> None:
        """End what is under way; whoever still asks is told by the local bucket."""
        self._closed = self._away = True
        tasks = [held.task for held in self._callers.values() if held.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _met(self, caller: str, kind: RateClass, now: float) -> _Caller:
        local = Bucket.full(self._terms[kind].local, micros(now))
        held = self._callers[kind, caller] = _Caller(f"{kind.value}:{caller}", kind, local)
        if len(self._callers) > CALLERS_MAX:
            self._callers.popitem(last=False)
        return held

    async def _ask(self, held: _Caller) -> float:
        answer: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        held.asking.append(answer)
        if held.task is None:
            self._tell(held)
        return await answer

    def _tell(self, held: _Caller) -> None:
        if not self._closed:
            held.task = asyncio.create_task(self._told(held))

    async def _told(self, held: _Caller) -> None:
        tell_at = self._terms[held.kind].tell_at
        try:
            await self._draw(held)
            while not self._away and (held.asking or held.owed >= tell_at):
                await self._draw(held)
        finally:
            held.task = None
            self._decide_alone(held)

    async def _draw(self, held: _Caller) -> None:
        terms, sent = self._terms[held.kind], self._clock.monotonic()
        asking, held.asking = held.asking, []
        held.telling, held.owed = held.owed, 0
        alone, held.alone = self._alone_debt(held, sent), 0
        try:
            drawn = await self._buckets.draw(
                held.key, terms.shared, len(asking), held.telling + alone, Deadline(sent + WAIT_S)
            )
        except BaseException as error:
            # Whether it was drawn is not known: told again, it may cost the caller twice, and
            # never admits anybody twice.
            held.owed += held.telling
            held.alone += alone
            held.asking[:0] = asking
            if isinstance(error, CreditError):
                self._leave_alone(type(error).__name__)
                return
            raise
        finally:
            held.telling = 0
        self._learn(held, drawn.level, sent)
        self._answer(held, asking, drawn.given)

    def _learn(self, held: _Caller, level: int, sent: float) -> None:
        terms = self._terms[held.kind]
        if self._away:
            self._away = False
            self._monitoring.event("rate_limits.shared_again")
            self._monitoring.gauge("rate_limits_shared", 1)
        # What was admitted while this draw was under way is not in its level.
        held.level = level - held.owed * TOKEN
        # The script ran after `sent`, so neither is late.
        held.fresh_until, held.tell_from = sent + FRESH_S, sent + FRESH_S / 2
        held.refused_until = sent + wait_seconds(level, terms.shared)
        # From here on the local bucket goes on, should the shared one be away.
        part = terms.local.units * max(0, level) // terms.shared.units
        held.local.level, held.local.at = part, micros(sent)

    def _answer(self, held: _Caller, asking: list["asyncio.Future[float]"], given: int) -> None:
        for answer in asking[:given]:
            if not answer.done():
                answer.set_result(ADMITTED)
        wait = wait_seconds(held.level, self._terms[held.kind].shared)
        for answer in asking[given:]:
            if not answer.done():
                answer.set_result(self._refused(held, wait))

    def _leave_alone(self, why: str) -> None:
        self._look_at = self._clock.monotonic() + PAUSE_S
        if not self._away:
            self._away = True
            self._monitoring.event("rate_limits.alone", level="warning", error_type=why)
            self._monitoring.gauge("rate_limits_shared", 0)

    def _alone(self, held: _Caller, now: float) -> float:
        """Decide by the local bucket, and look in the background whether the shared is back."""
        if now >= self._look_at and held.task is None:
            self._look_at = now + PAUSE_S
            self._tell(held)
        limit = self._terms[held.kind].local
        self._monitoring.count("rate_limit_alone_total", kind=held.kind.value)
        if held.local.draw(limit, micros(now), 1):
            held.alone += 1
            held.fresh_until = 0.0
            return ADMITTED
        return self._refused(held, wait_seconds(held.local.level, limit))

    def _alone_debt(self, held: _Caller, now: float) -> int:
        """Return how many tokens admitted alone have not been refilled since."""
        if not held.alone:
            return 0
        limit = self._terms[held.kind].local
        held.local.draw(limit, micros(now), 0)
        return min(held.alone, (limit.units - held.local.level) // TOKEN)

    def _decide_alone(self, held: _Caller) -> None:
        asking, held.asking = held.asking, []
        now = self._clock.monotonic()
        for answer in asking:
            if not answer.done():
                answer.set_result(self._alone(held, now))

    def _refused(self, held: _Caller, wait: float) -> float:
        self._monitoring.count("rate_limit_refused_total", kind=held.kind.value)
        # A refusal is never 0.
        return max(wait, 1e-6)


def micros(seconds: float) -> int:
    """Return whole microseconds."""
    return int(seconds * MICROS)
