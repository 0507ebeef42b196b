"""What a person can pay: comparisons by cross-multiplication, so that nothing is rounded first."""

from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

from decision_engine.pricing.plan import Level
from domain.money import EXACT

#: How a share is shown: a percentage with two decimals.
SHOWN: Final = Decimal("0.0001")


def fits_cap(income: int, service: int, instalment: int, cap: Decimal) -> bool:
    """
    Tell whether (service + instalment) / income <= cap, without dividing.

    Amounts are centavos a month, the cap is a fraction. Whoever has no income fits nothing but
    a burden of zero.
    """
    numerator, denominator = cap.as_integer_ratio()
    return (service + instalment) * denominator <= numerator * income


def margin(income: int, service: int, cap: Decimal) -> int:
    """
    Return the largest instalment that fits the cap, in centavos; negative when over it already.

    Income 5,000.00, service 900.00 and cap 0.30 leave 600.00.
    """
    numerator, denominator = cap.as_integer_ratio()
    return numerator * income // denominator - service


def residual_income(income: int, service: int, instalment: int) -> int:
    """
    Return what is left to live on, in centavos a month; may be negative.

    Compare it with the minimum of the day (R$ 600, Decreto 11.567/2023).
    """
    return income - service - instalment


def shown_burden(income: int, service: int, instalment: int = 0) -> Decimal | None:
    """
    Return the share of income with four decimals, to be shown and never to be compared.

    1,499.94 and 1,500.01 of 5,000.00 both show 0.3000. None when there is no income.
    """
    if income <= 0:
        return None
    share = EXACT.divide(Decimal(service + instalment), Decimal(income))
    return share.quantize(SHOWN, ROUND_HALF_EVEN, EXACT)


def max_principal(margin_centavos: int, level: Level) -> int:
    """
    Return margin x (1 - (1+i)^-n) / i in whole centavos, rounded down; 0 for no margin.

    To be shown, and as the first guess of a counter-offer: rounding of the plan can move the
    true limit by some centavos.
    """
    return max(0, margin_centavos * level.denominator // level.numerator)


def max_amount(principal: int, iof_share: Decimal) -> int:
    """
    Return what the client gets of a principal that bears its own IOF, in centavos, rounded down.

    Like `max_principal` it is to be shown, and a first guess; `iof_share` is r, see
    `decision_engine.pricing.iof.iof_share`.
    """
    return int(EXACT.multiply(Decimal(principal), EXACT.subtract(Decimal(1), iof_share)))
