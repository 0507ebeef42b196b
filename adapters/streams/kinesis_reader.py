"""
Reading from Kinesis without a library of its own: one process, every shard.

A shard that was closed is read to its end before the shards that came of it are shown, so that the
order of a key survives a change of shards.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from adapters.streams.checkpoints import Checkpoints, Position
from adapters.streams.kinesis_api import Found, IteratorExpiredError, KinesisApi, Page, Shard
from adapters.streams.kinesis_shards import by_descent, waits
from domain.errors import NotFoundError, TransientError
from domain.ports.stream import StreamRecord
from domain.ports.time import Clock, Deadline

MICROS: Final = 1_000_000
#: What one call of Kinesis returns at most.
READ_RECORDS_MAX: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderLimits:
    """
    How fast and how long a shard is asked.

    Kinesis takes 5 reads a second and shard, which all readers of a stream share. It may answer
    with nothing though more follows: it is asked `empty_max` times before `read` says so.
    """

    reads_per_s: float = 5.0
    empty_max: int = 20
    timeout_s: float = 10.0
    list_s: float = 60.0


LIMITS: Final = ReaderLimits()


@dataclass(frozen=True, slots=True)
class _Place:
    """Where reading goes on behind a sequence number; None behind the end of a closed shard."""

    after: int
    iterator: str | None


class KinesisReader:
    """
    Implements `domain.ports.stream.StreamReader`, for one event loop.

    Its methods raise NotFoundError for a shard that is not there, and TransientError while the
    stream is away or asks for less.
    """

    def __init__(
        self, api: KinesisApi, checkpoints: Checkpoints, *, clock: Clock,
        sleep: Callable[[float], Awaitable[None]], limits: ReaderLimits = LIMITS,
    ) -> None:  # fmt: skip
        self._api, self._checkpoints = api, checkpoints
        self._clock, self._sleep, self._limits = clock, sleep, limits
        self._stream = ""
        self._listed: dict[str, Shard] = {}
        self._listed_until = float("-inf")
        self._places: dict[str, _Place] = {}
        self._turns: dict[str, float] = {}

    async def shards(self) -> Sequence[str]:
        """Return the shards that may be read now, parents first; a shard at its end is left out."""
        listed = await self._list()
        ended: set[str] = set()
        shown: list[str] = []
        for shard in by_descent(listed.values()):
            if waits(shard, listed, ended):
                continue
            if shard.closed and await self._ended(shard.shard_id):
                ended.add(shard.shard_id)
            else:
                shown.append(shard.shard_id)
        return shown

    async def read(self, shard_id: str, after: int, limit: int) -> Sequence[StreamRecord]:
        """Return up to `limit` records after a sequence number, in order."""
        await self._known(shard_id)
        deadline = Deadline.after(self._clock, self._limits.timeout_s)
        for _ in range(self._limits.empty_max):
            place = await self._place(shard_id, after, deadline)
            if place.iterator is None:
                await self._at_end(shard_id, after)
                return ()
            page = await self._page(shard_id, place.iterator, after, limit, deadline)
            last = int(page.records[-1].sequence_number) if page.records else after
            self._places[shard_id] = _Place(last, page.next_shard_iterator)
            if page.records:
                return [_record(shard_id, found) for found in page.records]
            if page.next_shard_iterator is not None and not page.millis_behind_latest:
                break
        return ()

    async def checkpoint(self, shard_id: str) -> int:
        """Return the sequence number up to which the shard is handled; 0 at the beginning."""
        return (await self._position(shard_id)).sequence

    async def set_checkpoint(self, shard_id: str, sequence: int) -> None:
        """Keep the new position; durable once this returns."""
        await self._known(shard_id)
        await self._checkpoints.keep(self._stream, shard_id, Position(sequence))

    async def _position(self, shard_id: str) -> Position:
        await self._known(shard_id)
        return await self._checkpoints.position(self._stream, shard_id)

    async def _ended(self, shard_id: str) -> bool:
        """Tell whether a closed shard is handled to its end, looking for it when not known."""
        position = await self._position(shard_id)
        if position.ended or await self.read(shard_id, position.sequence, 1):
            return position.ended
        return (await self._position(shard_id)).ended

    async def _at_end(self, shard_id: str, after: int) -> None:
        """Keep that a shard is at its end, if what lies before it is handled."""
        # Its children are not in a list that is older.
        self._listed_until = float("-inf")
        position = await self._position(shard_id)
        if position == Position(after):
            await self._checkpoints.keep(self._stream, shard_id, Position(after, ended=True))

    # --- asking Kinesis ---

    async def _place(self, shard_id: str, after: int, deadline: Deadline) -> _Place:
        place = self._places.get(shard_id)
        if place is None or place.after != after:
            place = _Place(after, await self._api.iterator(shard_id, after, deadline))
        return place

    async def _page(
        self, shard_id: str, iterator: str, after: int, limit: int, deadline: Deadline
    ) -> Page:
        """Read once; from an iterator that is too old, once more from a fresh one."""
        count = min(limit, READ_RECORDS_MAX)
        await self._turn(shard_id, deadline)
        try:
            return await self._api.read(iterator, count, deadline)
        except IteratorExpiredError:
            fresh = await self._api.iterator(shard_id, after, deadline)
            await self._turn(shard_id, deadline)
            return await self._api.read(fresh, count, deadline)

    async def _turn(self, shard_id: str, deadline: Deadline) -> None:
        """Wait until the shard may be asked again."""
        now = self._clock.monotonic()
        turn = max(now, self._turns.get(shard_id, now))
        if turn > deadline.at:
            raise TransientError("too many read this shard")
        self._turns[shard_id] = turn + 1 / self._limits.reads_per_s
        if turn > now:
            await self._sleep(turn - now)

    async def _known(self, shard_id: str) -> None:
        if shard_id not in self._listed and shard_id not in await self._list():
            raise NotFoundError("no such shard")

    async def _list(self) -> dict[str, Shard]:
        now = self._clock.monotonic()
        if now >= self._listed_until:
            deadline = Deadline.after(self._clock, self._limits.timeout_s)
            if not self._stream:
                found = await self._api.describe(deadline)
                self._stream = f"{found.stream_name}@{found.stream_creation_timestamp:.0f}"
            shards = await self._api.shards(deadline)
            self._listed = {shard.shard_id: shard for shard in shards}
            self._listed_until = now + self._limits.list_s
            # What is forgotten by the stream is forgotten here.
            for known in (self._places, self._turns):
                for shard_id in known.keys() - self._listed.keys():
                    del known[shard_id]
        return self._listed


def _record(shard_id: str, found: Found) -> StreamRecord:
    arrived_us = round(found.approximate_arrival_timestamp * MICROS)
    return StreamRecord(
        shard_id, int(found.sequence_number), found.partition_key, found.data, arrived_us
    )
