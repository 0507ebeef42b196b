"""
Writing in groups: whoever arrives while a group is being written forms the next one.

A `GroupWriter` moves items between their callers and its *lanes*; a lane writes a batch of items
and gives each an answer, or says that it has to be offered again because somebody else holds what
it needs. There is no timer between batches. docs/decisions/0016 has the table of states.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from domain.errors import (
    AmbiguousError,
    CreditError,
    DeadlineExceededError,
    ThrottledError,
    TransientError,
)
from domain.ports.monitoring import Monitoring
from domain.ports.time import Chance, Clock, Deadline

Item = TypeVar("Item")
Answer = TypeVar("Answer")

#: Writes a batch and returns an answer for each item in order, None for "offer it again". A
#: CreditError is the answer to all of them.
Write = Callable[[Sequence[Item]], Awaitable[Sequence[Answer | None]]]

FIRST: Final = "first"
SECOND: Final = "second"
#: A lane that looks for its batch passes so many items over whose group another has in hand.
PASSED_MAX: Final = 512
STOPPING: Final = "the platform is stopping"


def _unheard() -> None:
    """Tell nobody of a batch."""


def _alone(_item: object) -> None:
    """Say that an item waits for nothing that others wait for as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """
    Bounds of a group writer; names that end in `_s` are seconds.

    share_min: so many a lane takes in any case; of more, equal lanes take a share each.
    unanswered_max, age_max_s: beyond, new items are refused.
    skips_max: so often an item is held up before it moves to the second lane.
    patience_s: so long it is offered again after it was held up first.
    pause_s, poll_s: the shortest and the longest wait before an item that was held up is offered
        again on the first lane, and between two batches of the second.
    """

    batch_max: int = 128
    share_min: int = 32
    unanswered_max: int = 4096
    age_max_s: float = 2.0
    skips_max: int = 3
    patience_s: float = 1.0
    pause_s: tuple[float, float] = (0.001, 0.005)
    poll_s: tuple[float, float] = (0.002, 0.010)


@dataclass(slots=True, eq=False)
class _Waiting(Generic[Item, Answer]):
    """An item with its caller; `held_at` is when it was first held up."""

    item: Item
    group: Hashable
    deadline: Deadline
    since: float
    reply: "asyncio.Future[Answer]"
    skips: int = 0
    held_at: float | None = None
    moved: bool = False
    in_batch: bool = False


@dataclass(slots=True, kw_only=True)
class GroupWriter(Generic[Item, Answer]):
    """
    Hands items to `first` in batches, and what is held up there to `second`, if there is one.

    beside: lanes equal to the first. While one waits for its store, another prepares its batch; an
    item whose group another lane has in hand waits for that one, so that they never meet.
    name: what its metrics begin with. group: tells what an item waits for, None for nothing; while
    an item of a group is at the second lane, all later ones of it go there. busy: the error of
    items that nothing was done for. written: called after each batch.

    Metrics: `<name>_parked_total`, `_moved_total`, `_busy_total`, `_withdrawn_total`,
    `_shed_total` by `why` (length, age), `_faults_total` by `error`, and by `lane` (first, second)
    `_batch_seconds` and `_batch_size`.
    """

    name: str
    first: Write[Item, Answer]
    clock: Clock
    chance: Chance
    monitoring: Monitoring
    second: Write[Item, Answer] | None = None
    beside: Sequence[Write[Item, Answer]] = ()
    group: Callable[[Item], Hashable] = _alone
    busy: type[TransientError] = TransientError
    written: Callable[[], None] = _unheard
    limits: Limits = field(default_factory=Limits)
    _unanswered: dict[_Waiting[Item, Answer], None] = field(default_factory=dict, init=False)
    _queue: deque[_Waiting[Item, Answer]] = field(default_factory=deque, init=False)
    _room: deque[_Waiting[Item, Answer]] = field(default_factory=deque, init=False)
    #: How many unanswered items of each group have moved to the second lane.
    _crowds: Counter[Hashable] = field(default_factory=Counter, init=False)
    #: When each of the equal lanes began with the batch that it is at, and the groups of that.
    _under_way: dict[int, tuple[float, set[Hashable]]] = field(default_factory=dict, init=False)
    _queued: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _moved: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _alarm: asyncio.TimerHandle | None = field(default=None, init=False)
    _alarm_at: float = field(default=0.0, init=False)
    _lanes: list["asyncio.Task[None]"] = field(default_factory=list, init=False)
    _refuses: bool = field(default=False, init=False)
    _stops: bool = field(default=False, init=False)

    def start(self) -> None:
        """Begin to write."""
        for number in range(1 + len(self.beside)):
            first = self._run_first(number)
            self._lanes.append(asyncio.create_task(first, name=f"{self.name}-first-{number}"))
        if self.second is not None:
            lane = self._run_second(self.second)
            self._lanes.append(asyncio.create_task(lane, name=f"{self.name}-second"))

    async def stop(self, grace_s: float = 0.0) -> None:
        """
        Take nothing new, go on for at most `grace_s` seconds, and finish the batches under way.

        Whoever is not answered by then gets the `busy` error.
        """
        self._refuses = True
        if grace_s > 0 and self._unanswered:
            await asyncio.wait([each.reply for each in self._unanswered], timeout=grace_s)
        self._stops = True
        self._queued.set()
        self._moved.set()
        await asyncio.gather(*self._lanes, return_exceptions=True)
        self._lanes.clear()
        for waiting in list(self._unanswered):
            self._fail(waiting, self.busy(STOPPING))
        if self._alarm is not None:
            self._alarm.cancel()

    async def submit(self, item: Item, deadline: Deadline) -> Answer:
        """
        Return what became of the item.

        A caller that leaves changes nothing, nor does the deadline once a batch has the item.

        Raises:
            ThrottledError: too many wait, or for too long; nothing was done.
            DeadlineExceededError: withdrawn before a batch took it; nothing was done.
            TransientError: as `busy`: what it needs stayed held, or the writer stops; nothing was
                done.
            CreditError: as the lane says.
        """
        self._admit()
        loop = asyncio.get_running_loop()
        waiting: _Waiting[Item, Answer] = _Waiting(
            item, self.group(item), deadline, self.clock.monotonic(), loop.create_future()
        )
        self._unanswered[waiting] = None
        self._line_up(waiting)
        if self._alarm is None or deadline.at < self._alarm_at:
            self._set_alarm(deadline.at)
        try:
            return await asyncio.shield(waiting.reply)
        except asyncio.CancelledError:
            # What the batch says then is heard by nobody, and no fault for that.
            waiting.reply.add_done_callback(asyncio.Future.exception)
            raise

    # --- arriving and waiting ------------------------------------------------------------------

    def _admit(self) -> None:
        if self._refuses:
            raise self.busy(STOPPING)
        if len(self._unanswered) >= self.limits.unanswered_max:
            self.monitoring.count(f"{self.name}_shed_total", why="length")
            raise ThrottledError("too many requests wait to be written")
        if self.clock.monotonic() - self._oldest() > self.limits.age_max_s:
            self.monitoring.count(f"{self.name}_shed_total", why="age")
            raise ThrottledError("requests wait too long to be written")

    def _oldest(self) -> float:
        """Return since when the first in the queue waits, or the oldest batch is written."""
        since = self._queue[0].since if self._queue else self.clock.monotonic()
        return min((since, *(began for began, _ in self._under_way.values())))

    def _line_up(self, waiting: _Waiting[Item, Answer]) -> None:
        if waiting.group in self._crowds:
            self._move(waiting)
        else:
            self._queue.append(waiting)
            self._queued.set()

    def _move(self, waiting: _Waiting[Item, Answer]) -> None:
        """Let it wait for the second lane; it is held up from now on, if it was not before."""
        self.monitoring.count(f"{self.name}_moved_total")
        waiting.moved = True
        if waiting.held_at is None:
            waiting.held_at = self.clock.monotonic()
        if waiting.group is not None:
            self._crowds[waiting.group] += 1
        self._room.append(waiting)
        self._moved.set()

    def _set_alarm(self, at: float) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm_at = at
        delay = max(0.0, at - self.clock.monotonic())
        self._alarm = asyncio.get_running_loop().call_later(delay, self._ring)

    def _ring(self) -> None:
        """
        Let go of those whose time is up: a lane that hangs must not keep who only waits for it.

        One timer for all, set to the earliest deadline there was: one each would cost every
        request more than its place in the queue.
        """
        self._alarm = None
        now = self.clock.monotonic()
        for waiting in list(self._unanswered):
            if waiting.deadline.at <= now:
                self._expire(waiting)
        later = [each.deadline.at for each in self._unanswered if each.deadline.at > now]
        if later:
            self._set_alarm(min(later))

    def _expire(self, waiting: _Waiting[Item, Answer]) -> None:
        if waiting.in_batch or waiting.reply.done():
            return
        if waiting.held_at is not None:
            self._fail(waiting, self._held())
        else:
            self._withdraw(waiting)

    def _withdraw(self, waiting: _Waiting[Item, Answer]) -> None:
        self.monitoring.count(f"{self.name}_withdrawn_total")
        self._fail(waiting, DeadlineExceededError("withdrawn before it was written"))

    def _held(self) -> TransientError:
        self.monitoring.count(f"{self.name}_busy_total")
        return self.busy("what this request needs stayed locked")

    # --- the lanes -----------------------------------------------------------------------------

    async def _run_first(self, number: int) -> None:
        while not self._stops:
            batch = self._take_share(number)
            if batch:
                write = self.beside[number - 1] if number else self.first
                await self._write(batch, write, FIRST)
                del self._under_way[number]
                # What waited for this batch alone is another lane's as well as this one's.
                self._queued.set()
            else:
                self._queued.clear()
                await self._queued.wait()

    async def _run_second(self, write: Write[Item, Answer]) -> None:
        while not self._stops:
            batch = self._take(self._room, self.limits.batch_max)
            if batch:
                await self._write(batch, write, SECOND)
                # Also when nothing was held up: whoever else wants these groups gets a chance.
                await asyncio.sleep(self._drawn(self.limits.poll_s))
            else:
                self._moved.clear()
                await self._moved.wait()

    def _take_share(self, number: int) -> list[_Waiting[Item, Answer]]:
        """Take a batch for one of the equal lanes, and note what it has in hand."""
        lanes = 1 + len(self.beside)
        share = max(self.limits.share_min, -(-len(self._unanswered) // lanes))
        size = self.limits.batch_max if lanes == 1 else min(self.limits.batch_max, share)
        batch = self._take(self._queue, size)
        if batch:
            groups = {waiting.group for waiting in batch} - {None}
            self._under_way[number] = (self.clock.monotonic(), groups)
        return batch

    def _take(self, line: deque[_Waiting[Item, Answer]], size: int) -> list[_Waiting[Item, Answer]]:
        batch: list[_Waiting[Item, Answer]] = []
        passed: list[_Waiting[Item, Answer]] = []
        while line and len(batch) < size and len(passed) < PASSED_MAX:
            waiting = line.popleft()
            if waiting.reply.done():
                continue
            if waiting.deadline.remaining(self.clock) <= 0:
                self._expire(waiting)
            elif not waiting.moved and waiting.group in self._crowds:
                self._move(waiting)
            elif not waiting.moved and self._elsewhere(waiting.group):
                passed.append(waiting)
            else:
                waiting.in_batch = True
                batch.append(waiting)
        line.extendleft(reversed(passed))
        return batch

    def _elsewhere(self, group: Hashable) -> bool:
        """Return whether another of the equal lanes has this group in hand."""
        return any(group in groups for _, groups in self._under_way.values())

    async def _write(
        self, batch: Sequence[_Waiting[Item, Answer]], write: Write[Item, Answer], lane: str
    ) -> None:
        began = self.clock.monotonic()
        try:
            answers = await write([waiting.item for waiting in batch])
            paired = list(zip(batch, answers, strict=True))
        except CreditError as error:
            self._fail_all(batch, error)
        except Exception as error:  # noqa: BLE001 - a fault of ours must not end the writer
            self.monitoring.count(f"{self.name}_faults_total", error=type(error).__name__)
            self._fail_all(batch, AmbiguousError("whether the batch landed is not known"))
        else:
            self._deliver(paired)
            self.written()
            self.monitoring.observe(
                f"{self.name}_batch_seconds", self.clock.monotonic() - began, lane=lane
            )
            self.monitoring.observe(f"{self.name}_batch_size", float(len(batch)), lane=lane)

    # --- answers -------------------------------------------------------------------------------

    def _deliver(self, paired: Sequence[tuple[_Waiting[Item, Answer], Answer | None]]) -> None:
        skipped = []
        for waiting, answer in paired:
            if answer is None:
                skipped.append(waiting)
            else:
                self._close(waiting)
                waiting.reply.set_result(answer)
        parked = [waiting for waiting in skipped if self._stays(waiting)]
        if parked:
            self.monitoring.count(f"{self.name}_parked_total", len(parked))
            loop = asyncio.get_running_loop()
            loop.call_later(self._drawn(self.limits.pause_s), self._return, parked)

    def _stays(self, waiting: _Waiting[Item, Answer]) -> bool:
        """Return whether an item that was held up stays with the first lane; else it is placed."""
        now = self.clock.monotonic()
        waiting.in_batch = False
        waiting.skips += 1
        if waiting.held_at is None:
            waiting.held_at = now
        if now - waiting.held_at >= self.limits.patience_s or now >= waiting.deadline.at:
            self._fail(waiting, self._held())
        elif waiting.moved:
            self._room.append(waiting)
        elif self._must_move(waiting, now):
            self._move(waiting)
        else:
            return True
        return False

    def _must_move(self, waiting: _Waiting[Item, Answer], now: float) -> bool:
        if self.second is None:
            return False
        half = (waiting.since + waiting.deadline.at) / 2
        return waiting.skips >= self.limits.skips_max or now >= half

    def _return(self, parked: Sequence[_Waiting[Item, Answer]]) -> None:
        # To the head in their old order; whose group has moved meanwhile follows it when taken.
        self._queue.extendleft(reversed(parked))
        self._queued.set()

    def _drawn(self, bounds: tuple[float, float]) -> float:
        shortest, longest = bounds
        return shortest + self.chance.uniform() * (longest - shortest)

    def _fail_all(self, batch: Sequence[_Waiting[Item, Answer]], error: CreditError) -> None:
        for waiting in batch:
            self._fail(waiting, error)

    def _fail(self, waiting: _Waiting[Item, Answer], error: CreditError) -> None:
        self._close(waiting)
        waiting.reply.set_exception(error)

    def _close(self, waiting: _Waiting[Item, Answer]) -> None:
        """Forget an item that is answered now; with the last of its group, the group as well."""
        del self._unanswered[waiting]
        if waiting.moved and waiting.group is not None:
            self._crowds[waiting.group] -= 1
            if not self._crowds[waiting.group]:
                del self._crowds[waiting.group]
