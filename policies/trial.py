"""
Try the shipped policy on the demo's applicants, without the platform: `python -m policies.trial`.

Every held-out customer asks for a real amount and term and gets what the core of the product
answers: policy, price and counter-offer search. Stores, API, ledger and exposure play no part.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from statistics import median
from typing import Final

from adapters.bootstrap.shipped import DemoData, personal_loan
from adapters.inbound.cli.demo.applications import (
    PRODUCT,
    Ask,
    ask_of,
    is_held_out,
    read_asks,
    read_labels,
)
from adapters.inbound.cli.demo.book import Borrower, read_book
from decision_engine.assess import Assessment
from decision_engine.case import CreditCase
from decision_engine.exposure import NO_EXPOSURE
from decision_engine.rulebook import Rulebook, build_rulebook
from decision_engine.snapshot import Gathered, take_snapshot
from domain.application import CreditApplication
from domain.money import Money
from policies.profiles import AS_OF, profile_of

#: Nothing is recorded, so no time zone data is named.
NO_ZONES: Final = ""
OUTCOMES: Final = ("APPROVED", "COUNTER_OFFER", "DECLINED", "REFERRED")


def run(data: DemoData, customers: int | None = None) -> dict[str, Assessment]:
    """Return by customer the answer to each applicant of the demo."""
    rulebook = build_rulebook(personal_loan(), NO_ZONES)
    asks = read_asks(data.asks)
    applicants = (
        borrower
        for borrower in read_book(data.taiwan, customers)
        if is_held_out(borrower.customer_id)
    )
    return {
        borrower.customer_id: assess(rulebook, borrower, ask_of(borrower.customer_id, asks))
        for borrower in applicants
    }


def assess(rulebook: Rulebook, borrower: Borrower, ask: Ask) -> Assessment:
    """Return the answer to one borrower, who owes us nothing."""
    application = CreditApplication(
        customer_id=borrower.customer_id,
        product=PRODUCT,
        amount=Money(ask.amount),
        term_months=ask.term_months,
    )
    gathered = Gathered(profile_of(borrower), "trial")
    snapshot = take_snapshot(gathered, rulebook.fields, AS_OF)
    case = CreditCase(application=application, rulebook=rulebook, snapshot=snapshot)
    return case.assessor(NO_EXPOSURE).assess()


def bad_rate(customers: Collection[str], labels: Mapping[str, bool]) -> float:
    """Return the share of customers who missed the next payment."""
    return sum(labels[customer] for customer in customers) / len(customers)


def with_outcome(answers: Mapping[str, Assessment], outcome: str) -> list[str]:
    """Return the customers with an outcome."""
    return [customer for customer, answer in answers.items() if answer.outcome == outcome]


def main() -> None:
    """Print the shares of the outcomes, the bad rates, the offers and the reasons."""
    data = DemoData()
    answers = run(data)
    labels = read_labels(data.taiwan)
    print(f"applications   {len(answers):>6}  bad rate {bad_rate(answers, labels):.2%}")
    for outcome in OUTCOMES:
        customers = with_outcome(answers, outcome)
        share = len(customers) / len(answers)
        print(f"{outcome:<13}  {share:>6.1%}  bad rate {bad_rate(customers, labels):.2%}")
    _print_offers(answers.values())
    _print_shares("band", (answer.band for answer in answers.values()))
    for outcome in OUTCOMES[1:]:
        first = (answers[customer].reasons[0].code for customer in with_outcome(answers, outcome))
        _print_shares(f"first reason of {outcome}", first)


def _print_offers(answers: Collection[Assessment]) -> None:
    offers = [answer.offers[0] for answer in answers if answer.offers]
    amount = median(offer.amount for offer in offers) / 100
    rate = median(offer.monthly_rate for offer in offers)
    instalment = median(offer.instalment for offer in offers) / 100
    print(f"median offer   R$ {amount:,.2f} at {rate:.2%} a month, R$ {instalment:,.2f} a month")


def _print_shares(title: str, words: Iterable[str]) -> None:
    counts = Counter(words)
    shares = (f"{word} {count / counts.total():.1%}" for word, count in counts.most_common())
    print(f"{title}: " + ", ".join(shares))


if __name__ == "__main__":
    main()
