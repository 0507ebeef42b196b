"""What a virtual loop does next: ready callbacks in a seeded order, timers, and the time."""

import asyncio
import heapq
import random
from collections import deque
from typing import Final, Literal

Order = Literal["fifo", "shuffled"]

FINGERPRINT_MASK: Final = (1 << 61) - 1


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
        self._ready: Final[deque[asyncio.Handle]] = deque()
        self._timers: Final[list[tuple[float, int, asyncio.TimerHandle]]] = []

    def add(self, handle: asyncio.Handle) -> None:
        """Make the callback ready."""
        self._ready.append(handle)

    def add_timer(self, timer: asyncio.TimerHandle, number: int) -> None:
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

    def _take_first(self) -> asyncio.Handle:
        return self._ready.popleft()

    def _take_any(self) -> asyncio.Handle:
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
