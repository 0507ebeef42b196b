"""Which numbers a value can be: exact intervals with closed or open ends, and their arithmetic."""

from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import reduce
from itertools import product
from typing import Final, NamedTuple

from decision_engine.policy.schema import Field
from decision_engine.policy.syntax import Operator
from decision_engine.policy.values import EXACT, QUANTA

_INFINITE: Final = Decimal("Infinity")
_ZERO: Final = Decimal(0)


class End(NamedTuple):
    """One end of a range; an infinite end is open in any case."""

    value: Decimal
    closed: bool


class Range(NamedTuple):
    """
    All numbers between two ends: an upper bound of what a value can be.

    `hole` tells that zero is not among them, although it lies between the ends. A range whose low
    end is above its high end is that of a value that cannot be.
    """

    low: End
    high: End
    hole: bool = False

    @property
    def has_zero(self) -> bool:
        """Whether zero is one of the numbers."""
        low, high = self.low, self.high
        above = low.value < 0 or (low.value == 0 and low.closed)
        below = high.value > 0 or (high.value == 0 and high.closed)
        return above and below and not self.hole


ANY: Final = Range(End(-_INFINITE, closed=False), End(_INFINITE, closed=False))
NOT_NEGATIVE: Final = Range(End(_ZERO, closed=True), ANY.high)


def point(value: Decimal) -> Range:
    """Return the range of one number."""
    return Range(End(value, closed=True), End(value, closed=True))


def range_of_field(field: Field) -> Range:
    """Return what the schema promises of a number; anything for what is no number."""
    if field.kind != "number":
        return ANY
    low = ANY.low if field.minimum is None else End(field.minimum, closed=True)
    high = ANY.high if field.maximum is None else End(field.maximum, closed=True)
    return on_grid(Range(low, high), field.scale)


def on_grid(one: Range, scale: int | None) -> Range:
    """Return the range drawn in to the numbers that have so many decimals."""
    if scale is None:
        return one
    step = QUANTA[scale]
    try:
        low = _drawn_in(one.low, step, up=True)
        high = _drawn_in(one.high, step, up=False)
    except ArithmeticError:
        return one
    if one.hole and low.value == 0:
        low = End(step, closed=True)
    if one.hole and high.value == 0:
        high = End(-step, closed=True)
    return Range(low, high, one.hole)


def _drawn_in(end: End, step: Decimal, *, up: bool) -> End:
    if not end.value.is_finite():
        return end
    rest = EXACT.remainder(end.value, step)
    value = EXACT.subtract(end.value, rest)  # the next number towards zero
    past = rest < 0 if up else rest > 0
    if not past and (rest != 0 or not end.closed):
        value = EXACT.add(value, step) if up else EXACT.subtract(value, step)
    return End(value, closed=True)


def meet(one: Range, two: Range) -> Range:
    """Return the numbers in both."""
    return Range(
        max(one.low, two.low, key=lambda end: (end.value, not end.closed)),
        min(one.high, two.high, key=lambda end: (end.value, end.closed)),
        one.hole or two.hole,
    )


def hull(ranges: Iterable[Range]) -> Range:
    """Return a range around all; without zero when none has it."""
    listed = list(ranges)
    return Range(
        min((each.low for each in listed), key=lambda end: (end.value, not end.closed)),
        max((each.high for each in listed), key=lambda end: (end.value, end.closed)),
        not any(each.has_zero for each in listed),
    )


def add(one: Range, two: Range) -> Range:
    """Return the sums."""
    return _exact(lambda: Range(_sum(one.low, two.low), _sum(one.high, two.high)))


def subtract(one: Range, two: Range) -> Range:
    """Return the differences."""
    return add(one, negate(two))


def negate(one: Range) -> Range:
    """Return the numbers with the other sign."""
    low, high = (End(end.value.copy_negate(), end.closed) for end in (one.high, one.low))
    return Range(low, high, one.hole)


def multiply(one: Range, two: Range) -> Range:
    """Return the products; an exact product is zero only when a factor is."""
    return _exact(lambda: _product(one, two))


def divide(one: Range, two: Range, *, rounded: bool) -> Range:
    """Return the sign of the quotients; one that is rounded may be zero."""
    signs = multiply(_sign(one), _sign(two))
    return round_to(signs, lambda value: value) if rounded else signs


def remainder(one: Range, two: Range) -> Range:
    """Return what a division leaves: nearer to zero than the divisor, of the dividend's sign."""
    most = End(max(two.low.value.copy_abs(), two.high.value.copy_abs()), closed=False)
    signs = round_to(_sign(one), lambda value: value)
    return meet(signs, Range(End(most.value.copy_negate(), closed=False), most))


def power(one: Range, _exponent: Range) -> Range:
    """Return the powers with any whole exponent: of a positive number positive, and so on."""
    if one.low.value < 0:
        return Range(ANY.low, ANY.high, not one.has_zero)
    return _sign(Range(one.low, ANY.high, one.hole))


def absolute(one: Range) -> Range:
    """Return the distances from zero."""
    mirror = negate(one)
    if one.low.value >= 0:
        return one
    if one.high.value <= 0:
        return mirror
    high = hull((one, mirror)).high
    return Range(End(_ZERO, closed=one.has_zero), high)


def round_to(one: Range, cut: Callable[[Decimal], Decimal]) -> Range:
    """Return what a rounding, which never turns an order round, makes of the numbers."""
    low, high = (
        End(cut(end.value), closed=True) if end.value.is_finite() else end
        for end in (one.low, one.high)
    )
    return Range(low, high)


def pick(ranges: Iterable[Range], *, largest: bool) -> Range:
    """Return what the smallest or the largest of several values can be."""
    listed = list(ranges)
    return reduce(_larger if largest else _smaller, listed)


def compared(one: Range, operator: Operator, two: Range) -> Range:
    """Return what is left of a value that stands so to another."""
    match operator:
        case "==":
            return meet(one, two)
        case "!=":
            return _without(one, two)
        case "<" | "<=":
            high = End(two.high.value, two.high.closed and operator == "<=")
            return meet(one, Range(ANY.low, high))
        case _:
            low = End(two.low.value, two.low.closed and operator == ">=")
            return meet(one, Range(low, ANY.high))


def _without(one: Range, two: Range) -> Range:
    """Only one number can be taken out: zero, or an end."""
    value = two.low.value
    if value != two.high.value:
        return one
    low, high = (End(end.value, end.closed and end.value != value) for end in (one.low, one.high))
    return Range(low, high, one.hole or value == 0)


def _sum(one: End, two: End) -> End:
    return End(EXACT.add(one.value, two.value), one.closed and two.closed)


def _product(one: Range, two: Range) -> Range:
    corners = [_corner(*ends) for ends in product((one.low, one.high), (two.low, two.high))]
    return Range(
        min(corners, key=lambda end: (end.value, not end.closed)),
        max(corners, key=lambda end: (end.value, end.closed)),
        not (one.has_zero or two.has_zero),
    )


def _corner(one: End, two: End) -> End:
    zeros = [end for end in (one, two) if end.value == 0]
    if zeros:
        return End(_ZERO, any(end.closed for end in zeros))
    return End(EXACT.multiply(one.value, two.value), one.closed and two.closed)


def _sign(one: Range) -> Range:
    low = ANY.low if one.low.value < 0 else End(_ZERO, one.has_zero)
    high = ANY.high if one.high.value > 0 else End(_ZERO, one.has_zero)
    return Range(low, high, one.hole)


def _smaller(one: Range, two: Range) -> Range:
    around = hull((one, two))
    high = min(one.high, two.high, key=lambda end: (end.value, end.closed))
    return Range(around.low, high, around.hole)


def _larger(one: Range, two: Range) -> Range:
    around = hull((one, two))
    low = max(one.low, two.low, key=lambda end: (end.value, not end.closed))
    return Range(low, around.high, around.hole)


def _exact(make: Callable[[], Range]) -> Range:
    """A bound that has no exact value is none."""
    try:
        return make()
    except ArithmeticError:
        return ANY
