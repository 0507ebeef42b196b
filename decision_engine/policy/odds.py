"""A scorecard's scale: from whole scores to probabilities of default."""

from dataclasses import dataclass
from decimal import (
    ROUND_HALF_EVEN,
    Context,
    Decimal,
    DivisionByZero,
    InvalidOperation,
    Overflow,
    Underflow,
)
from typing import Final

#: Odds that underflow would stay zero for every higher score.
_PRECISE: Final = Context(
    prec=60,
    rounding=ROUND_HALF_EVEN,
    traps=[InvalidOperation, DivisionByZero, Overflow, Underflow],
)
#: An exact tie at the seventh decimal comes out of exp as a tie plus noise beyond the 50th digit:
#: cutting the noise first makes the second rounding the correct one.
_NOISELESS: Final = Decimal(1).scaleb(-45)
_PUBLIC: Final = Decimal("0.000001")
_LN_2: Final = _PRECISE.ln(Decimal(2))


@dataclass(frozen=True, slots=True)
class Scale:
    """`base_odds` goods to one bad at `base_score`; odds double every `pdo` points."""

    pdo: Decimal
    base_score: Decimal
    base_odds: Decimal

    def pds(self, low: int, high: int) -> tuple[Decimal, ...]:
        """
        Return the probability of default of each score: six decimals, correctly rounded.

        The odds grow by one factor from score to score: at 60 digits, 10,000 products leave
        an error beyond the 55th, and the text that is shown has six.

        Raises:
            ArithmeticError: the odds of a score are beyond the numbers of 60 digits, at 10^±999999.
        """
        growth = self._growth(Decimal(1))
        odds = _PRECISE.multiply(
            self.base_odds, self._growth(_PRECISE.subtract(Decimal(low), self.base_score))
        )
        found = []
        for _ in range(low, high + 1):
            found.append(_probability(odds))
            odds = _PRECISE.multiply(odds, growth)
        return tuple(found)

    def _growth(self, points: Decimal) -> Decimal:
        """Return by what the odds grow over some points: 2^(points / pdo)."""
        return _PRECISE.exp(_PRECISE.multiply(_PRECISE.divide(points, self.pdo), _LN_2))


def _probability(odds: Decimal) -> Decimal:
    pd = _PRECISE.divide(Decimal(1), _PRECISE.add(Decimal(1), odds))
    return _PRECISE.quantize(_PRECISE.quantize(pd, _NOISELESS), _PUBLIC)
