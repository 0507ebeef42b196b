"""Whose turn it is with a key: one at a time, in the order of asking."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from math import isfinite

from domain.errors import DeadlineExceededError, ThrottledError
from domain.ports.time import Clock, Deadline


class KeyTurns:
    """
    Keys that tasks of one event loop take and give back.

    Several keys are taken in their order, so that no two tasks wait for one another.
    """

    def __init__(self, clock: Clock, waiting_max: int, store: str) -> None:
        """Take how many may wait, and what they wait for, as errors name it."""
        self._clock, self._waiting_max, self._store = clock, waiting_max, store
        self._waiting = 0
        self._taken: dict[str, deque[asyncio.Future[None]]] = {}

    @asynccontextmanager
    async def taken(self, keys: Iterable[str], deadline: Deadline) -> AsyncIterator[None]:
        """
        Have these keys to oneself.

        Raises:
            ThrottledError: too many wait.
            DeadlineExceededError: others had them for too long.
        """
        mine: list[str] = []
        try:
            for key in sorted(keys):
                await self._take(key, deadline)
                mine.append(key)
            yield
        finally:
            for key in mine:
                self._give_back(key)

    async def _take(self, key: str, deadline: Deadline) -> None:
        queue = self._taken.get(key)
        if queue is None:
            self._taken[key] = deque()
            return
        if self._waiting >= self._waiting_max:
            raise ThrottledError(f"too much waits for {self._store}")
        turn = asyncio.get_running_loop().create_future()
        queue.append(turn)
        self._waiting += 1
        try:
            await self._until(turn, deadline)
        except BaseException:
            if turn.done() and not turn.cancelled():
                # It was handed over in the same moment in which its taker left.
                self._give_back(key)
            else:
                queue.remove(turn)
            raise
        finally:
            self._waiting -= 1

    async def _until(self, turn: "asyncio.Future[None]", deadline: Deadline) -> None:
        seconds = deadline.remaining(self._clock)
        try:
            async with asyncio.timeout(seconds if isfinite(seconds) else None):
                await asyncio.shield(turn)
        except TimeoutError:
            raise DeadlineExceededError(
                f"others of the same key were at {self._store} for too long"
            ) from None

    def _give_back(self, key: str) -> None:
        queue = self._taken[key]
        if queue:
            queue.popleft().set_result(None)
        else:
            del self._taken[key]
