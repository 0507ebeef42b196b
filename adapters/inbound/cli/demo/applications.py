"""
Who applies in the demo, and for what: the customers that the scorecard has never seen.

Amount and term of each application are a real pair asked of a lender (modeldata, data/README.md),
given to a customer of the book by a seeded hash.
"""

import csv
import gzip
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from adapters.inbound.cli.demo.book import SEED, Borrower, draw
from domain.money import format_centavos

ASKS_CSV: Final = "modeldata_credit_data.csv.gz"
PRODUCT: Final = "personal_loan"
#: The unit of the amounts is not documented; R$ 10 makes them R$ 1,000 to 50,000.
CENTAVOS_PER_UNIT: Final = 1000
#: Three customers in ten are kept from the scorecard; they are the ones who apply.
HELD_OUT_TENTHS: Final = 3
#: One application in this many is sent twice, under the same key.
TWICE_ONE_IN: Final = 20


@dataclass(frozen=True, slots=True)
class Ask:
    """An amount in centavos and a term, as someone asked for them."""

    amount: int
    term_months: int


@dataclass(frozen=True, slots=True)
class DemoApplication:
    """A request to `POST /v1/credit-decisions`, and how often it is sent."""

    idempotency_key: str
    body: Mapping[str, object]
    sendings: int


def is_held_out(customer_id: str, seed: int = SEED) -> bool:
    """Tell whether a customer is kept from the scorecard's fit, and so may apply."""
    return draw(seed, "held out", customer_id) % 10 < HELD_OUT_TENTHS


def read_asks(path: Path) -> list[Ask]:
    """Return the real pairs of amount and term, in the order of the data."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
        rows = csv.DictReader(lines)
        return [Ask(int(row["Amount"]) * CENTAVOS_PER_UNIT, int(row["Time"])) for row in rows]


def ask_of(customer_id: str, asks: Sequence[Ask], seed: int = SEED) -> Ask:
    """Return what a customer asks for."""
    return asks[draw(seed, "ask", customer_id) % len(asks)]


def applications(
    borrowers: Iterable[Borrower], asks: Sequence[Ask], seed: int = SEED
) -> Iterator[DemoApplication]:
    """Yield one application of each held-out customer, by customer."""
    for borrower in borrowers:
        if is_held_out(borrower.customer_id, seed):
            yield _application(borrower.customer_id, asks, seed)


def read_labels(path: Path, customers: int | None = None) -> dict[str, bool]:
    """
    Return by customer whether the payment after the last month was missed.

    For the fit and for the summary of a demo only: no event and no decision knows it.
    """
    with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
        rows = islice(csv.DictReader(lines), customers)
        return {f"c-{int(row['ID']):06d}": row["default_next_month"] == "1" for row in rows}


def _application(customer_id: str, asks: Sequence[Ask], seed: int) -> DemoApplication:
    ask = ask_of(customer_id, asks, seed)
    return DemoApplication(
        idempotency_key=f"demo-{customer_id}-1",
        body={
            "customer_id": customer_id,
            "product": PRODUCT,
            "amount": format_centavos(ask.amount),
            "term_months": ask.term_months,
        },
        sendings=2 if draw(seed, "twice", customer_id) % TWICE_ONE_IN == 0 else 1,
    )
