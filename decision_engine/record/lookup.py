"""Looking up keys that are decided already: the look-ups of one tick share one statement."""

import asyncio
from dataclasses import dataclass, field

from decision_engine.record.statements import IdempotencyKey, ReadKeys, ReplyRow
from domain.errors import CreditError
from domain.ports.time import Clock, Deadline
from domain.ports.truth import Truth

LOOKUP_SECONDS = 5.0

Waiters = dict[IdempotencyKey, "asyncio.Future[ReplyRow | None]"]


@dataclass(slots=True)
class KeyLookup:
    """Finds recorded replies on the writer's committed state."""

    truth: Truth
    clock: Clock
    _waiters: Waiters = field(default_factory=dict, init=False)
    _task: "asyncio.Task[None] | None" = field(default=None, init=False)

    async def find(self, key: IdempotencyKey) -> ReplyRow | None:
        """
        Return what is recorded under the key, or None.

        Raises:
            TransientError: the store of truth is away.
        """
        waiter = self._waiters.get(key)
        if waiter is None:
            waiter = asyncio.get_running_loop().create_future()
            self._waiters[key] = waiter
            if self._task is None:
                self._task = asyncio.create_task(self._drain())
        return await asyncio.shield(waiter)

    async def _drain(self) -> None:
        # One turn of the loop lets the other requests of this tick join.
        await asyncio.sleep(0)
        while self._waiters:
            waiters, self._waiters = self._waiters, {}
            await self._read(waiters)
        self._task = None

    async def _read(self, waiters: Waiters) -> None:
        deadline = Deadline.after(self.clock, LOOKUP_SECONDS)
        try:
            (rows,) = await self.truth.read([ReadKeys(tuple(waiters))], deadline)
        except CreditError as error:
            for waiter in waiters.values():
                waiter.set_exception(error)
            return
        found = {(row.client_id, row.idem_key): row for row in rows}
        for key, waiter in waiters.items():
            waiter.set_result(found.get(key))
