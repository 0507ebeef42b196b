"""Functions of numbers. Decimals come in and go out; nothing is rounded but by its own rule."""

from decimal import (
    ROUND_CEILING,
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_EVEN,
    Context,
    Decimal,
    DivisionByZero,
    InvalidOperation,
    Overflow,
)
from typing import Final

from decision_engine.policy.functions.signature import Function, NoResultError, either, form
from decision_engine.policy.limits import EXACT_DIGITS, POWER, QUOTIENT_DIGITS, SCALE
from decision_engine.policy.values import EXACT, QUANTA

_DIVIDING: Final = Context(
    prec=QUOTIENT_DIGITS,
    rounding=ROUND_HALF_EVEN,
    traps=[InvalidOperation, DivisionByZero, Overflow],
)
#: Wide enough to cut any number of this language.
_CUTTING: Final = Context(prec=2 * EXACT_DIGITS, traps=[InvalidOperation])
_WHOLE: Final = Decimal(0)

#: The quotient, rounded half-even once to 28 significant digits.
divide: Final = _DIVIDING.divide
#: What is left of a whole division that is cut towards zero: it has the dividend's sign.
remainder: Final = EXACT.remainder


def power(base: Decimal, exponent: Decimal) -> Decimal:
    """
    Return a whole power; a negative exponent gives 1 divided by the positive power.

    Raises:
        ArithmeticError: the exponent is not whole or beyond 64, or the result over 60 digits.
    """
    count = abs(int(exponent))
    if count != abs(exponent) or count > POWER:
        raise NoResultError
    result = Decimal(1)
    for _ in range(count):
        result = EXACT.multiply(result, base)
    # A power that is too large has raised already; a zero is one with any number of decimals.
    if result and result.adjusted() < -EXACT_DIGITS:
        raise NoResultError
    return divide(Decimal(1), result) if exponent < 0 else result


def floor(value: Decimal) -> Decimal:
    """Return the largest whole number that is not above the value."""
    return value.to_integral_value(ROUND_FLOOR, _CUTTING)


def ceil(value: Decimal) -> Decimal:
    """Return the smallest whole number that is not below the value."""
    return value.to_integral_value(ROUND_CEILING, _CUTTING)


def trunc(value: Decimal, digits: Decimal = _WHOLE) -> Decimal:
    """
    Return the value cut towards zero after `digits` decimals.

    Raises:
        ArithmeticError: `digits` is not a whole number from 0 to 12.
    """
    if not 0 <= digits <= SCALE or digits != int(digits):
        raise NoResultError
    return value.quantize(QUANTA[int(digits)], ROUND_DOWN, _CUTTING)


_ONE: Final = form("number", gives="number")
ENTRIES: Final = (
    Function("abs", "a number", _ONE, EXACT.abs),
    Function("floor", "a number", _ONE, floor),
    Function("ceil", "a number", _ONE, ceil),
    Function(
        "trunc",
        "a number, and how many decimals it keeps",
        either(_ONE, form("number", "number", gives="number")),
        trunc,
    ),
)
