"""
Profiles of the demo book without the road through events, for fitting and trials.

Writing, parsing and folding 375,000 events takes half a minute; what a profile holds in the end is
known at once. A test holds both roads to the same features.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Final

from adapters.inbound.cli.demo.book import (
    CARDS,
    FIRST_MONTH,
    INCOME_MODEL,
    SEED,
    Borrower,
    monthly_income,
)
from domain.customer import CreditData, Delinquency, Month, Slot, Statement
from domain.features import Value, features
from domain.identifiers import own_person
from domain.instants import epoch_micros

#: The instant at which the demo opens, and at which the scorecard sees its customers.
AS_OF: Final = datetime(2026, 6, 10, 12, tzinfo=UTC)
_AS_OF_US: Final = epoch_micros(AS_OF)


def feature_rows(
    borrowers: Iterable[Borrower], seed: int = SEED
) -> Iterator[dict[str, Value | None]]:
    """Yield the values of every feature of each borrower, in the order given."""
    for borrower in borrowers:
        found = features(profile_of(borrower, seed), AS_OF)
        yield {name: feature.value for name, feature in found.items()}


def profile_of(borrower: Borrower, seed: int = SEED) -> CreditData:
    """Return the facts known of a borrower, all dated `AS_OF`: their age plays no part here."""
    facts = zip(borrower.balances, borrower.payments, borrower.lates, strict=True)
    income = monthly_income(borrower, seed)
    data = {"monthly": income, "basis": "estimated"}
    return CreditData(
        customer_id=borrower.customer_id,
        person_id=own_person(borrower.customer_id),
        slots={} if income is None else {f"income/{INCOME_MODEL}": Slot(1, 1, _AS_OF_US, data)},
        months={
            FIRST_MONTH + index: _month(borrower.limit, *month) for index, month in enumerate(facts)
        },
    )


def _month(limit: int, balance: int, paid: int, late: int) -> Month:
    return Month(
        statements={CARDS: Statement(1, 1, _AS_OF_US, balance, limit)},
        delinquencies={CARDS: Delinquency(1, 1, late)} if late else {},
        payments=paid,
        payment_count=int(paid > 0),
    )
