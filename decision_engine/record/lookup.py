"""Looking up keys that are decided already: the look-ups of one tick share one statement."""

import asyncio
from dataclasses import dataclass, field

from decision_engine.flights import take_note, wait_for_end
from decision_engine.record.statements import IdempotencyKey, ReadKeys, ReplyRow
from domain.errors import DeadlineExceededError, InvalidInputError
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
    #: Until when the most patient of them wait (monotonic seconds).
    _until: float = field(default=0.0, init=False)
    _task: "asyncio.Task[None] | None" = field(default=None, init=False)

    async def find(self, key: IdempotencyKey, deadline: Deadline) -> ReplyRow | None:
        """
        Return what is recorded under the key, or None.

        Each waits for a time of its own, however long the statement that it shares takes.

        Raises:
            InvalidInputError: the key is not Unicode text.
            DeadlineExceededError: it took longer.
            TransientError: the store of truth is away.
        """
        _require_text(key)
        waiter = self._waiters.get(key)
        if waiter is None:
            waiter = asyncio.get_running_loop().create_future()
            waiter.add_done_callback(take_note)
            self._waiters[key] = waiter
            if self._task is None:
                self._task = asyncio.create_task(self._drain())
        self._until = max(self._until, deadline.at)
        if not await wait_for_end(waiter, deadline.remaining(self.clock)):
            raise DeadlineExceededError("looking up the key takes too long")
        return waiter.result()

    async def _drain(self) -> None:
        # One turn of the loop lets the other requests of this tick join.
        await asyncio.sleep(0)
        while self._waiters:
            waiters, self._waiters = self._waiters, {}
            until, self._until = self._until, 0.0
            most = self.clock.monotonic() + LOOKUP_SECONDS
            await self._read(waiters, Deadline(min(until, most)))
        self._task = None

    async def _read(self, waiters: Waiters, deadline: Deadline) -> None:
        try:
            (rows,) = await self.truth.read([ReadKeys(tuple(waiters))], deadline)
        except Exception as error:  # noqa: BLE001 - whoever waits is told, and the next are served
            for waiter in waiters.values():
                waiter.set_exception(error)
            return
        found = {(row.client_id, row.idem_key): row for row in rows}
        for key, waiter in waiters.items():
            waiter.set_result(found.get(key))


def _require_text(key: IdempotencyKey) -> None:
    """Refuse what no store can hold before it gets in among the keys of others."""
    try:
        for part in key:
            # Nearly every key is, which is known without looking at a character.
            if not part.isascii():
                part.encode()
    except UnicodeEncodeError:
        raise InvalidInputError("the idempotency key is not Unicode text") from None
