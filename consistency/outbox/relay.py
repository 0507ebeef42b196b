"""From the outbox to the stream: what a transaction wrote gets published, at least once."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from consistency.outbox.statements import DeleteOutbox, OutboxEvent, ReadOutbox
from consistency.waiting import Signal, pause
from domain.errors import CreditError
from domain.instants import epoch_micros
from domain.ports.monitoring import Monitoring
from domain.ports.stream import EventStream
from domain.ports.time import Clock, Deadline
from domain.ports.truth import Begin, Commit, Program, Truth

MICROS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class OutboxRelay:
    """
    The only relay of a process that owns its store: no leases, one round after the other.

    Events of one partition key are published in the order they were written. An event leaves the
    outbox only after the stream has acknowledged it, so a crash or an unclear answer publishes it
    again; consumers know it by its id. `sleep` waits for some seconds; `idle_s` caps a wait for
    `wake`, which a writer sets after its commit.
    """

    truth: Truth
    stream: EventStream
    clock: Clock
    monitoring: Monitoring
    sleep: Callable[[float], Awaitable[None]]
    events_max: int = 500
    timeout_s: float = 10.0
    idle_s: float = 5.0
    retry_s: float = 0.5

    async def run_once(self) -> int:
        """
        Publish the oldest events, forget them, and return how many there were.

        Raises:
            CreditError: some may have been published; nothing is lost, so simply call again.
        """
        deadline = Deadline.after(self.clock, self.timeout_s)
        (events,) = await self.truth.read((ReadOutbox(self.events_max),), deadline)
        if not events:
            return 0
        await self.stream.put([(event.partition_key, event.payload) for event in events], deadline)
        ids = tuple(event.id for event in events)
        await self.truth.transact(lambda: _delete(ids), deadline)
        self._measure(events)
        return len(events)

    async def run(self, stop: Signal, wake: Signal) -> None:
        """Publish until `stop` is set; without work or after a failure, wait instead of asking."""
        while not stop.is_set():
            # Cleared before reading: a commit from here on sets it again, and is not missed.
            wake.clear()
            try:
                full = await self.run_once() == self.events_max
            except CreditError as error:
                self.monitoring.count("outbox_failures", code=error.code)
                await pause(self.sleep, self.retry_s, stop)
            else:
                if not full:
                    await pause(self.sleep, self.idle_s, stop, wake)

    def _measure(self, events: list[OutboxEvent]) -> None:
        age_us = epoch_micros(self.clock.now()) - events[0].created_us
        self.monitoring.count("outbox_published", len(events))
        self.monitoring.observe("outbox_age_seconds", age_us / MICROS)


def _delete(ids: tuple[int, ...]) -> Program[None]:
    yield (Begin(), DeleteOutbox(ids), Commit())
