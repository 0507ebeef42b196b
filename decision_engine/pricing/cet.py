"""
CET (custo efetivo total): the yearly rate that makes what is paid worth what was received.

received = sum of instalment_j / (1 + CET)^(days_j / 365), with real days (Resolução CMN
4.881/2020). All payments are positive, so the right side falls strictly as CET rises and there is
one root above -1. It may be negative (a subsidised loan) and it may be thousands of percent.

A float searches, and it decides only where it provably cannot be wrong. With y = ln(1+CET)/365 and
S(y) = sum a_j exp(-y d_j), Newton's method on h(y) = ln(S/received), which is convex, falling and
nearly straight, converges from any start. Let u = 2^-53, and let exp and expm1 be right to 8 units
in the last place (glibc, musl and the BSDs claim 1). Each term of the computed S is off by at most
(17 + |y| d_n) u of itself, the sum of n positive terms by (n - 1) u more. So, with the residual
s = S/received - 1 as computed,

    |S(y)/received - 1| <= e,  e = |s| + (n + 17 + |y| d_n) u,

to first order in u, and as |h'| >= d_1 everywhere, |y - root| <= e / d_1. A figure for a period of
`span` days, x = exp(span y) - 1, is then off by at most

    2 (1 + |x|) (span e / d_1 + (span |y| + 32) u),

where 32 u covers expm1, the scaling and the comparison below, and the factor 2 all terms of higher
order (e < 2^-39). For 24 instalments at 2.5 % a month that is at most 4e-11. If only one multiple
of the unit can be nearest to anything within the bound, it is the answer. Otherwise the float only
names the candidates, and 80-digit decimals tell on which side of the tie the root lies: their
relative error is below 1e-74, and what is within 1e-60 of the tie is taken for the tie itself,
which goes half-even.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from itertools import accumulate, pairwise
from math import ceil, exp, expm1, floor, log1p
from operator import mul
from typing import Final

DAYS_PER_YEAR: Final = 365
MONTHS_PER_YEAR: Final = 12

#: 38.630714 % is 0.38630714: eight decimals of the fraction.
FINE_DECIMALS: Final = 8
#: What contracts show: 38.63 % (half-even, NBR 5891).
SHOWN_DECIMALS: Final = 4

_UNIT_ROUNDOFF: Final = 2.0**-53
#: Above what rounding alone can leave for 480 terms (2^-43), so that the search always ends.
_RESIDUAL_MAX: Final = 2.0**-40
_WIDE: Final = Context(prec=80, rounding=ROUND_HALF_EVEN)
_SAME: Final = Decimal("1e-60")


@dataclass(frozen=True, slots=True)
class Cet:
    """
    Fractions: 0.3863 is 38.63 %; each is the root itself, rounded once, half-even.

    Attributes:
        annual: per year, eight decimals.
        monthly: (1 + annual)^(1/12) - 1, eight decimals.
        shown_annual: per year, four decimals.
        shown_monthly: per month, four decimals.
    """

    annual: Decimal
    monthly: Decimal
    shown_annual: Decimal
    shown_monthly: Decimal


@dataclass(frozen=True, slots=True)
class _Root:
    """A float root `per_day` with its bound `error_per_day`, and the flows that can check it."""

    received: int
    payments: Sequence[int]
    days: Sequence[int]
    per_day: float
    error_per_day: float

    def rounded(self, periods: int, decimals: int) -> Decimal:
        """Return the rate of a period, so many to the year, right to the last decimal."""
        scale = 10**decimals
        low, high = self._candidates(DAYS_PER_YEAR / periods, scale)
        while low < high:
            middle = (low + high) // 2
            if self._is_at_most(middle, scale, periods):
                high = middle
            else:
                low = middle + 1
        return Decimal(low).scaleb(-decimals)

    def _candidates(self, span: float, scale: int) -> tuple[int, int]:
        """Return the least and the greatest multiple of 1/scale which the root may round to."""
        value = expm1(span * self.per_day)
        rounding = (span * abs(self.per_day) + 32) * _UNIT_ROUNDOFF
        bound = 2 * (1 + abs(value)) * (span * self.error_per_day + rounding)
        middle, width = value * scale, bound * scale + 0.5
        return ceil(middle - width), floor(middle + width)

    def _is_at_most(self, step: int, scale: int, periods: int) -> bool:
        """Tell whether the exact root rounds to `step` or less."""
        with localcontext(_WIDE):
            tie = (1 + (step + Decimal("0.5")) / scale) ** periods
        excess = present_value(self.payments, self.days, tie) - self.received
        if abs(excess) <= _SAME * self.received:
            return step % 2 == 0
        return excess < 0


def cet_of(received: int, payments: Sequence[int], days: Sequence[int]) -> Cet:
    """
    Return the CET of a loan.

    Args:
        received: what the client gets on day 0, in centavos, above 0: the credit less what is
            charged up front.
        payments: what the client pays, in centavos: none negative, not all zero, below 2^53.
        days: days from day 0 to each payment, rising, the first 1 or more.
    """
    root = _search(received, payments, days)
    return Cet(
        annual=root.rounded(1, FINE_DECIMALS),
        monthly=root.rounded(MONTHS_PER_YEAR, FINE_DECIMALS),
        shown_annual=root.rounded(1, SHOWN_DECIMALS),
        shown_monthly=root.rounded(MONTHS_PER_YEAR, SHOWN_DECIMALS),
    )


def present_value(payments: Sequence[int], days: Sequence[int], factor: Decimal) -> Decimal:
    """
    Return the worth on day 0 of payments in centavos, in 80 digits.

    Args:
        payments: in centavos.
        days: days from day 0 to each payment, rising.
        factor: 1 + yearly rate, above 0.
    """
    gaps = [later - earlier for earlier, later in pairwise((0, *days))]
    with localcontext(_WIDE):
        per_day = (-factor.ln() / DAYS_PER_YEAR).exp()
        per_gap = {gap: per_day**gap for gap in set(gaps)}
        worths = accumulate((per_gap[gap] for gap in gaps), mul)
        return sum(map(mul, payments, worths), Decimal(0))


def _search(received: int, payments: Sequence[int], days: Sequence[int]) -> _Root:
    per_day = 0.0
    residual, slope = _residual(received, payments, days, per_day)
    while abs(residual) > _RESIDUAL_MAX:
        per_day += log1p(residual) / slope
        residual, slope = _residual(received, payments, days, per_day)
    rounding = (len(days) + 17 + abs(per_day) * days[-1]) * _UNIT_ROUNDOFF
    error = (abs(residual) + rounding) / days[0]
    return _Root(received, payments, days, per_day, error)


def _residual(
    received: int, payments: Sequence[int], days: Sequence[int], per_day: float
) -> tuple[float, float]:
    """Return S / received - 1 and -h', the mean of the days weighted by what is paid then."""
    worths = [paid * exp(-per_day * day) for paid, day in zip(payments, days, strict=True)]
    worth = sum(worths)
    return (worth - received) / received, sum(map(mul, worths, days)) / worth
