"""
Reads that many wait for: one read a tier and customer, whoever began it and whoever leaves.

A flight is a task of its own, so nobody's cancellation ends it, and everybody waits for a time of
their own, so that the impatient neither fail with the patient nor make them fail. It may be joined
for two seconds after it began: what is read must not be older. When it has landed it stays until
what it brought is in the cache, for those who looked there just before.
"""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from math import inf
from typing import Any, Final, Generic, TypeVar

from domain.errors import DeadlineExceededError, TransientError
from domain.ports.time import Clock

T = TypeVar("T")
Key = tuple[str, str]
#: What was read, and the task that writes it where the next reader looks first.
Landed = tuple[T, "asyncio.Task[None] | None"]
#: Begins a read, given the instant of its beginning.
Read = Callable[[float], Coroutine[Any, Any, Landed[T]]]
JOINABLE_S: Final = 2.0


@dataclass(frozen=True, slots=True, eq=False)
class Flight(Generic[T]):
    """A read: since when, and until when it was given time (monotonic seconds)."""

    task: "asyncio.Task[Landed[T]]"
    began: float
    until: float


@dataclass(slots=True)
class SharedReads(Generic[T]):
    """The flights of one process, by tier and customer; safe within one event loop."""

    clock: Clock
    _flights: dict[Key, Flight[T]] = field(default_factory=dict, init=False)

    def under_way(self, key: Key) -> bool:
        """Return whether there is a flight to join."""
        flight = self._flights.get(key)
        if flight is None or _failed(flight.task):
            # A failure may be seen here before it has been forgotten.
            return False
        return self.clock.monotonic() - flight.began <= JOINABLE_S

    def joined(self, key: Key, read: Read[T], until: float) -> Flight[T]:
        """Return the flight under this key, or begin one that has time until then."""
        return self._flights[key] if self.under_way(key) else self.begun(key, read, until)

    def begun(self, key: Key, read: Read[T], until: float) -> Flight[T]:
        """Begin a flight, in the place of another one under this key."""
        now = self.clock.monotonic()
        flight = Flight(asyncio.create_task(read(now)), now, until)
        self._flights[key] = flight
        flight.task.add_done_callback(lambda task: self._landed(key, flight, task))
        return flight

    async def wait(self, flight: Flight[T], seconds: float) -> T:
        """
        Return what the flight brings.

        Raises:
            DeadlineExceededError: it takes longer than `seconds`, or took all of its own time.
            CreditError: it failed.
        """
        task = flight.task
        if not task.done() and not await wait_for_end(task, seconds):
            raise DeadlineExceededError("the read of a customer takes too long")
        if task.cancelled():
            raise TransientError("reading was given up")
        return task.result()[0]

    def tasks(self) -> list["asyncio.Task[Landed[T]]"]:
        """Return the reads under way."""
        return [flight.task for flight in self._flights.values() if not flight.task.done()]

    def _landed(self, key: Key, flight: Flight[T], task: "asyncio.Task[Landed[T]]") -> None:
        # Looked at here, so that a failure for which nobody waits any more is no news.
        fill = None if _failed(task) else task.result()[1]
        if fill is None:
            self._forget(key, flight)
        else:
            fill.add_done_callback(lambda _: self._forget(key, flight))

    def _forget(self, key: Key, flight: Flight[T]) -> None:
        # Another one may have taken its place, when it had become too old to be joined.
        if self._flights.get(key) is flight:
            del self._flights[key]


async def wait_for_end(work: "asyncio.Future[Any]", seconds: float = inf) -> bool:
    """
    Return whether the work has ended, within so many seconds; nothing happens to it.

    `asyncio.wait`, made for many, costs twice as much, and `asyncio.shield` reports the error of
    work whose waiter has left to the loop, as if it were a fault.
    """
    if work.done():
        return True
    loop = asyncio.get_running_loop()
    either = loop.create_future()

    def wake(*_: object) -> None:
        if not either.done():
            either.set_result(None)

    timer = None if seconds == inf else loop.call_later(seconds, wake)
    work.add_done_callback(wake)
    try:
        await either
    finally:
        work.remove_done_callback(wake)
        if timer is not None:
            timer.cancel()
    return work.done()


def take_note(work: "asyncio.Future[Any]") -> None:
    """Look at how work has ended: an error for which nobody waits any more is no news."""
    if not work.cancelled():
        work.exception()


def _failed(task: "asyncio.Task[Any]") -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)
