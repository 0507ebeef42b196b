"""What the relay says to the store of truth."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OutboxEvent:
    """One event waiting to be published, in the order it was written."""

    id: int
    event_id: str
    partition_key: str
    payload: bytes
    created_us: int


@dataclass(frozen=True, slots=True)
class ReadOutbox:
    """-> list[OutboxEvent], the oldest `limit` events, by id."""

    limit: int


@dataclass(frozen=True, slots=True)
class DeleteOutbox:
    """Forget published events; ids that are gone already are no error."""

    ids: tuple[int, ...]
