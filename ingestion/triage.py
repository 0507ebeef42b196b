"""
Which events of a batch are new, by the inbox: pure.

An id or a place in a stream is taken by whoever came first. The same event again is a duplicate;
anything else on a taken id or place is poison.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from domain.events import Event
from ingestion.intake import Item, Work
from ingestion.park import Parked, Poison
from ingestion.statements import InboxRow, ReadInbox


@dataclass(frozen=True, slots=True)
class Sorted:
    """The works of a batch, sorted out: by customer what is new, and what is not."""

    fresh: dict[str, list[Event]] = field(default_factory=dict)
    parked: dict[str, list[Parked]] = field(default_factory=dict)
    duplicates: list[Event] = field(default_factory=list)
    parked_before: list[Parked] = field(default_factory=list)
    conflicts: list[Poison] = field(default_factory=list)

    @property
    def customers(self) -> list[str]:
        """Those for whom there is anything new, in key order."""
        return sorted(self.fresh.keys() | self.parked.keys())


def inbox_question(works: Sequence[Work]) -> ReadInbox:
    """Return the statement that asks for all that these works could collide with."""
    events = [item.event for work in works for item in work.items]
    parked_ids = [parked.parked_id for work in works for parked in work.parked]
    return ReadInbox(
        event_ids=(*(event.event_id for event in events), *parked_ids),
        stream_versions=tuple((event.stream_id, event.source_version) for event in events),
    )


def sort_out(works: Sequence[Work], inbox: Sequence[InboxRow]) -> Sorted:
    """Return what is new in the works, given the inbox rows that they could collide with."""
    known = _Known(inbox)
    result = Sorted()
    for work in works:
        for item in work.items:
            _sort_item(item, known, result)
        for parked in work.parked:
            if known.takes(parked.parked_id):
                result.parked.setdefault(work.customer_id, []).append(parked)
            else:
                result.parked_before.append(parked)
    return result


def _sort_item(item: Item, known: "_Known", result: Sorted) -> None:
    event = item.event
    body = known.body_of(event.event_id)
    if body == event.body_hash:
        result.duplicates.append(event)
    elif body is not None:
        result.conflicts.append(Poison(item.record, "event-id-reused", "/event_id"))
    elif not known.takes(event.event_id, event.body_hash, (event.stream_id, event.source_version)):
        result.conflicts.append(Poison(item.record, "version-reused", "/source_version"))
    else:
        result.fresh.setdefault(event.customer_id, []).append(event)


class _Known:
    """The ids and places in streams that are taken, those of this batch included."""

    def __init__(self, inbox: Sequence[InboxRow]) -> None:
        self._bodies = {row.event_id: row.body_hash for row in inbox}
        self._places = {(row.stream_id, row.source_version) for row in inbox}

    def body_of(self, event_id: str) -> bytes | None:
        return self._bodies.get(event_id)

    def takes(self, event_id: str, body: bytes = b"", place: tuple[str, int] | None = None) -> bool:
        """Take an id and its place; return whether both were free."""
        if event_id in self._bodies or place in self._places:
            return False
        self._bodies[event_id] = body
        if place is not None:
            self._places.add(place)
        return True
