"""A run of the platform over the real book, whose decisions are then decided again."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any, Final

from adapters.bootstrap.demo_platform import EmbeddedDemoPlatform
from adapters.bootstrap.platform import Core
from adapters.bootstrap.shipped import DemoData
from adapters.inbound.cli.demo.applications import Ask, ask_of, is_held_out, read_asks
from adapters.inbound.cli.demo.book import event_records, read_book
from decision_engine.archive import ListReviews, StoredReview
from decision_engine.commands import CloseReviewCommand
from domain.application import Amortization, CreditApplication, IofPayment
from domain.canonical import digest
from domain.errors import ConflictError
from domain.money import Money
from tests.e2e.core import CALLER, core_on, decide, patience, tell
from tests.e2e.load import together
from tests.e2e.people import Customer

RECORDS_MAX: Final = 500
AT_ONCE: Final = 64
REVIEWS_MAX: Final = 200
NOBODY: Final = "c-nobody"
#: Good customers who ask three times at once: what they reserve is evidence of the next decision.
EAGER: Final = tuple(Customer(customer_id=f"e-{number}") for number in range(4))


def make_run(data: Path, customers: int, seed: int) -> None:
    """Decide for every applicant among the first customers of the book, and review some."""
    asyncio.run(_make_run(data, customers, seed))


async def _make_run(data: Path, customers: int, seed: int) -> None:
    async with core_on(data) as core:
        demo = EmbeddedDemoPlatform(core, "")
        await _replay_book(demo, customers)
        await tell(core, (event for each in EAGER for event in each.events()))
        asked = list(_applications(customers, Random(f"run/{seed}")))
        for begin in range(0, len(asked), AT_ONCE):
            some = list(enumerate(asked))[begin : begin + AT_ONCE]
            await together(*(decide(core, f"run-{number}", each) for number, each in some))
        await _review(core)
        await demo.settle()


async def _replay_book(demo: EmbeddedDemoPlatform, customers: int) -> None:
    records = event_records(read_book(DemoData().taiwan, customers))
    while some := list(islice(records, RECORDS_MAX)):
        await demo.produce(some)


def _applications(customers: int, chance: Random) -> Iterator[CreditApplication]:
    asks = read_asks(DemoData().asks)
    for borrower in read_book(DemoData().taiwan, customers):
        if is_held_out(borrower.customer_id):
            yield _application(borrower.customer_id, ask_of(borrower.customer_id, asks), chance)
    for name in (*[each.customer_id for each in EAGER] * 3, NOBODY):
        yield _application(name, asks[0], chance)


def _application(customer_id: str, ask: Ask, chance: Random) -> CreditApplication:
    """Return a real ask, now and then with another plan, another day or the tax paid apart."""
    return CreditApplication(
        customer_id=customer_id,
        product="personal_loan",
        amount=Money(ask.amount),
        term_months=ask.term_months,
        amortization=chance.choice([Amortization.PRICE] * 3 + [Amortization.SAC]),
        iof=chance.choice([IofPayment.FINANCED] * 3 + [IofPayment.PAID_APART]),
        first_due_on=chance.choice([None, None, None, date(2026, 8, 15)]),
        external_reference=chance.choice([None, f"app-{customer_id}"]),
    )


async def _review(core: Core) -> None:
    """Close what was referred, by turns with an approval and a refusal."""
    statement = ListReviews(REVIEWS_MAX, None, "OPEN")
    rows: Sequence[list[StoredReview]] = await core.stores.truth.api.read(
        [statement], patience(core)
    )
    for number, case in enumerate(rows[0]):
        outcome = "DECLINED" if number % 2 else "APPROVED"
        body: dict[str, Any] = {"review_id": case.review_id, "outcome": outcome}
        try:
            await core.use_cases.close_review(
                CloseReviewCommand(
                    client_id=CALLER,
                    idem_key=f"close-{number}",
                    command_hash=digest(body),
                    language="en",
                    reasons=("R90",),
                    note="",
                    deadline=patience(core),
                    **body,
                )
            )
        except ConflictError:
            # An approval needs the data that is missing; the case stays open.
            continue
