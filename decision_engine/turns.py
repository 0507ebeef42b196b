"""Who decides when: a key once, a customer in turn, and nobody behind somebody who asks much."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

from decision_engine.flights import take_note, wait_for_end
from decision_engine.idempotency import in_progress
from domain.errors import TransientError

#: A request that never ends must not hold up a customer that asks again. Longer than a full
#: machine needs for those it has at work, shorter than any caller waits.
PATIENCE_S: Final = 0.5

Key = TypeVar("Key", bound=Hashable)
Answer = TypeVar("Answer")


@dataclass(slots=True)
class Flights(Generic[Key, Answer]):
    """Runs what has one key one at a time, to its end, also when the caller leaves."""

    _underway: dict[Key, "asyncio.Task[Answer]"] = field(default_factory=dict, init=False)

    async def fly(
        self,
        key: Key,
        run: Callable[[], Coroutine[Any, Any, Answer]],
        remaining_s: Callable[[], float],
    ) -> Answer:
        """
        Wait for whoever has the key, then run; what the first recorded is for `run` to find.

        Raises:
            ConflictError: `request-in-progress`, another one has the key for longer than remains.
        """
        while (flight := self._underway.get(key)) is not None:
            done, _ = await asyncio.wait([flight], timeout=remaining_s())
            if not done:
                raise in_progress()
        flight = asyncio.create_task(run())
        self._underway[key] = flight
        flight.add_done_callback(lambda task: self._landed(key, task))
        await wait_for_end(flight)
        return flight.result()

    def _landed(self, key: Key, flight: "asyncio.Task[Answer]") -> None:
        self._underway.pop(key, None)
        take_note(flight)


@dataclass(slots=True)
class Turns:
    """
    Round robin over customers.

    Requests of one customer are decided one after the other: what each leaves of the limit is
    known to the next. A request that had to wait for its own customer lets everybody pass who is
    at work when its turn comes, so that a customer gets one decision a round, whoever else is
    there. Who is alone waits for nobody.
    """

    #: Those who wait behind the one who decides, by customer; forgotten with the last of them.
    _lines: dict[str, deque["asyncio.Future[None]"]] = field(default_factory=dict, init=False)
    _at_work: dict["Turn", None] = field(default_factory=dict, init=False)

    def turn(self, customer_id: str) -> "Turn":
        """Return what waits for this customer's turn, and holds it while its block runs."""
        return Turn(self, customer_id)

    async def enter(self, turn: "Turn") -> None:
        """Wait until it is this one's turn, and begin to work."""
        line = self._lines.get(turn.customer_id)
        if line is None:
            self._lines[turn.customer_id] = deque()
        else:
            await self._wait(turn.customer_id, line)
            try:
                await self._let_others_pass()
            except BaseException:
                self._pass_on(turn.customer_id)
                raise
        self._at_work[turn] = None

    def leave(self, turn: "Turn") -> None:
        """Let the next one of the customer begin."""
        del self._at_work[turn]
        self._pass_on(turn.customer_id)

    async def _wait(self, customer_id: str, line: deque["asyncio.Future[None]"]) -> None:
        place = asyncio.get_running_loop().create_future()
        line.append(place)
        try:
            await place
        except asyncio.CancelledError:
            if not place.cancelled():
                # The turn was given just before the caller left.
                self._pass_on(customer_id)
            raise

    def _pass_on(self, customer_id: str) -> None:
        line = self._lines[customer_id]
        while line:
            place = line.popleft()
            if not place.done():
                place.set_result(None)
                return
        del self._lines[customer_id]

    async def _let_others_pass(self) -> None:
        """Those who come from now on are not waited for: nobody starves."""
        if self._at_work:
            works = {turn.work() for turn in self._at_work}
            await asyncio.wait(works, timeout=PATIENCE_S)


class Turn:
    """One request's turn, as an `async with`; most are waited for by nobody."""

    __slots__ = ("_turns", "_work", "customer_id")

    def __init__(self, turns: Turns, customer_id: str) -> None:
        self.customer_id = customer_id
        self._turns = turns
        self._work: asyncio.Future[None] | None = None

    def work(self) -> "asyncio.Future[None]":
        """Return what is done when the turn ends."""
        if self._work is None:
            self._work = asyncio.get_running_loop().create_future()
        return self._work

    async def __aenter__(self) -> None:
        """Wait for the turn."""
        await self._turns.enter(self)

    async def __aexit__(self, *_: object) -> None:
        """End the turn."""
        self._turns.leave(self)
        if self._work is not None:
            self._work.set_result(None)


async def in_time(work: Coroutine[Any, Any, Answer], seconds: float) -> Answer:
    """
    Return what the work gives, which is cancelled when its time is up.

    Raises:
        TransientError: it took longer.
    """
    try:
        async with asyncio.timeout(seconds):
            return await work
    except TimeoutError as error:
        raise TransientError("no answer in the time allowed") from error
