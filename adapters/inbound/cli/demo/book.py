"""
The demo book: 30,000 real card customers, told as events.

Statements, payments, delays and limits are the rows of the Taiwan data set (data/README.md), moved
by 248 whole months and to reais at NT$ 1 = R$ 0.10. The day within a month is a seeded hash of the
customer, and the income is presumed from the limit; docs/demo.md says what is real and what is
stated. The label of the data set is never read here.
"""

import csv
import gzip
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple

from domain.events import EventType
from domain.identifiers import uuid7
from domain.instants import instant_micros
from domain.money import format_centavos, round_half_even

SEED: Final = 42
TAIWAN_CSV: Final = "taiwan_credit_default.csv.gz"
CARDS: Final = "cards"
INCOME_MODEL: Final = "income-model"

#: April 2005, the first month of the data, moved by 248 months is December 2025.
SHIFT_MONTHS: Final = 248
FIRST_MONTH: Final = 2005 * 12 + 3 + SHIFT_MONTHS
MONTHS: Final = 6
#: NT$ 1 is R$ 0.10, exactly.
CENTAVOS_PER_NTD: Final = 10
#: Presumed income: limit / 2.5 with a haircut of 20 %, which is 32 % of the limit.
INCOME_PERCENT_OF_LIMIT: Final = 32
#: One customer in ten has no income on file.
NO_INCOME_TENTHS: Final = 1

#: Days of the month: a payment comes before the bill closes, news of a delay after it.
PAYMENT_DAYS: Final = range(3, 16)
CLOSING_DAYS: Final = range(20, 27)
LATE_DAYS_AFTER_CLOSING: Final = range(1, 3)
#: Things happen from 09:00 to 18:00 in São Paulo, so a day there is the same day in UTC.
OPENING_HOUR_UTC: Final = 12
OPEN_MICROS: Final = 9 * 3600 * 1_000_000


@dataclass(frozen=True, slots=True)
class Borrower:
    """One customer of the book; money in centavos, months oldest first."""

    number: int
    limit: int
    balances: tuple[int, ...]
    payments: tuple[int, ...]
    lates: tuple[int, ...]

    @property
    def customer_id(self) -> str:
        """The public id, c-000001 and on."""
        return f"c-{self.number:06d}"


@dataclass(frozen=True, slots=True, kw_only=True)
class BookCounts:
    """How many facts a book tells."""

    customers: int
    incomes: int
    statements: int
    payments: int
    late_months: int

    @property
    def events(self) -> int:
        """All events together."""
        return self.incomes + self.statements + self.payments + self.late_months


_DATA_ENCODER: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"))


class _Fact(NamedTuple):
    """What is particular about one event."""

    source: str
    customer_id: str
    version: int
    type: EventType
    month: int
    day: int
    data: Mapping[str, object]


class _Days(NamedTuple):
    payment: int
    closing: int
    late: int


def read_book(path: Path, customers: int | None = None) -> list[Borrower]:
    """Return the first customers of the data set by id, or all of them."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
        rows = csv.DictReader(lines)
        return [_borrower(row) for row in islice(rows, customers)]


def draw(seed: int, purpose: str, customer_id: str) -> int:
    """Return 64 bits that hang on seed, purpose and customer only: chance that repeats."""
    return int.from_bytes(_digest(seed, purpose, customer_id)[:8])


def monthly_income(borrower: Borrower, seed: int = SEED) -> int | None:
    """Return the presumed income in centavos; a seeded tenth of the customers has none."""
    if draw(seed, "income", borrower.customer_id) % 10 < NO_INCOME_TENTHS:
        return None
    return round_half_even(borrower.limit * INCOME_PERCENT_OF_LIMIT, 100)


def count(borrowers: Sequence[Borrower], seed: int = SEED) -> BookCounts:
    """Return how many facts `events` will tell."""
    return BookCounts(
        customers=len(borrowers),
        incomes=sum(monthly_income(each, seed) is not None for each in borrowers),
        statements=len(borrowers) * MONTHS,
        payments=sum(paid > 0 for each in borrowers for paid in each.payments),
        late_months=sum(late > 0 for each in borrowers for late in each.lates),
    )


def events(borrowers: Sequence[Borrower], seed: int = SEED) -> Iterator[dict[str, object]]:
    """Yield the events as envelopes, month by month and customer by customer, from nothing kept."""
    for fact in _facts(borrowers, seed):
        yield _envelope(fact, seed)


def event_records(borrowers: Sequence[Borrower], seed: int = SEED) -> Iterator[tuple[str, bytes]]:
    """Yield partition key (the customer) and canonical bytes of the same events, for a stream."""
    for fact in _facts(borrowers, seed):
        yield fact.customer_id, _record(fact, seed)


def _borrower(row: Mapping[str, str]) -> Borrower:
    oldest_first = range(MONTHS, 0, -1)
    status = {month: f"PAY_{month if month > 1 else 0}" for month in oldest_first}
    return Borrower(
        number=int(row["ID"]),
        limit=int(row["LIMIT_BAL"]) * CENTAVOS_PER_NTD,
        balances=tuple(int(row[f"BILL_AMT{k}"]) * CENTAVOS_PER_NTD for k in oldest_first),
        payments=tuple(int(row[f"PAY_AMT{k}"]) * CENTAVOS_PER_NTD for k in oldest_first),
        lates=tuple(max(int(row[status[k]]), 0) for k in oldest_first),
    )


def _facts(borrowers: Sequence[Borrower], seed: int) -> Iterator[_Fact]:
    days = [_days(each.customer_id, seed) for each in borrowers]
    versions = [0] * len(borrowers)
    for index in range(MONTHS):
        for at, borrower in enumerate(borrowers):
            if index == 0:
                yield from _income_facts(borrower, seed)
            for fact in _month_facts(borrower, index, days[at], versions[at]):
                versions[at] = fact.version
                yield fact


def _income_facts(borrower: Borrower, seed: int) -> Iterator[_Fact]:
    income = monthly_income(borrower, seed)
    if income is not None:
        data = {"income": {"monthly": format_centavos(income), "basis": "estimated"}}
        kind = EventType.PROFILE_UPDATED
        yield _Fact(INCOME_MODEL, borrower.customer_id, 1, kind, FIRST_MONTH, 1, data)


def _month_facts(borrower: Borrower, index: int, days: _Days, version: int) -> Iterator[_Fact]:
    month, customer = FIRST_MONTH + index, borrower.customer_id
    period = f"{month // 12:04d}-{month % 12 + 1:02d}"
    paid, late = borrower.payments[index], borrower.lates[index]
    if paid > 0:
        version += 1
        data: dict[str, object] = {"kind": "payment", "amount": format_centavos(paid)}
        kind = EventType.TRANSACTION_RECORDED
        yield _Fact(CARDS, customer, version, kind, month, days.payment, data)
    version += 1
    data = {
        "period": period,
        "balance": format_centavos(borrower.balances[index]),
        "limit": format_centavos(borrower.limit),
    }
    yield _Fact(CARDS, customer, version, EventType.STATEMENT_CLOSED, month, days.closing, data)
    if late > 0:
        data = {"period": period, "months_late": late}
        kind = EventType.DELINQUENCY_REPORTED
        yield _Fact(CARDS, customer, version + 1, kind, month, days.late, data)


def _envelope(fact: _Fact, seed: int) -> dict[str, object]:
    event_id, occurred_at = _identity(fact, seed)
    return {
        "event_id": event_id,
        "source": fact.source,
        "stream_id": f"{fact.source}/{fact.customer_id}/1",
        "source_version": fact.version,
        "customer_id": fact.customer_id,
        "type": fact.type.value,
        "schema_version": 1,
        "occurred_at": occurred_at,
        "data": fact.data,
    }


def _record(fact: _Fact, seed: int) -> bytes:
    """Write `encode(_envelope(fact, seed))` by hand, in half the time: all of it is ASCII."""
    event_id, occurred_at = _identity(fact, seed)
    source, customer_id, version, kind = fact[:4]
    return (
        f'{{"customer_id":"{customer_id}","data":{_DATA_ENCODER.encode(fact.data)},'
        f'"event_id":"{event_id}","occurred_at":"{occurred_at}","schema_version":1,'
        f'"source":"{source}","source_version":{version},'
        f'"stream_id":"{source}/{customer_id}/1","type":"{kind}"}}'
    ).encode("ascii")


def _identity(fact: _Fact, seed: int) -> tuple[str, str]:
    digest = _digest(seed, fact.customer_id, fact.type, fact.month)
    spread = timedelta(microseconds=int.from_bytes(digest[:8]) % OPEN_MICROS)
    occurred = _opening(fact.month, fact.day) + spread
    return uuid7(occurred, int.from_bytes(digest[8:18])), instant_micros(occurred)


@cache
def _opening(month: int, day: int) -> datetime:
    return datetime(month // 12, month % 12 + 1, day, OPENING_HOUR_UTC, tzinfo=UTC)


def _days(customer_id: str, seed: int) -> _Days:
    bits = draw(seed, "days", customer_id)
    bits, payment = divmod(bits, len(PAYMENT_DAYS))
    bits, closing = divmod(bits, len(CLOSING_DAYS))
    late = bits % len(LATE_DAYS_AFTER_CLOSING)
    closing_day = CLOSING_DAYS[closing]
    return _Days(PAYMENT_DAYS[payment], closing_day, closing_day + LATE_DAYS_AFTER_CLOSING[late])


def _digest(*parts: object) -> bytes:
    return hashlib.sha256(":".join(map(str, parts)).encode()).digest()
