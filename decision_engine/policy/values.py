"""
The values of a policy and their exact arithmetic.

A value is a `Decimal`, a text, a boolean, a list (a tuple) or an object in a list (an `Entry`).
What is not known is `Missing`, with the names of the
inputs behind it. Arithmetic is exact or raises `ArithmeticError`; nothing depends on the thread's
decimal context.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import (
    ROUND_05UP,
    ROUND_HALF_EVEN,
    Context,
    Decimal,
    DivisionByZero,
    Inexact,
    InvalidOperation,
    Overflow,
)
from typing import Final

from decision_engine.policy.limits import EXACT_DIGITS, LIST_TEXT, SCALE, WHOLE_DIGITS

Scalar = Decimal | str | bool


@dataclass(frozen=True, slots=True)
class Entry:
    """An object in a list: the values of its fields, in the order of the schema."""

    fields: tuple[tuple[str, Scalar], ...]

    def field(self, name: str) -> Scalar:
        """Return the value of a declared field."""
        return next(value for key, value in self.fields if key == name)


def entry_of(names: tuple[str, ...], *values: Scalar) -> Entry:
    """Return an object of values in the order of their names."""
    return Entry(tuple(zip(names, values, strict=True)))


Value = Scalar | Entry | tuple["Value", ...]

#: What the host computes for a `function` node: pure, with the same result for the same arguments.
Function = Callable[[Mapping[str, Value]], Mapping[str, Value | None]]


@dataclass(frozen=True, slots=True)
class Missing:
    """A value that is not known, and the inputs whose absence made it so."""

    names: frozenset[str]


Fact = Value | Missing
NOTHING: Final = Missing(frozenset())

#: Exact or an error: a result that needs more than 60 digits is no result, also when all of them
#: but the first are zeros (a tower of powers would else be a number of a million digits).
EXACT: Final = Context(
    prec=EXACT_DIGITS,
    Emax=EXACT_DIGITS - 1,
    Emin=1 - EXACT_DIGITS,
    rounding=ROUND_HALF_EVEN,
    traps=[Inexact, InvalidOperation, DivisionByZero, Overflow],
)
_ROUNDING: Final = Context(prec=80, rounding=ROUND_HALF_EVEN, traps=[InvalidOperation])
_SHORT, _LONG = (
    Context(prec=prec, rounding=ROUND_05UP, traps=[InvalidOperation, DivisionByZero, Overflow])
    for prec in (36, 80)
)
_SHORT_PLACES: Final = 30
_ADMITTING: Final = Context(prec=WHOLE_DIGITS + SCALE, traps=[Inexact, InvalidOperation])
QUANTA: Final = tuple(Decimal(1).scaleb(-digits) for digits in range(SCALE + 1))
_LARGEST: Final = Decimal(f"{'9' * WHOLE_DIGITS}.{'9' * SCALE}")


def rounded(value: Decimal, digits: int) -> Decimal:
    """Round half-even to `digits` decimals."""
    return _ROUNDING.quantize(value, QUANTA[digits])


def quotient(dividend: Decimal, divisor: Decimal, digits: int) -> Decimal:
    """
    Return the exact quotient rounded half-even to `digits` decimals.

    Raises:
        ArithmeticError: the divisor is zero, or the result is over 60 digits.
    """
    # More digits than are kept, and a last one that tells "exactly" from "a little more": rounding
    # twice is exact. A long division costs three short ones.
    ratio = _SHORT.divide(dividend, divisor)
    if ratio.adjusted() + digits > _SHORT_PLACES:
        ratio = _LONG.divide(dividend, divisor)
    return EXACT.plus(_ROUNDING.quantize(ratio, QUANTA[digits]))


def number_reader(
    scale: int | None = None, low: Decimal | None = None, high: Decimal | None = None
) -> Callable[[object], Decimal | None]:
    """
    Return a function that gives a plain number at its fixed scale, or None for anything else.

    Not plain: another type than `Decimal`, not finite, more decimals than `scale` (12 when None),
    10^18 and more, outside `low` to `high`.
    """
    quantum, quantize = QUANTA[SCALE if scale is None else scale], _ADMITTING.quantize
    least, most = (-_LARGEST if low is None else low), (_LARGEST if high is None else high)

    def read(value: object) -> Decimal | None:
        if type(value) is not Decimal:
            return None
        try:
            number = quantize(value, quantum)
        except ArithmeticError:
            return None
        # A NaN is quantized to itself, and is equal to nothing.
        return number if number == number and least <= number <= most else None  # noqa: PLR0124

    return read


def missing_of(facts: Iterable[Fact]) -> Missing | None:
    """Return one `Missing` with the names of all missing facts, or None when all are known."""
    unknown = [fact.names for fact in facts if type(fact) is Missing]
    return Missing(frozenset().union(*unknown)) if unknown else None


def plain(value: Value, scale: int | None = None) -> str:
    """
    Return the one text of a value: no exponent, no negative zero.

    Numbers have `scale` decimals, or no trailing zeros when it is None: equal values have equal
    texts, however they were made. A list is written as in a policy; a long one ends in its hash.
    """
    if isinstance(value, Decimal):
        return _number_text(value, scale)
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    text = _nested(value)
    if len(text) <= LIST_TEXT:
        return text
    whole = hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
    return f"{text[:LIST_TEXT]}… ({len(text)} characters, sha256:{whole})"


def _number_text(value: Decimal, scale: int | None) -> str:
    if scale is not None:
        value = rounded(value, scale)
    text = str(value)  # much faster than a format, and the same without an exponent
    if "E" in text:
        text = format(value, "f")
    if scale is None and "." in text:
        text = text.rstrip("0").rstrip(".")
    return text.removeprefix("-") if not value else text


def _nested(value: Value) -> str:
    """Texts inside a list are quoted: no content can look like the end of an element."""
    if isinstance(value, tuple):
        return f"[{', '.join(map(_nested, value))}]"
    if isinstance(value, Entry):
        return f"{{{', '.join(f'{name}: {_nested(item)}' for name, item in value.fields)}}}"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else plain(value)
