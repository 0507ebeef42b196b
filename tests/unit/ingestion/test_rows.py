"""Rows and their form outside, which is the same bytes each time."""

import json
from typing import Any

import pytest
from hypothesis import given

from domain.canonical import encode
from domain.events import STATE_EVENTS, Event
from domain.transaction import TransactionKind
from ingestion.rows import public_bytes, row_of
from tests.unit.ingestion.builders import event, event_id
from tests.unit.ingestion.histories import histories

COMMON = {
    "event_id": event_id(1),
    "occurred_at": "2026-06-10T12:00:00.000Z",
    "source": "card-system",
}


@pytest.mark.parametrize(
    ("kind", "data", "shown"),
    [
        (
            "transaction.recorded",
            {"kind": "purchase", "amount": "12.05"},
            {"kind": "purchase", "amount": "12.05", "period": "2026-06"},
        ),
        ("transaction.recorded", {"kind": "inquiry"}, {"kind": "inquiry", "period": "2026-06"}),
        (
            "statement.closed",
            {"period": "2025-12", "balance": "-0.50", "limit": "90.00"},
            {"kind": "statement", "balance": "-0.50", "limit": "90.00", "period": "2025-12"},
        ),
        (
            "delinquency.reported",
            {"period": "2026-01", "months_late": 3},
            {"kind": "delinquency", "months_late": 3, "period": "2026-01"},
        ),
        (
            "transaction.reversed",
            {"reverses": event_id(2)},
            {"kind": "reversal", "reverses": event_id(2), "period": "2026-06"},
        ),
    ],
)
def test_a_row_is_shown_in_the_words_of_the_contract(kind: str, data: Any, shown: Any) -> None:
    assert json.loads(public_bytes(row_of(event(1, kind, data=data)))) == COMMON | shown


@given(histories())
def test_the_bytes_are_canonical(events: list[Event]) -> None:
    for each in events:
        if each.type not in STATE_EVENTS:
            shown = public_bytes(row_of(each))
            assert encode(json.loads(shown)) == shown


def test_a_row_carries_what_decides_which_one_wins() -> None:
    row = row_of(event(5, "statement.closed", stream_id="card-system/x/3"))

    assert (row.source, row.incarnation, row.source_version) == ("card-system", 3, 5)
    assert (row.kind, row.customer_id) == (TransactionKind.STATEMENT, "c-1")
    assert (row.amount, row.limit, row.late, row.reverses) == (120050, 400000, 0, "")
