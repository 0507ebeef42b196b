"""Who decides when: a key once, a customer in turn, and nobody behind somebody who asks much."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Hashable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar
from weakref import WeakValueDictionary

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
        flight.add_done_callback(lambda _: self._underway.pop(key, None))
        return await asyncio.shield(flight)


@dataclass(slots=True)
class Turns:
    """
    Round robin over customers.

    Requests of one customer are decided one after the other: what each leaves of the limit is
    known to the next. A request that had to wait for its own customer lets everybody pass who is
    at work when its turn comes, so that a customer gets one decision a round, whoever else is
    there. Who is alone waits for nobody.
    """

    #: Held by those who wait or decide, and forgotten with the last of them.
    _lines: WeakValueDictionary[str, asyncio.Lock] = field(
        default_factory=WeakValueDictionary, init=False
    )
    _at_work: set["asyncio.Future[None]"] = field(default_factory=set, init=False)

    @asynccontextmanager
    async def turn(self, customer_id: str) -> AsyncIterator[None]:
        """Wait for this customer's turn, and hold it while the block runs."""
        line = self._lines.setdefault(customer_id, asyncio.Lock())
        waits = line.locked()
        async with line:
            if waits:
                await self._let_others_pass()
            work = asyncio.get_running_loop().create_future()
            self._at_work.add(work)
            try:
                yield
            finally:
                self._at_work.discard(work)
                work.set_result(None)

    async def _let_others_pass(self) -> None:
        """Those who come from now on are not waited for: nobody starves."""
        if self._at_work:
            await asyncio.wait(set(self._at_work), timeout=PATIENCE_S)


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
