"""
The second half of a batch: truth as it is now, into each projection store, all at once.

Every row carries its own guard, so this may run again at any time: it is how a crash between
truth and projections heals.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from domain.errors import CreditError
from domain.events import Event, EventType
from domain.instants import epoch_micros
from domain.ports.monitoring import Monitoring
from domain.ports.storage import Applied, Cache, DataWriter, ProjectionRow
from domain.ports.time import Clock, Deadline
from domain.ports.truth import Truth
from domain.profile_row import PROFILE, profile_row
from ingestion.program import StoredProfile, read_profiles
from ingestion.projections import (
    decision_row,
    latest_rows,
    transaction_rows,
)
from ingestion.statements import TransactionWrite

#: Where the cache keeps a profile, and for about how long.
PROFILE_KEY: Final = "profile:{}"
PROFILE_TTL_S: Final = 300.0
CACHE_LANES: Final = 32
#: Of the time left, what the first write may use; the rest is for a conflict's second look.
FIRST_SHARE: Final = 0.7


@dataclass(frozen=True, slots=True)
class Projector:
    """
    Writes truth to the projection stores and through the cache.

    STALE and SAME are success: somebody projected a newer state, or this one. CONFLICT (the same
    version with other bytes) is looked at once more, then counted for reconciliation. The cache
    may fail: it forgets by itself within minutes, and no approval rests on it alone.
    """

    keyspaces: DataWriter
    dynamodb: DataWriter
    cache: Cache
    truth: Truth
    clock: Clock
    monitoring: Monitoring

    async def __call__(
        self,
        profiles: Mapping[str, StoredProfile],
        writes: Sequence[TransactionWrite],
        own: Sequence[Event],
        deadline: Deadline,
    ) -> bool:
        """Return whether both stores hold all of it; if not, all of it is to be sent again."""
        now_us = epoch_micros(self.clock.now())
        decided = [event for event in own if event.type is EventType.CREDIT_DECIDED]
        rows = [profile_row(stored.profile, stored.payload) for stored in profiles.values()]
        history = [*transaction_rows(writes, now_us), *_distinct(map(decision_row, decided))]
        # Each runs to its end: nothing of a batch may still be under way when it is reported.
        results = await asyncio.gather(
            self._write("keyspaces", self.keyspaces, [*rows, *history], deadline),
            self._write("dynamodb", self.dynamodb, [*rows, *latest_rows(decided)], deadline),
            *(self._write_through(lane, deadline) for lane in _lanes([*profiles.values()])),
            return_exceptions=True,
        )
        for result in results:
            if isinstance(result, BaseException):
                raise result
        return False not in results

    async def _write(
        self, store: str, writer: DataWriter, rows: Sequence[ProjectionRow], deadline: Deadline
    ) -> bool:
        if not rows:
            return True
        try:
            first = deadline.share(self.clock, FIRST_SHARE)
            conflicts = await self._put(store, writer, rows, first)
            if conflicts:
                await self._look_again(store, writer, conflicts, deadline)
        except CreditError as error:
            self.monitoring.count("projection_failures", store=store, code=error.code)
            return False
        return True

    async def _put(
        self, store: str, writer: DataWriter, rows: Sequence[ProjectionRow], deadline: Deadline
    ) -> list[ProjectionRow]:
        results = await writer.put_if_newer(rows, deadline)
        for result, number in Counter(results).items():
            self.monitoring.count("projection_rows", number, store=store, result=result)
        pairs = zip(rows, results, strict=True)
        return [row for row, result in pairs if result is Applied.CONFLICT]

    async def _look_again(
        self, store: str, writer: DataWriter, conflicts: list[ProjectionRow], deadline: Deadline
    ) -> None:
        unequal = [row for row in conflicts if row.data_type != PROFILE]
        names = [row.customer_id for row in conflicts if row.data_type == PROFILE]
        if names:
            stored = await self.truth.transact(lambda: read_profiles(names), deadline)
            rows = [profile_row(each.profile, each.payload) for each in stored.values()]
            unequal += await self._put(store, writer, rows, deadline)
        if unequal:
            self.monitoring.count("projection_conflicts", len(unequal), store=store)
            self.monitoring.event("projection-conflict", level="error", store=store)

    async def _write_through(self, lane: Sequence[StoredProfile], deadline: Deadline) -> None:
        for stored in lane:
            profile = stored.profile
            key = PROFILE_KEY.format(profile.customer_id)
            version = profile.profile_version
            try:
                await self.cache.put_if_newer(key, version, stored.payload, PROFILE_TTL_S, deadline)
            except CreditError as error:
                self.monitoring.count("projection_failures", store="cache", code=error.code)
                return


def _lanes(profiles: Sequence[StoredProfile]) -> list[Sequence[StoredProfile]]:
    """Return the profiles in as many parts as write at once; a task each would cost more."""
    return [profiles[number::CACHE_LANES] for number in range(min(CACHE_LANES, len(profiles)))]


def _distinct(rows: Iterable[ProjectionRow]) -> Iterable[ProjectionRow]:
    """Return the rows, each key once: a record may come twice in one batch."""
    return {row.key: row for row in rows}.values()
