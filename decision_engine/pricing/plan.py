"""Amortisation plans, Price and SAC, in whole centavos."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from itertools import accumulate
from operator import add, sub
from typing import Final, Literal, NamedTuple

from decision_engine.pricing.schedule import MONTH_THIRTIETHS
from domain.errors import InvalidInputError
from domain.money import round_half_even

Amortization = Literal["price", "sac"]

TERM_MONTHS_MAX: Final = 480


class PlanRow(NamedTuple):
    """One instalment, all amounts in centavos; `balance` is what is owed after it is paid."""

    number: int
    instalment: int
    interest: int
    amortization: int
    balance: int


@dataclass(frozen=True, slots=True)
class Plan:
    """
    A plan as columns, in centavos, one entry per instalment.

    The amortisations are never negative and sum to the principal; the balance never rises and
    ends at zero; instalment = interest + amortisation in every row.
    """

    principal: int
    instalments: tuple[int, ...]
    amortizations: tuple[int, ...]
    balances: tuple[int, ...]

    def rows(self) -> Iterator[PlanRow]:
        """Yield the rows, numbered from 1."""
        numbers = range(1, len(self.instalments) + 1)
        columns = (self.instalments, self.interests, self.amortizations, self.balances)
        return map(PlanRow, numbers, *columns)

    @property
    def interests(self) -> tuple[int, ...]:
        """The interest of each row, in centavos."""
        return tuple(map(sub, self.instalments, self.amortizations))

    @property
    def total(self) -> int:
        """All instalments together, in centavos."""
        return sum(self.instalments)

    @property
    def total_interest(self) -> int:
        """What is paid beyond the principal, in centavos."""
        return self.total - self.principal


@dataclass(frozen=True, slots=True)
class Level:
    """
    The level instalment of a Price plan for one centavo of principal, as an exact fraction.

    Attributes:
        numerator: over `denominator`, i / (1 - (1+i)^-n) x (1 + first interest) / (1+i).
        denominator: always positive.
        drift: ((1+i)^n - 1) / i rounded up, in centavos: how far one centavo of rounding in every
            row can carry the last instalment.
    """

    numerator: int
    denominator: int
    drift: int

    def instalment(self, principal: int) -> int:
        """Return the instalment of a principal in centavos, rounded once, half-even."""
        return round_half_even(principal * self.numerator, self.denominator)


@lru_cache(maxsize=1024)
def level_of(monthly_rate: Decimal, term_months: int, first_thirtieths: int) -> Level:
    """
    Return the level instalment per centavo of principal; the last 1,024 are kept.

    With whole numbers p / q for the rate, u = p + q and t thirtieths in the first period:
    p u^(n-1) (30 q + p t) / (30 q (u^n - q^n)); at rate zero it is 1/n.
    """
    p, q = monthly_rate.as_integer_ratio()
    if p == 0:
        return Level(1, term_months, term_months)
    grown = (p + q) ** term_months - q**term_months
    return Level(
        numerator=p * (p + q) ** (term_months - 1) * (MONTH_THIRTIETHS * q + p * first_thirtieths),
        denominator=MONTH_THIRTIETHS * q * grown,
        drift=-(-grown // (p * q ** (term_months - 1))),
    )


def build_plan(
    principal: int,
    monthly_rate: Decimal,
    term_months: int,
    amortization: Amortization,
    first_thirtieths: int = MONTH_THIRTIETHS,
) -> Plan:
    """
    Return the plan of a principal in centavos at a rate per month (a fraction, 0 or more).

    The rate applies once between two due dates. The first period bears simple interest of
    `first_thirtieths` / 30 of a month: a whole month by default, see `first_period_thirtieths`.

    Price: the instalment A = P i / (1 - (1+i)^-n) x (1 + first interest) / (1+i), rounded once;
    interest = balance x i, rounded half-even; the last instalment is what is left plus its
    interest. Where a long first period bears more interest than A pays, the rest joins the debt
    and the first instalments pay interest only; the amortisations still sum to the principal.
    SAC: each part is P/n, rounded once; the last takes the rest.

    A plan whose cents decide it is refused: the drift d = ((1+i)^n - 1) / i, in centavos, must
    not exceed A; for SAC, n must not exceed P/n. That is why the balance stays positive to the
    end: the roundings of interest and of A move the balance after row k by at most
    ((1+i)^k - 1) / i, and the unrounded balance after row n-1 is A* / (1+i) with A* >= A - 1/2,
    so at least (A + 1/2 - d) / (1+i) > 0 remains. For the same reason |last - A| <= d.

    Raises:
        InvalidInputError: `plan-not-payable`, at /amount.
    """
    rate = monthly_rate.as_integer_ratio()
    first_rate = rate[0] * first_thirtieths, rate[1] * MONTH_THIRTIETHS
    first_interest = round_half_even(principal * first_rate[0], first_rate[1])
    if amortization == "sac":
        return _sac(principal, rate, term_months, first_interest)
    level = level_of(monthly_rate, term_months, first_thirtieths)
    return _price(principal, rate, term_months, level, first_interest)


def _price(
    principal: int, rate: tuple[int, int], term: int, level: Level, first_interest: int
) -> Plan:
    instalment = level.instalment(principal)
    _refuse_if_cents_decide(level.drift, instalment)
    owed = _owed(principal + first_interest - instalment, rate, instalment, term)
    # What n level instalments would leave over or short, the last one takes.
    instalments = (*[instalment] * (term - 1), instalment + owed.pop())
    balances = (principal, *owed, 0)
    parts = tuple(map(sub, balances, balances[1:]))
    if min(parts) < 0:
        # Interest that joined the debt is paid back first; until then the principal stays whole.
        balances = tuple(accumulate(balances, min))
        parts = tuple(map(sub, balances, balances[1:]))
    return Plan(principal, instalments, parts, balances[1:])


def _owed(owed: int, rate: tuple[int, int], instalment: int, rows: int) -> list[int]:
    """Go on from what is owed after row 1, unpaid interest included, to what it is after each."""
    twice_p, twice_q, q = 2 * rate[0], 2 * rate[1], rate[1]
    column = [owed]
    for _ in range(rows - 1):
        # `round_half_even` written out: this line is most of the price of a plan.
        interest, rest = divmod(owed * twice_p + q, twice_q)
        if not rest and interest & 1:
            interest -= 1
        owed += interest - instalment
        column.append(owed)
    return column


def _sac(principal: int, rate: tuple[int, int], term: int, first_interest: int) -> Plan:
    part = round_half_even(principal, term)
    _refuse_if_cents_decide(term, part)
    parts = (*[part] * (term - 1), principal - part * (term - 1))
    balances = tuple(accumulate(parts, sub, initial=principal))
    p, q = rate
    later = [round_half_even(balance * p, q) for balance in balances[1:-1]]
    instalments = tuple(map(add, parts, (first_interest, *later)))
    return Plan(principal, instalments, parts, balances[1:])


def _refuse_if_cents_decide(drift: int, instalment: int) -> None:
    if drift > instalment:
        raise InvalidInputError.at(
            "/amount",
            "plan-not-payable",
            "the instalment is so small, or the rate so high for so long a term, that the rounding"
            " of cents would decide the plan",
        )
