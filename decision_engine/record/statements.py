"""
What a ledger batch says to the store of truth, one dataclass a statement.

Every instant is whole microseconds since 1970 UTC, every amount centavos. Reads give lists of the
row types below; writes give an empty list. `adapters/stores/sql` renders them, the model stores
interpret them.
"""

from dataclasses import dataclass

IdempotencyKey = tuple[str, str]


# --- reads -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LockPersons:
    """Lock these persons in key order, skipping locked ones -> list[str], the ids now locked."""

    person_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReadPersons:
    """-> list[str], which of these persons exist."""

    person_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CustomerRow:
    """Where a customer stands now."""

    customer_id: str
    person_id: str
    profile_version: int


@dataclass(frozen=True, slots=True)
class ReadCustomers:
    """-> list[CustomerRow]."""

    customer_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ExposureRow:
    """One open commitment of a person: a live reservation or a contract."""

    person_id: str
    source_id: str
    principal: int
    instalment: int


@dataclass(frozen=True, slots=True)
class ReadReservations:
    """-> list[ExposureRow] of reservations open at `alive_at_us` (state OPEN, expiry later)."""

    person_ids: tuple[str, ...]
    alive_at_us: int


@dataclass(frozen=True, slots=True)
class ReadContracts:
    """-> list[ExposureRow] of contracts PENDING, ACTIVE or STUCK (principal = outstanding)."""

    person_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReplyRow:
    """A recorded reply under its key; `reply` is None once retention has ended."""

    client_id: str
    idem_key: str
    command_hash: str
    decision_id: str
    reply: bytes | None


@dataclass(frozen=True, slots=True)
class ReadKeys:
    """-> list[ReplyRow] of the keys that are known."""

    keys: tuple[IdempotencyKey, ...]


@dataclass(frozen=True, slots=True)
class RecentRow:
    """A recent decision of a person, for marking duplicates."""

    person_id: str
    product: str
    amount: int
    decided_us: int
    decision_id: str


@dataclass(frozen=True, slots=True)
class ReadRecent:
    """-> list[RecentRow] decided after `since_us`, oldest first."""

    person_ids: tuple[str, ...]
    since_us: int


@dataclass(frozen=True, slots=True)
class ReadProfiles:
    """-> list[tuple[str, bytes]]: customer id and stored profile."""

    customer_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BatchRow:
    """A ledger batch: `n` 0 is a void batch, written only to arbitrate an unknown commit."""

    lane: str
    sequence: int
    previous_hash: bytes
    root: bytes
    leaves: bytes
    n: int
    note: str
    written_us: int


@dataclass(frozen=True, slots=True)
class ReadBatch:
    """-> list[BatchRow], zero or one."""

    lane: str
    sequence: int


@dataclass(frozen=True, slots=True)
class ReadLaneHeads:
    """-> list[BatchRow], the last batch of every lane."""


# --- writes ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class InsertBatch:
    """Write the batch row first: its key (lane, sequence) arbitrates."""

    row: BatchRow


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """One decision. `salt` and `content_hash` survive the erasure of `evidence` and `reply`."""

    decision_id: str
    client_id: str
    idem_key: str
    command_hash: str
    customer_id: str
    person_id: str
    product: str
    amount: int
    term_months: int
    outcome: str
    policy_id: str
    policy_version: int
    score: int | None
    band: str
    decided_us: int
    decision_date: str
    duplicate_of: str
    reviewed_decision: str
    lane: str
    lane_seq: int
    salt: bytes
    content_hash: bytes
    evidence: bytes
    reply: bytes


@dataclass(frozen=True, slots=True)
class InsertDecisions:
    """Unique keys: `decision_id`, and `uq_decision_key` on (client_id, idem_key)."""

    rows: tuple[DecisionRow, ...]


@dataclass(frozen=True, slots=True)
class ReservationRow:
    """What a decision with offers reserves: the largest principal, its instalment as service."""

    decision_id: str
    person_id: str
    state: str
    principal: int
    instalment: int
    expires_us: int


@dataclass(frozen=True, slots=True)
class InsertReservations:
    """One row a decision with offers."""

    rows: tuple[ReservationRow, ...]


@dataclass(frozen=True, slots=True)
class OfferRow:
    """One offer, kept for acceptance; `terms` are the canonical bytes of the public form."""

    offer_id: str
    decision_id: str
    person_id: str
    principal: int
    expires_us: int
    terms: bytes


@dataclass(frozen=True, slots=True)
class InsertOffers:
    """Offers of decisions in the same batch."""

    rows: tuple[OfferRow, ...]


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """An event to publish, in the columns of Debezium's outbox router."""

    event_id: str
    aggregate_type: str
    aggregate_id: str
    aggregate_seq: int
    type: str
    partition_key: str
    payload: bytes
    created_us: int


@dataclass(frozen=True, slots=True)
class InsertOutbox:
    """Events of the decisions in the same batch."""

    rows: tuple[OutboxRow, ...]


@dataclass(frozen=True, slots=True)
class ReviewRow:
    """A case for a person to close."""

    review_id: str
    decision_id: str
    customer_id: str
    state: str
    cause: str
    opened_us: int


@dataclass(frozen=True, slots=True)
class InsertReviews:
    """Cases opened by REFERRED decisions of the same batch."""

    rows: tuple[ReviewRow, ...]


@dataclass(frozen=True, slots=True)
class ReadOpenReviews:
    """-> list[str], which of these reviews are open; locks their rows where the store can."""

    review_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CloseReview:
    """
    Close an open review, naming the decision that closed it -> list[str], its id if it was open.

    Giving an empty list means that somebody else closed it first.
    """

    review_id: str
    closed_by: str
    reviewer: str
    note: str
    closed_us: int


# --- recovery ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reconnect:
    """Drop the connection and open a new one; an open transaction of the old one may still land."""


@dataclass(frozen=True, slots=True)
class TakeLane:
    """Make sure that no older session of this lane is alive; returns when that is certain."""

    lane: str
