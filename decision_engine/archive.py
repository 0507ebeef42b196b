"""
What reading use cases ask of the store of truth, one dataclass a statement.

Instants are whole microseconds since 1970 UTC, amounts centavos. Lists are keyset pages: newest
first, `before` is the (instant, id) of the last item of the page before, or None.
"""

from dataclasses import dataclass

Keyset = tuple[int, str] | None


@dataclass(frozen=True, slots=True)
class StoredDecision:
    """A decision as recorded; `evidence` and `reply` are None once erased."""

    decision_id: str
    client_id: str
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
    duplicate_of: str
    reviewed_decision: str
    salt: bytes
    content_hash: bytes
    evidence: bytes | None
    reply: bytes | None


@dataclass(frozen=True, slots=True)
class ReadDecision:
    """-> list[StoredDecision], zero or one."""

    decision_id: str


@dataclass(frozen=True, slots=True)
class ListDecisions:
    """-> list[StoredDecision] newest first; empty text and None mean "any"."""

    limit: int
    before: Keyset = None
    customer_id: str = ""
    outcome: str = ""
    policy_id: str = ""
    from_us: int | None = None
    to_us: int | None = None


@dataclass(frozen=True, slots=True)
class StoredReview:
    """A case: state OPEN or CLOSED; cause REFERRED (the policy) or REQUESTED (the person)."""

    review_id: str
    decision_id: str
    customer_id: str
    state: str
    cause: str
    opened_us: int
    closed_by: str
    reviewer: str
    note: str
    closed_us: int


@dataclass(frozen=True, slots=True)
class ReadReview:
    """-> list[StoredReview], zero or one."""

    review_id: str


@dataclass(frozen=True, slots=True)
class ReadReviewsOf:
    """-> list[StoredReview] of a decision, oldest first."""

    decision_id: str


@dataclass(frozen=True, slots=True)
class ListReviews:
    """-> list[StoredReview] newest first."""

    limit: int
    before: Keyset = None
    state: str = ""


@dataclass(frozen=True, slots=True)
class StoredKey:
    """The reply of a creating POST other than a decision, under (scope, key)."""

    scope: str
    idem_key: str
    command_hash: str
    status: int
    reply: bytes
    created_us: int


@dataclass(frozen=True, slots=True)
class ReadKey:
    """-> list[StoredKey], zero or one."""

    scope: str
    idem_key: str


@dataclass(frozen=True, slots=True)
class InsertKey:
    """Keep a reply; raises DuplicateKeyError when the key is taken."""

    row: StoredKey


@dataclass(frozen=True, slots=True)
class StoredTransaction:
    """A row of a customer's history as shown outside: `payload` is its public form."""

    event_id: str
    kind: str
    occurred_us: int
    reversed: bool
    payload: bytes


@dataclass(frozen=True, slots=True)
class ListTransactions:
    """-> list[StoredTransaction] of a customer, newest first."""

    customer_id: str
    limit: int
    before: Keyset = None
    from_us: int | None = None
    to_us: int | None = None


@dataclass(frozen=True, slots=True)
class ReadCustomerProfile:
    """-> list[bytes], the stored profile, zero or one."""

    customer_id: str


@dataclass(frozen=True, slots=True)
class StoredPolicy:
    """
    A published policy version; status `active` or `retired`.

    `parts` is canonical JSON with the hashes of the models and tables that it decides with.
    """

    policy_id: str
    version: int
    content_hash: str
    product: str
    title: str
    status: str
    document: bytes
    parts: bytes
    published_us: int


@dataclass(frozen=True, slots=True)
class ListPolicies:
    """-> list[StoredPolicy], by id, then newest version first; empty text means every policy."""

    policy_id: str = ""


@dataclass(frozen=True, slots=True)
class InsertPolicy:
    """Publish a version and retire the active ones of the same policy id."""

    row: StoredPolicy


@dataclass(frozen=True, slots=True)
class SetPolicyParts:
    """Let a published version decide with other models and tables from now on."""

    policy_id: str
    version: int
    parts: bytes


@dataclass(frozen=True, slots=True)
class StoredArtifact:
    """Bytes that decisions name by hash: models, dated tables, reason texts."""

    content_hash: str
    kind: str
    name: str
    document: bytes
    published_us: int


@dataclass(frozen=True, slots=True)
class ReadArtifacts:
    """-> list[StoredArtifact], every one."""


@dataclass(frozen=True, slots=True)
class InsertArtifact:
    """Keep the bytes; the same hash again changes nothing."""

    row: StoredArtifact


@dataclass(frozen=True, slots=True)
class ReadNewestInstant:
    """-> list[int], the newest instant of any decision, event applied or batch; 0 when empty."""
