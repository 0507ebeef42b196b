"""Customers told as events: they pay every bill, so the shipped policy gives them credit."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from domain.identifiers import uuid7
from domain.instants import instant_micros
from domain.money import format_centavos

#: Where the clock of a new data folder begins in these tests.
BEGIN: Final = datetime(2026, 6, 10, 12, tzinfo=UTC)
#: May 2026, the month of the newest bill.
NEWEST_MONTH: Final = 2026 * 12 + 4
MONTHS: Final = 6
#: The CPFs that published examples use (DOMAIN.md, section 18): nobody's.
KNOWN_CPFS: Final = ("529.982.247-25", "111.444.777-35", "123.456.789-09", "123.456.713-00")

Envelope = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """One customer; money in centavos, `income` None when nobody knows it."""

    customer_id: str
    income: int | None = 5_000_00
    card_limit: int = 16_000_00
    identity: Mapping[str, str] = field(default_factory=dict)
    newest_month: int = NEWEST_MONTH

    def events(self) -> Iterator[Envelope]:
        """Yield everything that is known about the customer."""
        yield from self.income_events()
        if self.identity:
            yield self.event("crm", 1, "customer.profile_updated", {"identity": self.identity})
        for back in range(MONTHS):
            yield from self.month_events(self.newest_month - back, 2 * (MONTHS - back) - 1)

    def income_events(self) -> Iterator[Envelope]:
        """Yield what is known of the income, which may be nothing."""
        if self.income is not None:
            income = {"monthly": format_centavos(self.income), "basis": "verified"}
            yield self.event("payroll", 1, "customer.profile_updated", {"income": income})

    def month_events(self, month: int, version: int) -> Iterator[Envelope]:
        """Yield the payment and the bill of one month, as events `version` and the next one."""
        paid = format_centavos(self.card_limit // 20)
        period = f"{month // 12:04d}-{month % 12 + 1:02d}"
        limit = format_centavos(self.card_limit)
        payment = {"kind": "payment", "amount": paid}
        bill = {"period": period, "balance": paid, "limit": limit}
        yield self.event("cards", version, "transaction.recorded", payment, _day(month, 10))
        yield self.event("cards", version + 1, "statement.closed", bill, _day(month, 22))

    def event(
        self,
        source: str,
        version: int,
        kind: str,
        data: Mapping[str, Any],
        occurred: datetime = BEGIN - timedelta(days=30),
    ) -> Envelope:
        """Return an envelope of this customer; the same arguments give the same event."""
        digest = hashlib.sha256(f"{self.customer_id}/{source}/{version}".encode()).digest()
        return {
            "event_id": uuid7(occurred, int.from_bytes(digest[:10])),
            "source": source,
            "stream_id": f"{source}/{self.customer_id}/1",
            "source_version": version,
            "customer_id": self.customer_id,
            "type": kind,
            "schema_version": 1,
            "occurred_at": instant_micros(occurred),
            "data": dict(data),
        }


def application(customer_id: str, **changes: Any) -> dict[str, Any]:
    """Return the body of a request for R$ 5,000.00 over 24 months."""
    body: dict[str, Any] = {
        "customer_id": customer_id,
        "product": "personal_loan",
        "amount": "5000.00",
        "term_months": 24,
    }
    return body | changes


def _day(month: int, day: int) -> datetime:
    return datetime(month // 12, month % 12 + 1, day, 15, tzinfo=UTC)
