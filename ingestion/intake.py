"""The first step of a batch: each record read once, and sorted by whom it concerns."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from domain.errors import CreditError, InvalidInputError
from domain.events import OWN_EVENTS, Event
from domain.ports.keys import KeyVault
from domain.ports.stream import StreamRecord
from domain.ports.time import Deadline
from ingestion.decode import decode
from ingestion.park import Parked, Poison, customer_of, seal_poison
from ingestion.reading import fail
from ingestion.seal import sealed_event

#: How a record starts that the Kinesis Producer Library packed from several.
AGGREGATED: Final = b"\xf3\x89\x9a\xc2"


@dataclass(frozen=True, slots=True)
class Item:
    """A record and the valid event in it."""

    record: StreamRecord
    event: Event


@dataclass(frozen=True, slots=True)
class Work:
    """What the records of one customer ask of truth; it is done as a whole or not at all."""

    customer_id: str
    first_sequence: int
    items: list[Item] = field(default_factory=list)
    parked: list[Parked] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Intake:
    """
    A batch, read: works by customer in order of arrival, and our own events apart.

    `unfinished` are the sequence numbers where a customer stopped because a port was away.
    """

    works: dict[str, Work] = field(default_factory=dict)
    own: list[Event] = field(default_factory=list)
    unfinished: list[int] = field(default_factory=list)

    def work_of(self, customer_id: str, record: StreamRecord) -> Work:
        """Return the work of a customer, begun with this record if it is the first."""
        work = self.works.get(customer_id)
        if work is None:
            work = self.works[customer_id] = Work(customer_id, record.sequence)
        return work


async def take_in(records: Sequence[StreamRecord], vault: KeyVault, deadline: Deadline) -> Intake:
    """Return the batch sorted by customer; a customer whose record cannot be read now stops."""
    intake = Intake()
    stopped: set[str] = set()
    for record in records:
        try:
            await _take(intake, record, vault, deadline)
        except CreditError:
            customer_id = customer_of(record.partition_key)
            intake.work_of(customer_id, record)
            stopped.add(customer_id)
    for customer_id in stopped:
        intake.unfinished.append(intake.works.pop(customer_id).first_sequence)
    return intake


async def _take(intake: Intake, record: StreamRecord, vault: KeyVault, deadline: Deadline) -> None:
    try:
        event = await _read(record, vault, deadline)
    except InvalidInputError as error:
        parked = await seal_poison(Poison.of(record, error), vault, deadline)
        intake.work_of(parked.customer_id, record).parked.append(parked)
        return
    if event.type in OWN_EVENTS:
        intake.own.append(event)
    else:
        intake.work_of(event.customer_id, record).items.append(Item(record, event))


async def _read(record: StreamRecord, vault: KeyVault, deadline: Deadline) -> Event:
    if record.data.startswith(AGGREGATED):
        fail("", "kpl-aggregated", "records packed by the Kinesis Producer Library are not read")
    event, _ = await sealed_event(decode(record.data), vault, deadline)
    if event.customer_id != record.partition_key:
        fail("/customer_id", "key-differs", "not the partition key of the record")
    return event
