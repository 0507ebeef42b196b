"""One loan and its price: what decisions, counter-offers and quotes share."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property, lru_cache
from typing import Final, Literal, get_args

from decision_engine.pricing.cet import Cet, cet_of
from decision_engine.pricing.iof import Shape, finance_iof, iof_of
from decision_engine.pricing.plan import TERM_MONTHS_MAX, Amortization, Plan
from decision_engine.pricing.schedule import FIRST_DUE_MAX, Schedule
from decision_engine.pricing.tables import IofRates, IofTable
from domain.errors import InvalidInputError, Problem

IofMode = Literal["financed", "paid_apart", "none"]

_METHODS: Final = get_args(Amortization)
_MODES: Final = get_args(IofMode)
#: A search for an offer prices some ten loans, and the fold under the lock asks for them again.
LOANS_KEPT: Final = 512

#: Twelve digits before the point, in centavos.
AMOUNT_MAX: Final = 99_999_999_999_999
#: 100 % a month, 409,500 % a year: far above any market, low enough for every power to be finite.
MONTHLY_RATE_MAX: Final = 1
RATE_DECIMALS_MAX: Final = 12
#: Far from the ends of the calendar, so that every due date exists.
YEARS: Final = range(1900, 2301)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanTerms:
    """
    What is asked for; a value that cannot be priced cannot exist.

    Attributes:
        amount: what the client is to receive (`financed`) or to owe (other modes), in centavos.
        term_months: number of instalments, 1 to 480.
        monthly_rate: fraction per month, 0 to 1, at most 12 decimals.
        signed_on: the day in São Paulo which decides tax rates, and from which days count.
        first_due_on: 1 to 120 days later; `default_first_due_on` gives the usual one.
        amortization: level instalments (`price`) or level principal parts (`sac`).
        iof: added to the debt, paid by the client on day 0, or none (an exempt operation).

    Raises:
        InvalidInputError: with one problem per field: `amount-range`, `term-range`, `rate-range`,
            `date-range`, `first-due-range`, `amortization-unknown`, `iof-unknown`.
    """

    amount: int
    term_months: int
    monthly_rate: Decimal
    signed_on: date
    first_due_on: date
    amortization: Amortization = "price"
    iof: IofMode = "financed"

    def __post_init__(self) -> None:
        problems = tuple(self._problems())
        if problems:
            raise InvalidInputError("the loan cannot be priced", problems)

    @property
    def shape(self) -> Shape:
        """The terms without the amount."""
        return Shape(
            self.monthly_rate,
            self.term_months,
            self.amortization,
            self.signed_on,
            self.first_due_on,
        )

    def _problems(self) -> Iterator[Problem]:
        if not 1 <= self.amount <= AMOUNT_MAX:
            yield _problem("/amount", "amount-range", "0.01 to 999999999999.99")
        if not 1 <= self.term_months <= TERM_MONTHS_MAX:
            yield _problem("/term_months", "term-range", "1 to 480 months")
        if not _is_rate(self.monthly_rate):
            yield _problem("/monthly_rate", "rate-range", "0 to 1, at most 12 decimals")
        if self.signed_on.year not in YEARS:
            yield _problem("/signed_on", "date-range", "a day from 1900 to 2300")
        if not timedelta(0) < self.first_due_on - self.signed_on <= FIRST_DUE_MAX:
            yield _problem("/first_due_on", "first-due-range", "1 to 120 days after signing")
        if self.amortization not in _METHODS:
            yield _problem("/amortization", "amortization-unknown", "price or sac")
        if self.iof not in _MODES:
            yield _problem("/iof", "iof-unknown", "financed, paid_apart or none")


@dataclass(frozen=True, kw_only=True)
class PricedLoan:
    """
    A loan with its plan, tax and CET; amounts in centavos.

    The CET is searched when somebody first asks for it: of the loans that a search for an offer
    prices, most are only held against rules and limits, which know no CET.

    Attributes:
        terms: what was asked for.
        schedule: due dates and days.
        plan: the rows; its principal is what is owed on day 0.
        iof: the tax, within the principal or paid apart.
        iof_row: index of the row of the IOF table, None when exempt.
        received: what the client has in hand on day 0: principal less IOF. With a financed IOF it
            is the amount, or the least more than it that a rounded plan can pay out.
    """

    terms: LoanTerms
    schedule: Schedule
    plan: Plan
    iof: int
    iof_row: int | None
    received: int

    @cached_property
    def cet(self) -> Cet:
        """Fractions, right to eight and to four decimals."""
        return cet_of(self.received, self.plan.instalments, self.schedule.days)

    @property
    def principal(self) -> int:
        """What is owed on day 0."""
        return self.plan.principal

    @property
    def first_instalment(self) -> int:
        """The first instalment: with Price all others but the last, with SAC the largest."""
        return self.plan.instalments[0]

    @property
    def last_instalment(self) -> int:
        """The last instalment, which takes what rounding left."""
        return self.plan.instalments[-1]

    @property
    def largest_instalment(self) -> int:
        """What affordability must be judged by."""
        return max(self.plan.instalments)

    @property
    def total(self) -> int:
        """All instalments together."""
        return self.plan.total

    @property
    def total_interest(self) -> int:
        """Instalments less principal."""
        return self.plan.total_interest

    @property
    def cet_annual(self) -> Decimal:
        """CET per year as contracts show it: a fraction with four decimals."""
        return self.cet.shown_annual

    @property
    def cet_monthly(self) -> Decimal:
        """CET per month as contracts show it: a fraction with four decimals."""
        return self.cet.shown_monthly


def price_loan(terms: LoanTerms, iof_table: IofTable) -> PricedLoan:
    """
    Return the loan with its plan and tax; the last `LOANS_KEPT` are kept, with their CET.

    Raises:
        InvalidInputError: `plan-not-payable` at /amount; `iof-no-row` at /signed_on.
    """
    rates = None if terms.iof == "none" else iof_table.rates_on(terms.signed_on)
    return _priced(terms, str(terms.monthly_rate), rates)


@lru_cache(maxsize=LOANS_KEPT)
def _priced(terms: LoanTerms, _rate: str, rates: IofRates | None) -> PricedLoan:
    # Rates that are equal may have other texts ("0.025", "0.0250"): a loan gives back its own.
    shape = terms.shape
    plan, iof = _taxed(terms, shape, rates)
    return PricedLoan(
        terms=terms,
        schedule=shape.schedule,
        plan=plan,
        iof=iof,
        iof_row=None if rates is None else rates.row_index,
        received=plan.principal - iof,
    )


def _taxed(terms: LoanTerms, shape: Shape, rates: IofRates | None) -> tuple[Plan, int]:
    if rates is None:
        return shape.plan(terms.amount), 0
    if terms.iof == "financed":
        return finance_iof(terms.amount, shape, rates)
    plan = shape.plan(terms.amount)
    return plan, iof_of(plan, shape.schedule, rates)


def _is_rate(rate: Decimal) -> bool:
    exponent = rate.as_tuple().exponent
    return (
        isinstance(exponent, int)
        and exponent >= -RATE_DECIMALS_MAX
        and not rate.is_signed()
        and rate <= MONTHLY_RATE_MAX
    )


def _problem(pointer: str, code: str, allowed: str) -> Problem:
    return Problem(pointer=pointer, code=code, detail=f"allowed: {allowed}")
