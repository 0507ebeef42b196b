"""What a virtual loop does next: ready callbacks in a seeded order, timers, and the time."""

import asyncio
import heapq
import random
from collections import deque
from collections.abc import Callable, Sequence
from contextvars import Context, copy_context
from typing import Any, Final, Literal

Order = Literal["fifo", "shuffled"]

FINGERPRINT_MASK: Final = (1 << 61) - 1


class VirtualHandle(asyncio.Handle):
    """As asyncio's, but its loop is not asked each time whether it is being debugged."""

    __slots__ = ()
    _callback: Callable[..., object]
    _context: Context

    def __init__(
        self, callback: Callable[..., object], args: Sequence[Any], context: Context | None
    ) -> None:
        self._context = copy_context() if context is None else context
        self._callback = callback
        self._args = args
        self._cancelled = False
        self._repr = self._source_traceback = None

    def cancel(self) -> None:
        """Never run; what the callback holds is let go."""
        self._cancelled = True
        self._callback, self._args = _nothing, ()

    def perform(self) -> None:
        """Run the callback; unlike asyncio's own `_run`, what it raises comes through."""
        self._context.run(self._callback, *self._args)


class VirtualTimer(VirtualHandle, asyncio.TimerHandle):
    """A handle with a time."""

    __slots__ = ()

    def __init__(
        self,
        when: float,
        callback: Callable[..., object],
        args: Sequence[Any],
        context: Context | None,
    ) -> None:
        super().__init__(callback, args, context)
        self._when = when


def _nothing() -> None:
    """What is left of a callback that was cancelled."""


class Agenda:
    """
    Callbacks that are ready and timers that are not.

    now: virtual seconds; it moves only when nothing is ready, or by `advance`.
    fingerprint: a number made of all choices so far; equal histories have equal fingerprints.
    """

    def __init__(self, seed: int, order: Order) -> None:
        self.now = 0.0
        self.fingerprint = 0
        self.take: Final = self._take_any if order == "shuffled" else self._take_first
        self._chance: Final = random.Random(seed).random
        self._ready: Final[deque[VirtualHandle]] = deque()
        self._timers: Final[list[tuple[float, int, VirtualTimer]]] = []

    def add(self, handle: VirtualHandle) -> None:
        """Make the callback ready."""
        self._ready.append(handle)

    def add_timer(self, timer: VirtualTimer, number: int) -> None:
        """Set a timer; the number breaks ties, so that equal instants keep their order."""
        heapq.heappush(self._timers, (timer.when(), number, timer))

    def prepare(self) -> bool:
        """Let time pass until something is ready; return False when nothing ever will be."""
        if self._ready:
            return True
        while self._timers and self._timers[0][2].cancelled():
            heapq.heappop(self._timers)
        if not self._timers:
            return False
        self.now = max(self.now, self._timers[0][0])
        self._release()
        return True

    def advance(self, seconds: float) -> None:
        """Let time pass; timers that are due become ready."""
        self.now += seconds
        self._release()

    def clear(self) -> None:
        """Forget everything."""
        self._ready.clear()
        self._timers.clear()

    def _release(self) -> None:
        while self._timers and self._timers[0][0] <= self.now:
            timer = heapq.heappop(self._timers)[2]
            if not timer.cancelled():
                self._ready.append(timer)

    def _take_first(self) -> VirtualHandle:
        return self._ready.popleft()

    def _take_any(self) -> VirtualHandle:
        ready = self._ready
        size = len(ready)
        if size == 1:
            return ready.pop()
        chosen = int(self._chance() * size)
        self.fingerprint = (self.fingerprint * 31 + chosen + size) & FINGERPRINT_MASK
        last = ready.pop()
        if chosen == size - 1:
            return last
        handle = ready[chosen]
        ready[chosen] = last
        return handle
