"""
What the truth transaction of a batch of events says to the store, one dataclass a statement.

Instants are whole microseconds since 1970 UTC, amounts centavos.
"""

from dataclasses import dataclass

from domain.customer import CreditData
from domain.transaction import Transaction


@dataclass(frozen=True, slots=True)
class InboxRow:
    """An event that has been applied, parked or discarded."""

    event_id: str
    stream_id: str
    source_version: int
    body_hash: bytes
    customer_id: str


@dataclass(frozen=True, slots=True)
class ReadInbox:
    """-> list[InboxRow] that share an event id, or a (stream, version), with the events given."""

    event_ids: tuple[str, ...]
    stream_versions: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class LockProfiles:
    """
    Make sure that these customers have a row and lock it, in key order.

    -> list[tuple[str, bytes]]: customer id and stored profile; empty bytes for a new row.
    """

    customer_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ListIndexed:
    """-> list[tuple[str, bytes]]: customers behind this one whose CPF is known, and profiles."""

    after: str
    limit: int


@dataclass(frozen=True, slots=True)
class ReadTransactions:
    """-> list[tuple[Transaction, bool]]: rows by event id, and whether each is reversed."""

    event_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReadMonth:
    """-> list[Transaction]: the rows of a customer's month that are not reversed."""

    customer_id: str
    month: int


@dataclass(frozen=True, slots=True)
class ReadApplied:
    """-> list[tuple[str, int]]: event id and first-applied instant of transactions."""

    event_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A person to exist from now on."""

    person_id: str
    cpf_index: str


@dataclass(frozen=True, slots=True)
class EnsurePersons:
    """Insert the persons that do not exist yet."""

    rows: tuple[PersonRow, ...]


@dataclass(frozen=True, slots=True)
class PersonMove:
    """A customer turns out to be another person than it was taken for."""

    customer_id: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class MovePersons:
    """
    Take what customers are committed to along with them, to the person they now are.

    Locks the persons before and after in key order, waiting: decisions read exposure under these
    locks. Then reservations, offers and contracts of the customer's decisions change person.
    """

    moves: tuple[PersonMove, ...]

    @property
    def person_ids(self) -> tuple[str, ...]:
        """Every person concerned, in the order in which everybody locks them."""
        return tuple(sorted({name for move in self.moves for name in (move.before, move.after)}))


@dataclass(frozen=True, slots=True)
class ProfileWrite:
    """The new state of a customer's row, which this transaction holds locked."""

    profile: CreditData
    payload: bytes
    cpf_index: str
    updated_us: int


@dataclass(frozen=True, slots=True)
class WriteProfiles:
    """Write profiles, each only over a lower `profile_version`."""

    rows: tuple[ProfileWrite, ...]


@dataclass(frozen=True, slots=True)
class TransactionWrite:
    """A row of `transactions` with the instant it was first applied and its outside form."""

    row: Transaction
    reversed: bool
    applied_us: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class InsertTransactions:
    """New rows; the event id is the primary key."""

    rows: tuple[TransactionWrite, ...]


@dataclass(frozen=True, slots=True)
class MarkReversed:
    """Take rows out of their months."""

    event_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class InsertInbox:
    """Unique keys: `event_id`, and `uq_inbox_stream` on (stream_id, source_version)."""

    rows: tuple[InboxRow, ...]


@dataclass(frozen=True, slots=True)
class ParkedRow:
    """A poison event set aside: payload sealed, reason a code; state OPEN, REDRIVEN, DISCARDED."""

    parked_id: str
    customer_id: str
    reason: str
    detail: str
    sealed_payload: bytes
    parked_us: int


@dataclass(frozen=True, slots=True)
class InsertParked:
    """Set events aside; a parked id that exists already is left as it is."""

    rows: tuple[ParkedRow, ...]


@dataclass(frozen=True, slots=True)
class IngestionBatchRow:
    """What the handler did with one invocation, for operators."""

    batch_id: str
    shard_id: str
    first_sequence: str
    last_sequence: str
    records: int
    applied: int
    duplicates: int
    parked: int
    failed: int
    started_us: int
    finished_us: int
    code_version: str


@dataclass(frozen=True, slots=True)
class InsertIngestionBatch:
    """One row an invocation; telemetry, written outside the truth transaction."""

    row: IngestionBatchRow
