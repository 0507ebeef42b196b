"""
Numbers as scaled integers: 12.50 is 1250 with two decimals.

A `Term` is the source of one such integer, with what is known of it before it runs: its decimals
and a bound. As long as the bound stays under 60 digits, exact decimal arithmetic gives the same
number without an error, and integers may stand for it. Where a bound cannot be shown, there is no
term, and the number stays a `Decimal`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import gcd
from typing import Final

from decision_engine.policy.limits import EXACT_DIGITS, SCALE, WHOLE_DIGITS
from decision_engine.policy.schema import Field

_LIMIT: Final = 10**EXACT_DIGITS
#: More decimals than any number of the language needs; a product of products is not scaled.
_SCALE_MAX: Final = 4 * SCALE


@dataclass(frozen=True, slots=True)
class Term:
    """
    Python source of an integer: the number times 10^scale, never beyond `most` either way.

    `number` is the integer itself where the policy has it written down.
    """

    source: str
    scale: int
    most: int
    number: int | None = None

    def at(self, scale: int) -> "Term":
        """Return the same number with more decimals."""
        factor = 10 ** (scale - self.scale)
        if factor == 1:
            return self
        if self.number is not None:
            return _constant(self.number * factor, scale)
        return Term(f"({self.source} * {factor})", scale, self.most * factor)


def constant(value: Decimal) -> Term | None:
    """Return a number that is written in the policy, or None when it is no integer of 60 digits."""
    numerator, denominator = value.as_integer_ratio()
    scale = 0
    while denominator > 1 and scale < _SCALE_MAX:
        numerator, scale = numerator * 10, scale + 1
        common = gcd(numerator, denominator)
        numerator, denominator = numerator // common, denominator // common
    return fitting(_constant(numerator, scale)) if denominator == 1 else None


def _constant(number: int, scale: int) -> Term:
    return Term(written(number), scale, abs(number), number)


def written(number: int) -> str:
    """Return the source of an integer, without a sign of its own: generated source has no unary."""
    return str(number) if number >= 0 else f"(0 - {-number})"


def scale_of(field: Field) -> int:
    """Return the decimals of a number among the inputs."""
    return SCALE if field.scale is None else field.scale


def largest_of(scale: int) -> int:
    """Return the largest scaled integer that is a value of any field with so many decimals."""
    return int(10 ** (WHOLE_DIGITS + scale)) - 1


def bounds_of(field: Field) -> tuple[int, int]:
    """Return the smallest and largest scaled integer that is a value of a field of numbers."""
    scale = scale_of(field)
    largest = largest_of(scale)
    low = -largest if field.minimum is None else -_floor(-field.minimum, scale)
    high = largest if field.maximum is None else _floor(field.maximum, scale)
    return max(low, -largest), min(high, largest)


def _floor(value: Decimal, scale: int) -> int:
    numerator, denominator = value.as_integer_ratio()
    return int(numerator * 10**scale // denominator)


def aligned(terms: Sequence[Term]) -> list[Term]:
    """Return the terms with as many decimals each."""
    scale = max(term.scale for term in terms)
    return [term.at(scale) for term in terms]


def joined(sign: str, left: Term, right: Term) -> Term | None:
    """Return a sum, difference or product, or None when it may be too large."""
    if sign == "*":
        source = f"({left.source} * {right.source})"
        return fitting(Term(source, left.scale + right.scale, left.most * right.most))
    one, two = aligned((left, right))
    return fitting(Term(f"({one.source} {sign} {two.source})", one.scale, one.most + two.most))


def rounded(term: Term, digits: int) -> Term:
    """Return the term rounded half-even to `digits` decimals; fewer decimals stay as they are."""
    if term.scale <= digits:
        return term
    size = 10 ** (term.scale - digits)
    return Term(f"half_even({term.source}, {size})", digits, term.most // size + 1)


def quotient(dividend: Term, divisor: Term, digits: int) -> Term | None:
    """Return a quotient rounded half-even once to `digits` decimals; it raises for a zero."""
    shift = digits + divisor.scale - dividend.scale
    over = dividend.at(dividend.scale + max(shift, 0))
    under = divisor.at(divisor.scale + max(-shift, 0))
    # The divisor is one at least, as an integer.
    return fitting(Term(f"half_even({over.source}, {under.source})", digits, over.most))


def chosen(condition: str, yes: Term, no: Term) -> Term | None:
    """Return the one or the other."""
    one, two = aligned((yes, no))
    source = f"({one.source} if {condition} else {two.source})"
    return fitting(Term(source, one.scale, max(one.most, two.most)))


def fitting(term: Term) -> Term | None:
    """Return the term when exact decimals could not have failed on it."""
    return term if term.most < _LIMIT and term.scale <= _SCALE_MAX else None


def half_even(dividend: int, divisor: int) -> int:
    """
    Return the quotient rounded to a whole number, a tie to the even one.

    Raises:
        ZeroDivisionError: the divisor is zero.
    """
    doubled, base = dividend + dividend + divisor, divisor + divisor
    found = doubled // base  # half-up
    return found - 1 if found & 1 and found * base == doubled else found
