"""The price of risk: from a probability of default to a monthly rate."""

from bisect import bisect_left
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from math import ceil, floor
from typing import Final

from decision_engine.pricing.tables import FundingRates
from domain.errors import InvalidInputError

#: Rates are whole multiples of 0.0001, that is 0.01 % a month.
STEPS_PER_UNIT: Final = 10_000
MONTHS_PER_YEAR: Final = 12


def yearly_rate(pd: Decimal, rates: FundingRates) -> Fraction:
    """
    Return (1 + funding) / (1 - PD x LGD) - 1 + opex + margin, exactly, a fraction per year.

    Args:
        pd: probability of default within a year, from 0 to below 1.
        rates: the row of the day.

    Raises:
        InvalidInputError: `pd-range`.
    """
    if not (pd.is_finite() and 0 <= pd < 1):
        raise InvalidInputError.at("", "pd-range", "a probability of default is from 0 to below 1")
    kept = 1 - Fraction(pd) * Fraction(rates.lgd)
    return (1 + Fraction(rates.funding)) / kept - 1 + Fraction(rates.opex) + Fraction(rates.margin)


@lru_cache(maxsize=4096)
def monthly_rate_for(
    pd: Decimal, rates: FundingRates, minimum: Decimal, maximum: Decimal
) -> Decimal:
    """
    Return the monthly rate for a risk: a fraction with four decimals; the last 4,096 are kept.

    It is the smallest multiple of 0.0001 between the product's minimum and maximum whose twelfth
    power covers the yearly rate, (1+m)^12 >= 1 + yearly, compared in whole numbers; the maximum
    when none does.

    Raises:
        InvalidInputError: `pd-range`; `rate-range` when no multiple of 0.0001 lies between.
    """
    lowest = ceil(Fraction(minimum) * STEPS_PER_UNIT)
    highest = floor(Fraction(maximum) * STEPS_PER_UNIT)
    if not 0 <= lowest <= highest:
        raise InvalidInputError.at("", "rate-range", "no monthly rate lies between these limits")
    factor = 1 + yearly_rate(pd, rates)
    needed = factor.numerator * STEPS_PER_UNIT**MONTHS_PER_YEAR
    steps = lowest + bisect_left(
        range(lowest, highest),
        needed,
        key=lambda step: (STEPS_PER_UNIT + step) ** MONTHS_PER_YEAR * factor.denominator,
    )
    return Decimal(steps).scaleb(-4)
