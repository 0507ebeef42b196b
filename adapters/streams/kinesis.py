"""
Events to Kinesis, in the order of each key.

A key has one call under way at a time. What of a call failed, or came to lie out of order, goes
again with everything of the same key behind it; so records may stand twice, and the last
appearances of a key's records are in the order given.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from adapters.aws.errors import THROTTLES
from adapters.key_turns import KeyTurns
from adapters.streams.kinesis_api import KinesisApi, Summary
from adapters.streams.kinesis_batches import Put, Record, check, fitting, unsettled
from domain.errors import NotFoundError, PermanentError, ThrottledError, TransientError
from domain.ports.monitoring import Monitoring
from domain.ports.time import Clock, Deadline

READY: Final = frozenset({"ACTIVE", "UPDATING"})
BY_KEY: Final = "USER_PARTITION_KEY"


#: Beyond, the pauses between two looks at a stream that is being made grow no more.
CREATING_WAITS: Final = 2
#: How many calls wait for their keys.
WAITING_MAX: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What a stream must offer; after `retention_hours` a consumer that was away has lost data."""

    retention_hours: int = 24


class KinesisStream:
    """Implements `domain.ports.stream.EventStream`, for one event loop."""

    def __init__(
        self,
        api: KinesisApi,
        *,
        clock: Clock,
        monitoring: Monitoring,
        waiting_max: int = WAITING_MAX,
    ) -> None:
        self._api, self._clock, self._monitoring = api, clock, monitoring
        self._turns = KeyTurns(clock, waiting_max, "the stream")

    async def check(self, deadline: Deadline, needs: Needs | None = None) -> Summary:
        """
        Ask the stream what it is, for a start that refuses to be half configured.

        Raises:
            PermanentError: there is no such stream, or it cannot keep our promises, and the remedy.
            TransientError: the stream is away or not ready.
        """
        try:
            found = await self._api.describe(deadline)
        except NotFoundError:
            raise PermanentError(
                f"there is no stream {self._api.stream} here: run `creditctl stores prepare`, or"
                " correct KINESIS_STREAM or the region"
            ) from None
        _fit(found, needs or Needs())
        return found

    async def create(self, shards: int, deadline: Deadline) -> None:
        """
        Make the stream with so many shards unless it is there, and wait until it is of use.

        Raises:
            PermanentError: as `check`, or we may not make it.
            TransientError: the stream is away, or not ready in time.
        """
        try:
            await self._api.describe(deadline)
        except NotFoundError:
            await self._api.create(shards, deadline)
        attempt = 0
        while (await self._api.describe(deadline)).stream_status not in READY:
            deadline.check(self._clock)
            await self._api.calls.wait(min(attempt, CREATING_WAITS), deadline)
            attempt += 1

    async def put(self, records: Sequence[Record], deadline: Deadline) -> None:
        """
        Append records; durable once this returns, in the order of each key.

        Raises:
            InvalidInputError: a key or a record is too long; nothing was appended.
            ThrottledError: the stream takes no more for now, or too much waits here.
            TransientError: some may have been appended; put all again.
        """
        for key, data in records:
            check(key, data)
        deadline.check(self._clock)
        if records:
            async with self._turns.taken({key for key, _ in records}, deadline):
                await self._put(records, deadline)

    async def _put(self, records: Sequence[Record], deadline: Deadline) -> None:
        pending = list(records)
        fruitless = 0
        while pending:
            deadline.check(self._clock)
            size = fitting(pending)
            puts = await self._api.put(pending[:size], deadline)
            again = unsettled(pending[:size], puts)
            pending[:size] = again
            fruitless = fruitless + 1 if len(again) == size else 0
            if again:
                await self._pause(puts, fruitless, deadline)

    async def _pause(self, puts: Sequence[Put], fruitless: int, deadline: Deadline) -> None:
        """Wait before records go again; give up when they shall not."""
        codes = {put.error for put in puts if put.error}
        throttled = bool(codes & THROTTLES)
        failed = sum(bool(put.error) for put in puts)
        self._monitoring.count("stream_records_failed", failed, throttled=str(throttled).lower())
        self._monitoring.count("stream_puts_repeated")
        if not await self._api.calls.wait(fruitless, deadline):
            deadline.check(self._clock)
            error = ThrottledError if throttled else TransientError
            raise error("the stream did not take some records, however often they were put")


def _fit(found: Summary, needs: Needs) -> None:
    if found.stream_status not in READY:
        raise TransientError(f"the stream is {found.stream_status}")
    if found.record_distribution_strategy not in {None, BY_KEY}:
        raise PermanentError(
            "the stream spreads records without regard to their keys: set its record distribution"
            f" strategy to {BY_KEY}"
        )
    if found.retention_period_hours < needs.retention_hours:
        raise PermanentError(
            f"the stream keeps records for {found.retention_period_hours} h only:"
            f" raise its retention to {needs.retention_hours} h"
        )
