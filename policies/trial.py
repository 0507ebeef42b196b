"""
Try the shipped policy on the demo's applicants, without the platform: `python -m policies.trial`.

Every held-out customer asks for a real amount and term and gets the policy, the pricing and the
counter-offer search of the product; stores, API and exposure play no part.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, Final

from adapters.inbound.cli.demo.applications import (
    ASKS_CSV,
    PRODUCT,
    Ask,
    ask_of,
    is_held_out,
    read_asks,
    read_labels,
)
from adapters.inbound.cli.demo.book import read_book
from decision_engine.policy.compile import CompiledPolicy, compile_policy
from decision_engine.policy.evaluation import Evaluation
from decision_engine.policy.reason_table import ReasonTable
from decision_engine.policy.reasons import rank_reasons
from decision_engine.policy.scorecard import Scorecard
from decision_engine.policy.values import Function, Value
from decision_engine.pricing import counter_offer
from decision_engine.pricing.loan import LoanTerms, price_loan
from decision_engine.pricing.risk_rate import monthly_rate_for
from decision_engine.pricing.schedule import default_first_due_on
from decision_engine.pricing.tables import FundingTable, IofTable
from domain.errors import InvalidInputError
from domain.instants import business_day
from domain.money import Money
from policies.fit_scorecard import ROOT, SCORECARD, TAIWAN
from policies.profiles import AS_OF, feature_rows

POLICY: Final = ROOT / "policies" / "personal-loan.json"
REASONS: Final = ROOT / "policies" / "reasons.json"
TABLES: Final = ROOT / "policies" / "tables"
ASKS: Final = ROOT / "data" / ASKS_CSV
SIGNED_ON: Final = business_day(AS_OF)
NOTHING_OWED: Final = Decimal("0.00")


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to one application: outcome, reasons, the first offer if there is one."""

    customer_id: str
    outcome: str
    band: str
    reasons: tuple[str, ...]
    amount: int | None
    monthly_rate: Decimal | None


@dataclass(frozen=True, slots=True)
class Candidate:
    """An amount and a term put through the policy."""

    evaluation: Evaluation

    @property
    def passes(self) -> bool:
        """Whether no rule asks for anything."""
        return not self.consequences and not self.evaluation.uncovered

    @property
    def consequences(self) -> set[str]:
        """What the rules ask for."""
        return {c for result in self.evaluation.results if (c := result.consequence)}

    @property
    def monthly_rate(self) -> Decimal:
        """The rate it would bear; what has no price bears an impossible one."""
        rate = self.evaluation.values["price.monthly_rate"]
        return rate if isinstance(rate, Decimal) else Decimal(1)


@dataclass(frozen=True, slots=True)
class Lender:
    """The policy with all that it calls."""

    policy: CompiledPolicy
    reasons: ReasonTable
    functions: Mapping[str, Function]

    def decide(self, customer_id: str, row: Mapping[str, Value | None], ask: Ask) -> Verdict:
        """Return the verdict on an application without exposure."""
        evaluate = partial(self._candidate, row)
        first = evaluate(ask.amount, ask.term_months)
        offer = (ask.amount, first)
        outcome = _outcome(first)
        if outcome == "DECLINED" and first.consequences == {"reduce"}:
            found = self._counter_offer(first, ask, evaluate)
            if found is not None:
                outcome, offer = "COUNTER_OFFER", found
        reasons = rank_reasons(first.evaluation, self.reasons, outcome)
        offered = outcome in ("APPROVED", "COUNTER_OFFER")
        return Verdict(
            customer_id,
            outcome,
            str(first.evaluation.values["band.name"]),
            tuple(reason.code for reason in reasons),
            offer[0] if offered else None,
            offer[1].monthly_rate if offered else None,
        )

    def _candidate(self, row: Mapping[str, Value | None], amount: int, term: int) -> Candidate:
        return Candidate(self.policy.evaluate(inputs_of(row, amount, term), self.functions))

    def _counter_offer(
        self, first: Candidate, ask: Ask, evaluate: Callable[[int, int], Candidate]
    ) -> tuple[int, Candidate] | None:
        values: Mapping[str, Any] = first.evaluation.values
        step, longest = int(values["offer.term_step"]), int(values["offer.maximum_term"])
        search = counter_offer.Ask(
            amount=ask.amount,
            term_months=ask.term_months,
            monthly_rate=first.monthly_rate,
            allowed_terms=range(step, longest + 1, step),
            minimum=Money.of(values["offer.minimum_amount"]).centavos,
        )
        offers = counter_offer.search_offers(search, evaluate).offers
        return (offers[0].amount, offers[0].candidate) if offers else None


def load_lender(signed_on: date = SIGNED_ON) -> Lender:
    """Return the shipped policy, priced on a day."""
    scorecard = Scorecard.parse(SCORECARD.read_bytes())
    policy = compile_policy(POLICY.read_bytes(), {scorecard.id: scorecard})
    iof = IofTable.parse((TABLES / "iof.json").read_bytes())
    funding = FundingTable.parse((TABLES / "funding.json").read_bytes())
    functions = {"price": partial(price, signed_on, iof, funding)}
    return Lender(policy, ReasonTable.parse(REASONS.read_bytes()), functions)


def price(
    signed_on: date, iof: IofTable, funding: FundingTable, arguments: Mapping[str, Value]
) -> Mapping[str, Value | None]:
    """Return the price of the policy's node `price`; nothing where a loan cannot be priced."""
    values: Mapping[str, Any] = arguments
    rate = monthly_rate_for(
        values["pd"], funding.rates_on(signed_on), values["minimum_rate"], values["maximum_rate"]
    )
    try:
        terms = LoanTerms(
            amount=Money.of(values["amount"]).centavos,
            term_months=int(values["term_months"]),
            monthly_rate=rate,
            signed_on=signed_on,
            first_due_on=default_first_due_on(signed_on),
        )
        loan = price_loan(terms, iof)
    except InvalidInputError:
        return {}
    return {
        "monthly_rate": rate,
        "principal": Money(loan.principal).reais,
        "iof": Money(loan.iof).reais,
        "instalment": Money(loan.largest_instalment).reais,
        "total": Money(loan.total).reais,
    }


def inputs_of(
    row: Mapping[str, Value | None], amount: int, term_months: int
) -> dict[str, Value | None]:
    """Return what the policy reads, for a customer who owes us nothing."""
    return {
        **row,
        "application.amount": Money(amount).reais,
        "application.term_months": Decimal(term_months),
        "application.product": PRODUCT,
        "exposure.outstanding": NOTHING_OWED,
        "exposure.service": NOTHING_OWED,
    }


def run(
    lender: Lender, book: Path = TAIWAN, asks: Path = ASKS, customers: int | None = None
) -> Iterator[Verdict]:
    """Yield the verdict on each applicant of the demo."""
    applicants = [b for b in read_book(book, customers) if is_held_out(b.customer_id)]
    pairs = read_asks(asks)
    for borrower, row in zip(applicants, feature_rows(applicants), strict=True):
        yield lender.decide(borrower.customer_id, row, ask_of(borrower.customer_id, pairs))


def bad_rate(verdicts: Iterable[Verdict], labels: Mapping[str, bool]) -> float:
    """Return the share of customers who missed the next payment."""
    outcomes = [labels[verdict.customer_id] for verdict in verdicts]
    return sum(outcomes) / len(outcomes)


def main() -> None:
    """Print the shares of the outcomes, the bad rates, the offers and the reasons."""
    verdicts = list(run(load_lender()))
    labels = read_labels(TAIWAN)
    print(f"applications  {len(verdicts)}, bad rate {bad_rate(verdicts, labels):.1%}")
    for outcome, share in _shares(verdict.outcome for verdict in verdicts):
        some = [verdict for verdict in verdicts if verdict.outcome == outcome]
        print(f"{outcome:<13}  {share:>6.1%}  bad rate {bad_rate(some, labels):.1%}")
    _print_offers(verdicts)
    _print_shares("band", (verdict.band for verdict in verdicts))
    first = (f"{v.outcome} {v.reasons[0]}" for v in verdicts if v.reasons)
    _print_shares("first reason", first)


def _shares(words: Iterable[str]) -> list[tuple[str, float]]:
    counts = Counter(words)
    return [(word, count / counts.total()) for word, count in counts.most_common()]


def _print_shares(title: str, words: Iterable[str]) -> None:
    print(f"{title}: " + ", ".join(f"{word} {share:.1%}" for word, share in _shares(words)))


def _print_offers(verdicts: Sequence[Verdict]) -> None:
    for name, outcomes in (
        ("approved", {"APPROVED"}),
        ("offers", {"APPROVED", "COUNTER_OFFER"}),
    ):
        offers = [v for v in verdicts if v.outcome in outcomes]
        amounts = median(v.amount for v in offers if v.amount is not None)
        rates = median(v.monthly_rate for v in offers if v.monthly_rate is not None)
        print(f"median of {name}  R$ {amounts / 100:,.2f} at {rates:.2%} a month")


def _outcome(candidate: Candidate) -> str:
    consequences = candidate.consequences
    if "decline" in consequences:
        return "DECLINED"
    if "refer" in consequences or candidate.evaluation.uncovered:
        return "REFERRED"
    return "DECLINED" if "reduce" in consequences else "APPROVED"


if __name__ == "__main__":
    main()
