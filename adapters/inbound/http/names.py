"""The names that a caller may read back in a pointer: those of the contract, never others."""

from typing import Final

FIELDS: Final = frozenset({
    "amortization", "amount", "cases", "channel", "customer_id", "events", "external_reference",
    "first_due_on", "inputs", "iof", "monthly_rate", "note", "outcome", "overrides",
    "policy", "product", "reasons", "signed_on", "stale", "term_months",
})  # fmt: skip
#: Members of an event's envelope, which the ingesting side points at.
ENVELOPE: Final = frozenset({
    "data", "event_id", "occurred_at", "schema_version", "source", "source_version", "stream_id",
    "trace", "type",
})  # fmt: skip
PARAMETERS: Final = frozenset({
    "cursor", "from", "id", "language", "limit", "state", "to",
})  # fmt: skip
HEADERS: Final = frozenset({
    "accept", "authorization", "content-length", "content-type", "deadline-ms", "idempotency-key",
})  # fmt: skip

KNOWN_NAMES: Final = FIELDS | ENVELOPE | PARAMETERS | HEADERS | {"headers", "query", "path"}
