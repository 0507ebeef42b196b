"""
The rows that the projection stores get: the bytes of truth under a version, and readable columns.

The latest decision is versioned by its instant in microseconds. Two decisions of one customer in
the same microsecond: of one batch the greater id counts, of several the one projected first.
"""

from collections.abc import Iterable
from typing import Any, Final

from domain.canonical import encode
from domain.events import Event
from domain.instants import from_epoch_micros, instant_micros
from domain.money import Money
from domain.ports.storage import ProjectionRow
from domain.profile_row import times
from ingestion.statements import TransactionWrite

LATEST: Final = "DECISION_LATEST"
TRANSACTION: Final = "TRANSACTION#"
DECISION: Final = "DECISION#"
#: Append-only rows are written once; another version would mean other bytes.
APPENDED: Final = 1
#: Transactions leave the projections this long after they were first applied.
TRANSACTION_TTL_S: Final = 2_592_000
MICROS: Final = 1_000_000


def transaction_rows(writes: Iterable[TransactionWrite], now_us: int) -> list[ProjectionRow]:
    """Return the rows of transactions, without those whose time in the projections is over."""
    rows = (_transaction_row(write) for write in writes)
    return [row for row in rows if row.expires_s is None or row.expires_s * MICROS > now_us]


def decision_row(event: Event) -> ProjectionRow:
    """Return the row of one decision in the customer's history."""
    data: Any = event.data
    place = f"{instant_micros(from_epoch_micros(data['decided_us']))}#{data['decision_id']}"
    return _decision(event, f"{DECISION}{place}", APPENDED)


def latest_rows(events: Iterable[Event]) -> list[ProjectionRow]:
    """Return one row a customer: the newest of these decisions."""
    newest: dict[str, Event] = {}
    for event in sorted(events, key=_decision_order):
        newest[event.customer_id] = event
    return [_decision(event, LATEST, _decision_order(event)[0]) for event in newest.values()]


def _decision_order(event: Event) -> tuple[int, str]:
    data: Any = event.data
    return (data["decided_us"], data["decision_id"])


def _decision(event: Event, data_type: str, version: int) -> ProjectionRow:
    data: Any = event.data
    payload = encode({name: value for name, value in data.items() if name != "decided_us"})
    columns: dict[str, str | int] = {"status": data["outcome"], **times(data["decided_us"])}
    if "amount" in data:
        columns["amount"] = Money.parse(data["amount"]).centavos
    if data.get("score") is not None:
        columns["credit_score"] = data["score"]
    return ProjectionRow(event.customer_id, data_type, version, payload, event.event_id, columns)


def _transaction_row(write: TransactionWrite) -> ProjectionRow:
    row = write.row
    occurred = instant_micros(from_epoch_micros(row.occurred_us))
    return ProjectionRow(
        row.customer_id,
        f"{TRANSACTION}{occurred}#{row.event_id}",
        APPENDED,
        write.payload,
        row.event_id,
        {"transaction_id": row.event_id, "amount": row.amount, **times(row.occurred_us)},
        write.applied_us // MICROS + TRANSACTION_TTL_S,
    )
