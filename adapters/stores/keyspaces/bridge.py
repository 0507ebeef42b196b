"""
The driver's callbacks, brought to one event loop.

The driver answers in a thread of its own. What it answers before the loop gets round to it is
handed over in one call: waking the loop for each answer costs as much as half a read.
"""

import asyncio
from collections import deque
from contextlib import suppress
from typing import Any, Final

from domain.errors import DeadlineExceededError, ThrottledError
from domain.ports.time import Clock, Deadline

Rows = list[tuple[Any, ...]]


class Bridge:
    """
    Sends statements for one event loop; at most `in_flight` at a time, `waiting` more may wait.

    A caller that is cancelled gives its place back when the driver has its answer, not before.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, clock: Clock, in_flight: int, waiting: int
    ) -> None:
        self._loop, self._clock = loop, clock
        self._free = in_flight
        self._most = waiting
        self._line: deque[asyncio.Future[None]] = deque()
        self._done: Final[deque[tuple[asyncio.Future[Rows], Rows, BaseException | None]]] = deque()
        self._scheduled = False

    async def send(
        self, session: Any, statement: Any, timeout_s: float, deadline: Deadline, profile: Any
    ) -> Rows:
        """
        Send a statement and return its rows, of all pages; an LWT's first column says whether.

        Raises:
            ThrottledError: too much waits.
            DeadlineExceededError: the time was used up while waiting for a place.
            Exception: as the driver has it.
        """
        if self._free > 0:
            self._free -= 1
        else:
            await self._place(deadline)
        future: asyncio.Future[Rows] = self._loop.create_future()
        try:
            response = session.execute_async(
                statement, timeout=timeout_s, execution_profile=profile
            )
        except BaseException:
            self._give_back()
            raise
        arguments: tuple[Any, asyncio.Future[Rows], Rows] = (response, future, [])
        response.add_callbacks(self._rows, self._error, arguments, None, arguments)
        return await future

    async def _place(self, deadline: Deadline) -> None:
        if len(self._line) >= self._most:
            raise ThrottledError("too much waits for the wide store")
        turn: asyncio.Future[None] = self._loop.create_future()
        self._line.append(turn)
        left = deadline.remaining(self._clock)
        try:
            async with asyncio.timeout(None if left == float("inf") else left):
                await turn
        except BaseException as error:
            with suppress(ValueError):
                self._line.remove(turn)
            if turn.done() and not turn.cancelled():
                # The place came in the same moment.
                self._give_back()
            if isinstance(error, TimeoutError):
                raise DeadlineExceededError("no place at the wide store in time") from None
            raise

    def _give_back(self) -> None:
        while self._line:
            turn = self._line.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1

    # --- in the driver's thread ----------------------------------------------------------------

    def _rows(
        self, rows: Rows | None, response: Any, future: "asyncio.Future[Rows]", before: Rows
    ) -> None:
        before.extend(rows or ())
        if response.has_more_pages:
            # It calls here again, or `_error`, within the time of the whole.
            response.start_fetching_next_page()
            return
        self._hand_over(future, before, None)

    def _error(
        self, error: BaseException, response: Any, future: "asyncio.Future[Rows]", before: Rows
    ) -> None:
        del response
        self._hand_over(future, before, error)

    def _hand_over(
        self, future: "asyncio.Future[Rows]", rows: Rows, error: BaseException | None
    ) -> None:
        self._done.append((future, rows, error))
        if not self._scheduled:
            self._scheduled = True
            # A loop that has ended has nobody left who waits.
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._deliver)

    # --- in the loop ---------------------------------------------------------------------------

    def _deliver(self) -> None:
        # First: what comes from here on either is taken below, or calls again.
        self._scheduled = False
        while self._done:
            future, rows, error = self._done.popleft()
            self._give_back()
            if future.done():
                continue
            if error is None:
                future.set_result(rows)
            else:
                future.set_exception(error)
