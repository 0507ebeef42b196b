"""Who waits for the line: bounded, each with a deadline, and one timer for all of them."""

import asyncio
from collections import deque
from collections.abc import Iterator, Sequence

from adapters.stores.redis.commands import Command, get
from domain.errors import DeadlineExceededError, ThrottledError, TransientError
from domain.ports.time import Clock, Deadline

Reply = bytes | None
NEVER = float("inf")


class Asked:
    """A command and those who wait for its reply."""

    __slots__ = ("full", "hops", "key", "packed", "waiters")

    def __init__(self, packed: bytes, full: bytes | None, key: bytes | None) -> None:
        self.packed, self.full, self.key = packed, full, key
        #: How often a node of a cluster sent it to another.
        self.hops = 0
        self.waiters: list[tuple[asyncio.Future[Reply], float]] = []

    @property
    def open(self) -> bool:
        """Whether anybody still waits."""
        for future, _ in self.waiters:  # noqa: SIM110  a generator costs a tenth of a read
            if not future.done():
                return True
        return False

    def spell_out(self) -> None:
        """Send the whole script from now on."""
        if self.full is not None:
            self.packed, self.full = self.full, None

    def answer(self, reply: Reply) -> None:
        """Hand the reply to everybody who still waits."""
        for future, _ in self.waiters:
            if not future.done():
                future.set_result(reply)

    def fail(self, error: TransientError) -> None:
        """Give everybody who still waits an error of their own."""
        for future, _ in self.waiters:
            if not future.done():
                future.set_exception(type(error)(str(error)))

    def expire(self, now: float) -> float:
        """End the wait of those whose time is up; return the next deadline."""
        first = NEVER
        for future, at in self.waiters:
            if future.done():
                continue
            if at <= now:
                future.set_exception(DeadlineExceededError("the cache did not answer in time"))
            else:
                first = min(first, at)
        return first


class Waiting:
    """
    Commands that wait to be sent, and those of the batch under way.

    One timer stands for the earliest deadline: a timer for each would cost as much as the read.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, clock: Clock, most: int) -> None:
        self._loop, self._clock, self._most = loop, clock, most
        self._queue: deque[Asked] = deque()
        self._reads: dict[bytes, Asked] = {}
        self._under_way: Sequence[Asked] = ()
        self._count = 0
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = NEVER

    def read(self, key: bytes, deadline: Deadline) -> "asyncio.Future[Reply]":
        """
        Wait for a read of the key, together with others whose read has not been sent yet.

        Raises:
            ThrottledError: too many wait.
        """
        asked = self._reads.get(key)
        if asked is None:
            asked = Asked(get(key), None, key)
            future = self._wait(asked, deadline)
            self._reads[key] = asked
            self._queue.append(asked)
            return future
        return self._wait(asked, deadline)

    def write(self, command: Command, deadline: Deadline) -> "asyncio.Future[Reply]":
        """Wait for a command's turn; raises as `read`."""
        asked = Asked(command.packed, command.full, None)
        future = self._wait(asked, deadline)
        self._queue.append(asked)
        return future

    def release(self, asked: Asked) -> Asked:
        """Return what is under way as a new command, for another line; nobody waits here now."""
        moved = Asked(asked.packed, asked.full, None)
        moved.hops = asked.hops + 1
        self._count -= len(asked.waiters)
        moved.waiters, asked.waiters = asked.waiters, []
        return moved

    def adopt(self, asked: Asked) -> None:
        """Wait with those whose command another line released; they were counted in before."""
        self._count += len(asked.waiters)
        self._queue.append(asked)
        first = min((at for future, at in asked.waiters if not future.done()), default=NEVER)
        if first < self._timer_at:
            self._set_timer(first)

    def take(self, most: int) -> Sequence[Asked]:
        """Take the next batch, without those for whom nobody waits any more."""
        batch: list[Asked] = []
        while self._queue and len(batch) < most:
            asked = self._queue.popleft()
            if asked.key is not None:
                del self._reads[asked.key]
            if asked.open:
                batch.append(asked)
            else:
                self._count -= len(asked.waiters)
        self._under_way = batch
        return batch

    def done(self) -> None:
        """Forget the batch under way."""
        self._count -= sum(len(asked.waiters) for asked in self._under_way)
        self._under_way = ()

    def fail(self, error: TransientError) -> None:
        """Give everybody an error."""
        for asked in self._all():
            asked.fail(error)
        self._queue.clear()
        self._reads.clear()
        self._under_way, self._count = (), 0
        if self._timer is not None:
            self._timer.cancel()
            self._timer, self._timer_at = None, NEVER

    def _all(self) -> Iterator[Asked]:
        yield from self._under_way
        yield from self._queue

    def _wait(self, asked: Asked, deadline: Deadline) -> "asyncio.Future[Reply]":
        if self._count >= self._most:
            raise ThrottledError("too much waits for the cache")
        self._count += 1
        future: asyncio.Future[Reply] = self._loop.create_future()
        asked.waiters.append((future, deadline.at))
        if deadline.at < self._timer_at:
            self._set_timer(deadline.at)
        return future

    def _set_timer(self, at: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._timer_at = None, at
        if at < NEVER:
            seconds = max(0.0, at - self._clock.monotonic())
            self._timer = self._loop.call_later(seconds, self._sweep)

    def _sweep(self) -> None:
        now = self._clock.monotonic()
        first = min((asked.expire(now) for asked in self._all()), default=NEVER)
        self._set_timer(first)
