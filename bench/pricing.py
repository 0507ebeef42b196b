"""
What a price costs: microseconds per plan, CET and priced loan, and per search for an offer.

Run: `.venv/bin/python -m bench.pricing`. Each line is the median, and the 95th percentile, over
random loans as a lender sells them; each loan counts with the best of its rounds, since whatever
else runs on the machine only ever adds. "fresh" loans were never priced before, so nothing that
depends on their rate, term or dates is in a cache.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from random import Random
from statistics import median, quantiles
from time import perf_counter_ns
from typing import Final

from decision_engine.pricing.cet import cet_of
from decision_engine.pricing.iof import iof_share
from decision_engine.pricing.loan import LoanTerms, PricedLoan, price_loan
from decision_engine.pricing.plan import level_of
from decision_engine.pricing.schedule import default_first_due_on, schedule_of
from decision_engine.pricing.tables import IofTable

SEED: Final = 20261210
LOANS: Final = 500
ROUNDS: Final = 7
TABLES: Final = Path(__file__).resolve().parent.parent / "policies" / "tables"


def main() -> None:
    """Print the table."""
    table = IofTable.parse((TABLES / "iof.json").read_bytes())
    chance = Random(SEED)
    mixed = [random_terms(chance, chance.randrange(2, 61)) for _ in range(LOANS)]
    usual = [random_terms(chance, 24) for _ in range(LOANS)]
    print(f"{LOANS} random loans each, best of {ROUNDS} rounds, seed {SEED}\n")
    print(f"{'µs':<44}{'median':>8}{'p95':>8}")
    for what, terms in (("24 months", usual), ("2 to 60 months", mixed)):
        loans = [price_loan(each, table) for each in terms]
        show(f"plan, {what}", [partial(plan_again, loan) for loan in loans])
        show(f"CET, {what}", [partial(cet_again, loan) for loan in loans])
        show(f"price_loan, {what}", [partial(priced, each, table) for each in terms])
        show(f"price_loan, fresh, {what}", [partial(price_fresh, each, table) for each in terms])


def random_terms(chance: Random, term_months: int) -> LoanTerms:
    """Draw a loan of R$ 500 to R$ 100,000 at 0.5 to 12 % a month with financed IOF."""
    signed_on = date(2026, 1, 1) + timedelta(days=chance.randrange(365))
    return LoanTerms(
        amount=chance.randrange(50_000, 10_000_000),
        term_months=term_months,
        monthly_rate=Decimal(chance.randrange(50, 1200)).scaleb(-4),
        signed_on=signed_on,
        first_due_on=default_first_due_on(signed_on),
    )


def plan_again(loan: PricedLoan) -> object:
    """Build the plan of a priced loan."""
    return loan.terms.shape.plan(loan.principal)


def cet_again(loan: PricedLoan) -> object:
    """Search and verify the CET of a priced loan."""
    return cet_of(loan.received, loan.plan.instalments, loan.schedule.days)


def price_fresh(terms: LoanTerms, table: IofTable) -> object:
    """Price with empty caches."""
    for cache in (schedule_of, level_of, iof_share):
        cache.cache_clear()
    return priced(terms, table)


def priced(terms: LoanTerms, table: IofTable) -> object:
    """Price a loan with its CET, which is searched only when somebody asks."""
    return price_loan(terms, table).cet


def show(what: str, calls: Sequence[Callable[[], object]]) -> None:
    """Print one line of the table."""
    times = [min(timings(call)) / 1000 for call in calls]
    print(f"{what:<44}{median(times):>8.1f}{quantiles(times, n=20)[-1]:>8.1f}")


def timings(call: Callable[[], object]) -> Iterator[int]:
    """Yield the nanoseconds of each round."""
    for _ in range(ROUNDS):
        started = perf_counter_ns()
        call()
        yield perf_counter_ns() - started


if __name__ == "__main__":
    main()
