"""A scorecard's scale: from whole scores to probabilities of default."""

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Final

_PRECISE: Final = Context(prec=60, rounding=ROUND_HALF_EVEN)
#: An exact tie at the seventh decimal comes out of exp as a tie plus noise near the 58th digit:
#: cutting the noise first makes the second rounding the correct one.
_NOISELESS: Final = Decimal(1).scaleb(-45)
_PUBLIC: Final = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class Scale:
    """`base_odds` goods to one bad at `base_score`; odds double every `pdo` points."""

    pdo: Decimal
    base_score: Decimal
    base_odds: Decimal

    def pd(self, score: int) -> Decimal:
        """Return the probability of default at a score: six decimals, correctly rounded."""
        steps = _PRECISE.divide(_PRECISE.subtract(Decimal(score), self.base_score), self.pdo)
        growth = _PRECISE.exp(_PRECISE.multiply(steps, _LN_2))
        odds = _PRECISE.multiply(self.base_odds, growth)
        pd = _PRECISE.divide(Decimal(1), _PRECISE.add(Decimal(1), odds))
        return _PRECISE.quantize(_PRECISE.quantize(pd, _NOISELESS), _PUBLIC)


_LN_2: Final = _PRECISE.ln(Decimal(2))
