"""The demo book: what the events say is what the data say, and it comes out the same every time."""

import gzip
import json
from collections import Counter, defaultdict
from datetime import timedelta
from itertools import groupby, islice
from pathlib import Path
from typing import Any, Final

import pytest

from adapters.bootstrap.shipped import DemoData
from adapters.inbound.cli.demo.book import (
    BookCounts,
    Borrower,
    count,
    event_records,
    events,
    monthly_income,
    read_book,
)
from domain.canonical import encode
from domain.instants import business_day, parse_instant
from ingestion.parse import parse_event
from policies.profiles import AS_OF

TAIWAN: Final = DemoData().taiwan
SAMPLE: Final = 300


@pytest.fixture(scope="module")
def book() -> list[Borrower]:
    return read_book(TAIWAN)


@pytest.fixture(scope="module")
def told(book: list[Borrower]) -> list[dict[str, Any]]:
    return list(events(book[:SAMPLE]))


def test_the_whole_book_has_the_facts_of_the_data(book: list[Borrower]) -> None:
    counts = count(book)

    assert (counts.customers, counts.statements) == (30_000, 180_000)
    assert (counts.payments, counts.late_months) == (143_103, 25_026)
    assert 0.89 < counts.incomes / counts.customers < 0.91
    assert counts.events == counts.incomes + 180_000 + 143_103 + 25_026


def test_the_counts_are_those_of_the_events(
    book: list[Borrower], told: list[dict[str, Any]]
) -> None:
    types = Counter(event["type"] for event in told)

    assert count(book[:SAMPLE]) == BookCounts(
        customers=len({event["customer_id"] for event in told}),
        incomes=types["customer.profile_updated"],
        statements=types["statement.closed"],
        payments=types["transaction.recorded"],
        late_months=types["delinquency.reported"],
    )
    assert count(book[:SAMPLE]).events == len(told)


def test_the_first_customer_is_the_first_row(told: list[dict[str, Any]]) -> None:
    """NT$ 20,000 limit; bills 0, 0, 0, 689, 3102, 3913; one payment of 689; late 2 and 2."""
    own = [event for event in told if event["customer_id"] == "c-000001"]

    assert [event["data"] for event in own] == [
        {"income": {"monthly": "640.00", "basis": "estimated"}},
        {"period": "2025-12", "balance": "0.00", "limit": "2000.00"},
        {"period": "2026-01", "balance": "0.00", "limit": "2000.00"},
        {"period": "2026-02", "balance": "0.00", "limit": "2000.00"},
        {"period": "2026-03", "balance": "68.90", "limit": "2000.00"},
        {"kind": "payment", "amount": "68.90"},
        {"period": "2026-04", "balance": "310.20", "limit": "2000.00"},
        {"period": "2026-04", "months_late": 2},
        {"period": "2026-05", "balance": "391.30", "limit": "2000.00"},
        {"period": "2026-05", "months_late": 2},
    ]


def test_the_records_are_the_events_in_canonical_bytes(
    book: list[Borrower], told: list[dict[str, Any]]
) -> None:
    expected = [(event["customer_id"], encode(event)) for event in told]

    assert list(event_records(book[:SAMPLE])) == expected


def test_another_seed_moves_days_and_ids_but_no_fact(
    book: list[Borrower], told: list[dict[str, Any]]
) -> None:
    other = list(events(book[:SAMPLE], seed=7))

    def facts(some: list[dict[str, Any]]) -> list[Any]:
        kept = [event for event in some if event["source"] == "cards"]
        return [(event["customer_id"], event["source_version"], event["data"]) for event in kept]

    assert facts(other) == facts(told)
    assert not {event["event_id"] for event in other} & {event["event_id"] for event in told}


def test_ingestion_accepts_every_event(told: list[dict[str, Any]]) -> None:
    parsed = [parse_event(event) for event in told]

    assert len({event.event_id for event in parsed}) == len(told)


def test_versions_are_gapless_within_a_stream(told: list[dict[str, Any]]) -> None:
    streams = defaultdict(list)
    for event in told:
        assert event["stream_id"] == f"{event['source']}/{event['customer_id']}/1"
        streams[event["stream_id"]].append(event["source_version"])

    assert all(versions == [*range(1, len(versions) + 1)] for versions in streams.values())


def test_months_come_in_order_and_customers_within_them(told: list[dict[str, Any]]) -> None:
    order = [(event["occurred_at"][:7], event["customer_id"]) for event in told]

    assert order == sorted(order)


def test_a_payment_precedes_the_bill_and_a_delay_follows_it(told: list[dict[str, Any]]) -> None:
    for _, group in groupby(told, key=lambda e: (e["occurred_at"][:7], e["customer_id"])):
        instants = [event["occurred_at"] for event in group]

        assert instants == sorted(instants)


def test_days_are_the_same_in_sao_paulo_and_in_the_period(told: list[dict[str, Any]]) -> None:
    for event in told:
        day = business_day(parse_instant(event["occurred_at"]))

        assert event["occurred_at"].startswith(day.isoformat())
        assert event["data"].get("period", f"{day:%Y-%m}") == f"{day:%Y-%m}"


def test_the_newest_statement_stays_fresh_for_weeks_after_the_demo_opens(
    book: list[Borrower],
) -> None:
    last = {
        event["customer_id"]: event["occurred_at"]
        for event in events(book[:2000])
        if event["type"] == "statement.closed"
    }

    ages = {business_day(AS_OF) - business_day(parse_instant(text)) for text in last.values()}
    assert min(ages) >= timedelta(days=14)
    assert max(ages) <= timedelta(days=21)


def test_a_tenth_of_the_customers_has_no_income(book: list[Borrower]) -> None:
    incomes = {borrower.number: monthly_income(borrower) for borrower in book}

    assert 0.09 < sum(income is None for income in incomes.values()) / len(book) < 0.11
    # Presumed from the limit: / 2.5, less 20 %.
    known = [borrower for borrower in book if incomes[borrower.number] is not None]
    assert all(incomes[each.number] == each.limit * 10 // 25 * 80 // 100 for each in known)


def test_the_label_and_the_person_behind_change_no_event(tmp_path: Path) -> None:
    with gzip.open(TAIWAN, "rt") as lines:
        header, *rows = (line.rstrip("\n").split(",") for line in islice(lines, SAMPLE + 1))
    for row in rows:
        row[-1] = str(1 - int(row[-1]))
        row[2:6] = ["1", "1", "1", "99"]
    other = tmp_path / "other.csv.gz"
    with gzip.open(other, "wt") as lines:
        lines.writelines(",".join(row) + "\n" for row in [header, *rows])

    assert header[2:6] == ["SEX", "EDUCATION", "MARRIAGE", "AGE"]
    assert header[-1] == "default_next_month"
    assert read_book(other) == read_book(TAIWAN, SAMPLE)


def test_no_event_names_a_person(told: list[dict[str, Any]]) -> None:
    text = json.dumps(told)

    assert not [word for word in ("cpf", "name", "birth", "identity") if word in text]
