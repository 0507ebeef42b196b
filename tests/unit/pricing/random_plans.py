"""
Random loans against slow references that share no code with the product.

`check_random_plans(100_000, seed)` is a row of `make prove`; the tests run fewer.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal, localcontext
from fractions import Fraction
from itertools import pairwise
from operator import mul, sub
from random import Random

from decision_engine.pricing.loan import IofMode, LoanTerms, PricedLoan, price_loan
from decision_engine.pricing.plan import Amortization
from decision_engine.pricing.schedule import default_first_due_on
from domain.errors import InvalidInputError
from tests.unit.pricing.cases import IOF_TABLE, code_of

AMORTIZATIONS: tuple[Amortization, ...] = ("price", "price", "sac")
IOF_MODES: tuple[IofMode, ...] = ("financed", "financed", "paid_apart", "none")


def check_random_plans(count: int, seed: int) -> Mapping[str, int]:
    """
    Price loans and try to refute each figure; return what was met, so that nothing is vacuous.

    Raises:
        AssertionError: naming the terms.
    """
    chance = Random(seed)
    met: Counter[str] = Counter()
    for _ in range(count):
        check_terms(random_terms(chance), met)
    return dict(met)


def check_terms(terms: LoanTerms, met: Counter[str]) -> None:
    """Price one loan and try to refute each figure."""
    try:
        loan = price_loan(terms, IOF_TABLE)
    except InvalidInputError as error:
        code = code_of(error)
    else:
        check_plan(loan)
        check_rows(loan)
        check_cet(loan)
        met[check_iof(loan)] += 1
        met["huge CET"] += loan.cet.annual > 7
        met["zero CET"] += loan.cet.annual == 0
        met["interest joins the debt"] += loan.plan.amortizations[0] == 0
        return
    assert code == "plan-not-payable", terms
    assert cents_decide(terms, terms.amount), terms
    met["refused"] += 1


def random_terms(chance: Random) -> LoanTerms:
    """Draw terms: most as a lender sells them, some at the limits of what can be asked."""
    signed_on = date(2015, 1, 22) + timedelta(days=chance.randrange(5500))
    ordinary = chance.random() < 0.7
    usual = chance.randrange(50_000, 10_000_000)
    rate = chance.randrange(50, 1200) if ordinary else chance.choice((0, 1, 2000, 10_000))
    terms = LoanTerms(
        amount=usual if ordinary else int(10 ** chance.uniform(0, 13)),
        term_months=chance.randrange(1, 97) if ordinary else chance.randrange(1, 481),
        monthly_rate=Decimal(rate).scaleb(-4),
        signed_on=signed_on,
        first_due_on=default_first_due_on(signed_on),
        amortization=chance.choice(AMORTIZATIONS),
        iof=chance.choice(IOF_MODES),
    )
    if chance.random() < 0.3:
        due = signed_on + timedelta(days=chance.randrange(1, 121))
        terms = replace(terms, first_due_on=due)
    if chance.random() < 0.1:
        fine = Decimal(chance.randrange(10**11)).scaleb(-12)
        terms = replace(terms, monthly_rate=fine)
    return terms


def first_period(terms: LoanTerms) -> Fraction:
    """Return the first period in months."""
    late = (terms.first_due_on - default_first_due_on(terms.signed_on)).days
    days = (terms.first_due_on - terms.signed_on).days
    return 1 + Fraction(late, 30) if late >= 0 else Fraction(days, 30)


def level(principal: int, terms: LoanTerms) -> Fraction:
    """Return the unrounded instalment of a Price plan: discounting each one back to day 0."""
    rate, term = Fraction(terms.monthly_rate), terms.term_months
    if not rate:
        return Fraction(principal, term)
    growth = 1 + rate
    annuity = (1 - growth**-term) / rate
    return principal * (1 + rate * first_period(terms)) / growth / annuity


def drift(terms: LoanTerms) -> Fraction:
    """Return ((1+i)^n - 1) / i in centavos: how far cents can carry the last instalment."""
    rate, term = Fraction(terms.monthly_rate), terms.term_months
    return ((1 + rate) ** term - 1) / rate if rate else Fraction(term)


def cents_decide(terms: LoanTerms, principal: int) -> bool:
    """Tell whether the plan of a principal must be refused."""
    if terms.amortization == "sac":
        return round(Fraction(principal, terms.term_months)) < terms.term_months
    return round(level(principal, terms)) < drift(terms)


def check_plan(loan: PricedLoan) -> None:
    """The laws of every plan."""
    plan, terms = loan.plan, loan.terms
    rows = list(plan.rows())
    assert [row.number for row in rows] == list(range(1, terms.term_months + 1)), terms
    assert sum(row.amortization for row in rows) == loan.principal, terms
    assert min(row.amortization for row in rows) >= 0, terms
    assert min(row.interest for row in rows) >= 0, terms
    assert min(row.balance for row in rows) == rows[-1].balance == 0, terms
    assert all(row.instalment == row.interest + row.amortization for row in rows), terms
    before = (plan.principal, *plan.balances[:-1])
    after = map(sub, before, plan.amortizations)
    assert tuple(after) == plan.balances, terms
    assert loan.total - loan.principal == loan.total_interest == sum(plan.interests), terms


def check_rows(loan: PricedLoan) -> None:
    """The rows are those of the reference, in reais as the domain brief writes it."""
    terms = loan.terms
    assert not cents_decide(terms, loan.principal), terms
    reference = sac_rows if terms.amortization == "sac" else price_rows
    assert list(loan.plan.instalments) == reference(loan.principal, terms), terms
    if terms.amortization == "price" and terms.term_months > 1:
        assert abs(loan.last_instalment - loan.first_instalment) <= drift(terms), terms


def price_rows(principal: int, terms: LoanTerms) -> list[int]:
    """Return the instalments of a Price plan; the debt is kept with its unpaid interest."""
    instalment, debt, paid = round(level(principal, terms)), principal, []
    for number in range(1, terms.term_months + 1):
        interest = round(debt * rate_of(terms, number))
        due = debt + interest if number == terms.term_months else instalment
        debt += interest - due
        paid.append(due)
    return paid


def sac_rows(principal: int, terms: LoanTerms) -> list[int]:
    """Return the instalments of a SAC plan."""
    part, balance, paid = round(Fraction(principal, terms.term_months)), principal, []
    for number in range(1, terms.term_months + 1):
        interest = round(balance * rate_of(terms, number))
        due = balance if number == terms.term_months else part
        balance -= due
        paid.append(due + interest)
    return paid


def rate_of(terms: LoanTerms, number: int) -> Fraction:
    """Return the interest on one centavo owed in a period."""
    rate = Fraction(terms.monthly_rate)
    return rate * first_period(terms) if number == 1 else rate


def check_iof(loan: PricedLoan) -> str:
    """The tax is that of the plan, and a financed one leaves what was asked; return which."""
    terms = loan.terms
    assert loan.received == loan.principal - loan.iof, terms
    if terms.iof == "none":
        assert (loan.iof, loan.principal) == (0, terms.amount), terms
        return "no IOF"
    assert loan.iof == taxed(loan), terms
    if terms.iof == "paid_apart":
        assert loan.principal == terms.amount, terms
        return "IOF apart"
    if loan.received == terms.amount:
        return "IOF financed"
    assert loan.received == least_above(loan), terms
    return "IOF financed, over by a centavo or more"


def taxed(loan: PricedLoan) -> int:
    """Return the IOF by the balance of each day, as banks that use the other method count it."""
    rates = IOF_TABLE.rates_on(loan.terms.signed_on)
    owed = [loan.principal, *loan.plan.balances]
    ends = [0, *(min(days, 365) for days in loan.schedule.days)]
    owed_days: int = sum(map(mul, owed, (end - start for start, end in pairwise(ends))))
    tax: Fraction = owed_days * Fraction(rates.daily) + loan.principal * Fraction(rates.flat)
    return round(tax)


def least_above(loan: PricedLoan) -> int:
    """Return the least that any principal nearby pays out above the amount; none pays it out."""
    terms = loan.terms
    nets = set()
    for principal in range(max(1, loan.principal - 300), loan.principal + 300):
        other = replace(terms, amount=principal, iof="paid_apart")
        if not cents_decide(other, principal):
            nets.add(price_loan(other, IOF_TABLE).received)
    assert terms.amount not in nets, terms
    return min(net for net in nets if net > terms.amount)


def check_cet(loan: PricedLoan) -> None:
    """Two exact evaluations a figure: the root lies within half a unit of it."""
    cet = loan.cet
    figures = ((cet.annual, 1), (cet.monthly, 12), (cet.shown_annual, 1), (cet.shown_monthly, 12))
    with localcontext(prec=60):
        for figure, periods in figures:
            half = Decimal((0, (5,), int(figure.as_tuple().exponent) - 1))
            below, above = ((1 + figure + side) ** periods for side in (-half, half))
            assert worth(loan, below) >= loan.received >= worth(loan, above), loan.terms


def worth(loan: PricedLoan, factor: Decimal) -> Decimal:
    """Return what the instalments are worth on day 0, from the last backwards."""
    per_day = factor ** (Decimal(-1) / 365)
    sooner = {gap: per_day**gap for gap in range(28, 32)}
    total = Decimal(0)
    for row in range(len(loan.schedule.days) - 1, 0, -1):
        gap = loan.schedule.days[row] - loan.schedule.days[row - 1]
        total = (total + loan.plan.instalments[row]) * sooner[gap]
    return (total + loan.plan.instalments[0]) * per_day ** loan.schedule.days[0]
