"""IOF on credit to persons: what it is, and how a loan pays for its own."""

from collections.abc import Iterator
from datetime import date
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Context, Decimal, localcontext
from functools import lru_cache
from itertools import accumulate, pairwise, repeat
from operator import mul
from typing import Final, NamedTuple

from decision_engine.pricing.plan import Amortization, Plan, build_plan
from decision_engine.pricing.schedule import (
    IOF_DAYS_MAX,
    MONTH_THIRTIETHS,
    Schedule,
    schedule_of,
)
from decision_engine.pricing.tables import IofRates
from domain.money import round_half_even

#: Rates have at most twelve decimals (`domain.money.Rate`).
_RATE_DECIMALS: Final = 12
_WIDE: Final = Context(prec=50, rounding=ROUND_HALF_EVEN)
#: Due dates within 365 days: the first may come after a day, twelve more may follow.
_ROWS_WITHIN_A_YEAR: Final = 13


class Shape(NamedTuple):
    """A loan but for its amount; `monthly_rate` is a fraction per month."""

    monthly_rate: Decimal
    term_months: int
    amortization: Amortization
    signed_on: date
    first_due_on: date

    @property
    def schedule(self) -> Schedule:
        """The due dates."""
        return schedule_of(self.signed_on, self.first_due_on, self.term_months)

    def plan(self, principal: int) -> Plan:
        """
        Return the plan of a principal in centavos.

        Raises:
            InvalidInputError: `plan-not-payable`, at /amount.
        """
        thirtieths = self.schedule.first_thirtieths
        return build_plan(
            principal, self.monthly_rate, self.term_months, self.amortization, thirtieths
        )


def iof_of(plan: Plan, schedule: Schedule, rates: IofRates) -> int:
    """
    Return the IOF of a plan in centavos: exact, rounded half-even once, on the total.

    Each part of the principal x daily x its days, at most 365, plus principal x flat (Decreto
    6.306/2007, art. 7; for instalments IN SRF 47/1997: the parts of the agreed amortisation).
    """
    return _tax(plan, schedule, _whole(rates.daily), _whole(rates.flat))


def _whole(rate: Decimal) -> int:
    return int(rate.scaleb(_RATE_DECIMALS))


def _tax(plan: Plan, schedule: Schedule, daily: int, flat: int) -> int:
    """Return the IOF at rates in units of the twelfth decimal."""
    weighted_days = sum(map(mul, plan.amortizations, schedule.iof_days))
    return round_half_even(weighted_days * daily + plan.principal * flat, 10**_RATE_DECIMALS)


class _Financing(NamedTuple):
    """
    What financing the tax needs of a shape, whatever the amount.

    `kept` is 1 - r (see `iof_share`), in 50 digits; `daily` and `flat` are in units of the twelfth
    decimal.
    """

    schedule: Schedule
    kept: Decimal
    reach: int
    daily: int
    flat: int


@lru_cache(maxsize=1024)
def _financing(shape: Shape, rates: IofRates) -> _Financing:
    kept = _WIDE.subtract(Decimal(1), iof_share(shape, rates))
    daily, flat = _whole(rates.daily), _whole(rates.flat)
    return _Financing(shape.schedule, kept, _reach(shape, rates), daily, flat)


def finance_iof(amount: int, shape: Shape, rates: IofRates) -> tuple[Plan, int]:
    """
    Return the plan which pays out `amount` centavos and its own IOF, and that IOF.

    The search starts at the whole centavo nearest to P = V / (1 - r), with r of `iof_share`, the
    unrounded schedule. The principal is the one nearest to it, the lower of two, whose rounded
    plan gives principal - IOF = V to the centavo. Rounded plans move the tax by a centavo now and
    then, so there may be no such principal; then it is the one that pays out the least above V:
    the client never gets less than asked for. Only principals within `_reach` can be meant, and
    all of them are tried.

    Raises:
        InvalidInputError: `plan-not-payable`, at /amount, when a principal that is tried is not.
    """
    schedule, kept, reach, daily, flat = _financing(shape, rates)
    start = int(_WIDE.to_integral_value(_WIDE.divide(Decimal(amount), kept)))
    over: list[tuple[int, int, Plan]] = []
    for principal in _around(start, reach):
        plan = shape.plan(principal)
        iof = _tax(plan, schedule, daily, flat)
        if principal - iof == amount:
            return plan, iof
        over.append((principal - iof, principal, plan))
    net, principal, plan = min(each for each in over if each[0] > amount)
    return plan, principal - net


@lru_cache(maxsize=1024)
def iof_share(shape: Shape, rates: IofRates) -> Decimal:
    """
    Return r, the IOF per real of principal on the unrounded schedule, in 50 digits.

    A part paid on day d is owed on each of its days, so r = flat + daily x the sum over the
    periods of the share still owed x the days of the period within the first 365.
    """
    ends = (0, *shape.schedule.iof_days)
    with localcontext(_WIDE):
        days = [end - start for start, end in pairwise(ends[: _ROWS_WITHIN_A_YEAR + 1])]
        owed_days = sum(map(mul, _shares_owed(shape), days), Decimal(0))
        return rates.flat + rates.daily * owed_days


def _shares_owed(shape: Shape) -> Iterator[Decimal]:
    """Yield the share of the principal that is owed in each period, in the caller's context."""
    term = shape.term_months
    if shape.amortization == "sac" or not shape.monthly_rate:
        return (1 - Decimal(paid) / term for paid in range(term))
    growth = 1 + shape.monthly_rate
    first = 1 + shape.monthly_rate * shape.schedule.first_thirtieths / MONTH_THIRTIETHS
    instalment = shape.monthly_rate / (1 - growth**-term) * first / growth
    debts = accumulate(
        repeat(instalment), lambda owed, paid: owed * growth - paid, initial=first - instalment
    )
    # As in `build_plan`: interest that joined the debt is no principal.
    return accumulate(debts, min, initial=Decimal(1))


def _reach(shape: Shape, rates: IofRates) -> int:
    """
    Return how far from the start the sought principal can lie, in centavos.

    Rounding moves what is owed after row k by at most s_k = ((1+i)^k - 1) / i centavos, see
    `build_plan`; with the days that count, at most 365 in at most 13 rows, it moves the tax by at
    most E = daily x 365 x s_13, and its own rounding by 1/2 more. P (1 - r) - V = +-(E + 1/2) for
    the farthest, and the start is itself rounded by 1/2.
    """
    rows = min(shape.term_months, _ROWS_WITHIN_A_YEAR)
    rate, half = shape.monthly_rate, Decimal("0.5")
    with localcontext(_WIDE):
        drift = ((1 + rate) ** rows - 1) / rate if rate else Decimal(rows)
        moved = rates.daily * IOF_DAYS_MAX * drift + half
        reach = moved / (1 - iof_share(shape, rates)) + half
        return int(reach.to_integral_value(ROUND_CEILING))


def _around(start: int, reach: int) -> Iterator[int]:
    yield start
    for distance in range(1, reach + 1):
        yield start - distance
        yield start + distance
