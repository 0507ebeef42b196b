"""
Taking turns at a customer's guarded rows within a process.

Light-weight transactions on one partition disturb one another: many at once take twice the time of
one after the other, and their order is chance. The guard in the statement decides all the same.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from domain.errors import DeadlineExceededError
from domain.ports.time import Clock, Deadline


class Turns:
    """One lock a customer while somebody uses it, for one event loop."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._held: dict[str, tuple[asyncio.Lock, int]] = {}

    @asynccontextmanager
    async def of(self, customer_id: str, deadline: Deadline) -> AsyncIterator[None]:
        """
        Wait for the turn, and give it on afterwards.

        Raises:
            DeadlineExceededError: it did not come in time.
        """
        lock, users = self._held.get(customer_id) or (asyncio.Lock(), 0)
        self._held[customer_id] = (lock, users + 1)
        try:
            await self._wait(lock, deadline)
            try:
                yield
            finally:
                lock.release()
        finally:
            users = self._held[customer_id][1] - 1
            if users:
                self._held[customer_id] = (lock, users)
            else:
                del self._held[customer_id]

    async def _wait(self, lock: asyncio.Lock, deadline: Deadline) -> None:
        if not lock.locked():
            # Nobody is before us, so this does not wait.
            await lock.acquire()
            return
        left = deadline.remaining(self._clock)
        try:
            async with asyncio.timeout(None if left == float("inf") else left):
                await lock.acquire()
        except TimeoutError:
            raise DeadlineExceededError(
                "another write of this customer took all the time"
            ) from None
