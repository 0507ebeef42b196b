"""One call of the wide store: sessions, a place in the line, the deadline, another attempt."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Final

from cassandra import OperationTimedOut
from cassandra.cluster import EXEC_PROFILE_DEFAULT

from adapters.key_turns import KeyTurns
from adapters.stores.keyspaces.bridge import Bridge, Rows
from adapters.stores.keyspaces.errors import DRIVER_ERRORS, translated
from adapters.stores.keyspaces.link import Link
from adapters.stores.keyspaces.retrying import Patience
from adapters.stores.keyspaces.session import Limits, Prepared
from domain.errors import DeadlineExceededError, TransientError
from domain.ports.time import Clock, Deadline

Make = Callable[[Prepared], Any]


class Calls:
    """Sends what is asked on the event loop that asks; loops of several threads may share it."""

    def __init__(self, link: Link, patience: Patience, limits: Limits, clock: Clock) -> None:
        self.patience: Final = patience
        self.clock: Final = clock
        self._link, self._limits = link, limits
        self._lanes: dict[asyncio.AbstractEventLoop, tuple[Bridge, KeyTurns]] = {}

    async def asked(
        self, make: Make, deadline: Deadline, profile: object = EXEC_PROFILE_DEFAULT
    ) -> Rows:
        """
        Send a statement that may be repeated, and return its rows.

        Raises:
            TransientError: in one of its kinds, after the attempts that patience allows.
        """
        self.patience.called()
        attempt = 1
        while True:
            try:
                return await self.once(make, deadline, profile)
            except TransientError as error:
                await self.patience.before_again(attempt, error, deadline)
            attempt += 1

    async def once(
        self, make: Make, deadline: Deadline, profile: object = EXEC_PROFILE_DEFAULT
    ) -> Rows:
        """Send a statement one time; raises as `asked`, and the statement may have had effect."""
        left = deadline.remaining(self.clock)
        if left <= 0.0:
            raise DeadlineExceededError("the time of this request is used up")
        sessions = self._link.ready() or await self._link.opened(deadline)
        timeout_s = min(left, self._limits.request_s)
        statement = make(sessions.prepared)
        try:
            rows = await self._lane()[0].send(
                sessions.next(), statement, timeout_s, deadline, profile
            )
        except DRIVER_ERRORS as error:
            if isinstance(error, OperationTimedOut):
                self._link.said_nothing(sessions)
            raise translated(error, out_of_time=timeout_s >= left) from None
        self._link.answered()
        return rows

    def turn(self, customer_id: str, deadline: Deadline) -> AbstractAsyncContextManager[None]:
        """Wait for one's turn at a customer's guarded rows."""
        return self._lane()[1].taken([customer_id], deadline)

    def _lane(self) -> tuple[Bridge, KeyTurns]:
        loop = asyncio.get_running_loop()
        lane = self._lanes.get(loop)
        if lane is None:
            limits = self._limits
            bridge = Bridge(loop, self.clock, limits.in_flight, limits.waiting)
            # Light-weight transactions on one partition disturb one another: many at once take
            # twice the time of one after the other. The statement's guard decides all the same.
            turns = KeyTurns(self.clock, limits.waiting, "the wide store")
            lane = self._lanes[loop] = (bridge, turns)
            # Other threads do the same for their loops meanwhile.
            for other in list(self._lanes):
                if other.is_closed():
                    self._lanes.pop(other, None)
        return lane
