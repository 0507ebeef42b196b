"""Envelopes, events and records, valid unless a test says otherwise."""

from datetime import UTC, datetime
from typing import Any

from domain.canonical import encode
from domain.events import Event
from domain.identifiers import uuid7
from domain.ports.stream import StreamRecord
from ingestion.parse import parse_event

ARRIVED_US = 1_781_524_800_000_000
Json = dict[str, Any]


def event_id(number: int) -> str:
    """Return the id of the n-th event of a test."""
    return uuid7(datetime(2026, 6, 1, tzinfo=UTC), number)


def envelope(number: int = 1, kind: str = "transaction.recorded", **changes: Any) -> Json:
    """Return a valid envelope; `data` and every other field can be set."""
    source = changes.get("source", "card-system")
    customer_id = changes.get("customer_id", "c-1")
    defaults = {
        "event_id": event_id(number),
        "source": source,
        "stream_id": f"{source}/{customer_id}/1",
        "source_version": number,
        "customer_id": customer_id,
        "type": kind,
        "schema_version": 1,
        "occurred_at": "2026-06-10T12:00:00.000Z",
        "data": DATA[kind],
    }
    return defaults | changes


DATA: dict[str, Json] = {
    "customer.profile_updated": {"income": {"monthly": "5200.00", "basis": "verified"}},
    "transaction.recorded": {"kind": "payment", "amount": "340.07"},
    "transaction.reversed": {"reverses": event_id(1)},
    "statement.closed": {"period": "2026-05", "balance": "1200.50", "limit": "4000.00"},
    "delinquency.reported": {"period": "2026-05", "months_late": 1},
    "bureau.score_updated": {"score": 640, "model": "bureau-v4"},
    "credit.decided": {
        "decision_id": event_id(900),
        "customer_id": "c-1",
        "outcome": "DECLINED",
        "decided_at": "2026-06-10T12:00:00.000000Z",
        "product": "personal_loan",
        "amount": "20000.00",
        "term_months": 36,
        "policy_id": "personal-loan",
        "policy_version": 3,
        "score": 480,
        "band": "E",
        "reasons": ["R12"],
        "principal": "0.00",
    },
    "loan.performance_reported": {
        "contract_id": "k-9",
        "period": "2026-05",
        "days_late": 0,
        "balance": "8251.70",
    },
}
TYPES = sorted(DATA)
CLEAR_IDENTITY = {
    "cpf": "529.982.247-25",
    "name": "Ana Souza",
    "birth_date": "1990-02-28",
    "email": "ana@example.org",
    "phone": "+55 11 91234-5678",
    "address": "Rua A, 1",
}


def event(number: int = 1, kind: str = "transaction.recorded", **changes: Any) -> Event:
    """Return the parsed event of an envelope."""
    return parse_event(envelope(number, kind, **changes))


def identity(number: int, data: Json, **changes: Any) -> Json:
    """Return the envelope of a profile update with an identity."""
    return envelope(number, "customer.profile_updated", data={"identity": data}, **changes)


def record(
    sequence: int, body: Json | bytes | None = None, key: str = "c-1", shard: str = "shard-0"
) -> StreamRecord:
    """Return a stream record with an envelope, or with any bytes."""
    data = body if isinstance(body, bytes) else encode(body or envelope(sequence))
    return StreamRecord(shard, sequence, key, data, ARRIVED_US + sequence)
