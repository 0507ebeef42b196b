"""Functions of lists: a list is a tuple whose elements are of one kind."""

from decimal import Decimal
from functools import reduce
from itertools import chain
from typing import Any, Final

from decision_engine.policy.functions.numbers import divide
from decision_engine.policy.functions.signature import (
    NUMBERS,
    Function,
    NoResultError,
    Rule,
    either,
    form,
)
from decision_engine.policy.kinds import Kind, ListOf, is_scalar
from decision_engine.policy.limits import LIST_ITEMS
from decision_engine.policy.values import EXACT

Numbers = tuple[Decimal, ...]
_PAIR: Final = 2
_ZERO: Final = Decimal(0)


def total(numbers: Numbers) -> Decimal:
    """Return the exact sum; 0 for an empty list."""
    return reduce(EXACT.add, numbers, _ZERO)


def smallest(numbers: Numbers) -> Decimal:
    """Return the smallest number; an empty list has none."""
    return min(_some(numbers))


def largest(numbers: Numbers) -> Decimal:
    """Return the largest number; an empty list has none."""
    return max(_some(numbers))


def average(numbers: Numbers) -> Decimal:
    """Return the exact sum divided by the count; an empty list has none."""
    return divide(total(numbers), Decimal(len(numbers)))


def median(numbers: Numbers) -> Decimal:
    """Return the middle number, or the mean of the middle two; an empty list has none."""
    ordered = sorted(_some(numbers))
    half = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[half]
    return divide(EXACT.add(ordered[half - 1], ordered[half]), Decimal(2))


def mode(numbers: Numbers) -> Decimal:
    """Return the most frequent number, the largest of several; an empty list has none."""
    counts: dict[Decimal, int] = {}
    for number in _some(numbers):
        counts[number] = counts.get(number, 0) + 1
    return max(counts, key=lambda number: (counts[number], number))


def flatten(lists: tuple[tuple[Any, ...], ...]) -> tuple[Any, ...]:
    """
    Return the elements of all lists, in order.

    Raises:
        ArithmeticError: there are more than 1,000.
    """
    if sum(map(len, lists)) > LIST_ITEMS:
        raise NoResultError
    return tuple(chain.from_iterable(lists))


def contains(whole: tuple[Any, ...] | str, part: Any) -> bool:
    """Tell whether a list has an equal element, or a text this piece."""
    return part in whole


def element(subject: tuple[Any, ...] | str, position: Decimal) -> Any:
    """
    Return the element, or the character, at a place counted from 0.

    Raises:
        ArithmeticError: there is none: beyond the end, negative, not whole.
    """
    place = _whole(position)
    if not 0 <= place < len(subject):
        raise NoResultError
    return subject[place]


def part_of(subject: Any, first: Decimal | None, last: Decimal | None) -> Any:
    """
    Return a part, both ends included; one that ends just before its beginning is empty.

    Raises:
        ArithmeticError: an end is not whole, or not inside.
    """
    low = 0 if first is None else _whole(first)
    high = len(subject) - 1 if last is None else _whole(last)
    if not 0 <= low <= high + 1 <= len(subject):
        raise NoResultError
    return subject[low : high + 1]


def _some(numbers: Numbers) -> Numbers:
    if not numbers:
        raise NoResultError
    return numbers


def _whole(position: Decimal) -> int:
    place = int(position)
    if place != position:
        raise NoResultError
    return place


def _length(kinds: tuple[Kind, ...]) -> Kind | None:
    (kind,) = kinds if len(kinds) == 1 else (None,)
    return "number" if kind == "string" or isinstance(kind, ListOf) else None


def _inside(kinds: tuple[Kind, ...]) -> Kind | None:
    if len(kinds) != _PAIR or not isinstance(kinds[0], ListOf):
        return None
    return "boolean" if is_scalar(kinds[1]) and kinds[0].items == kinds[1] else None


def _flat(kinds: tuple[Kind, ...]) -> Kind | None:
    (kind,) = kinds if len(kinds) == 1 else (None,)
    if not isinstance(kind, ListOf) or not isinstance(kind.items, ListOf):
        return None
    return ListOf(kind.items.items, min(kind.most * kind.items.most, LIST_ITEMS))


_NUMBERS: Final[Rule] = form(NUMBERS, gives="number")
_WHAT: Final = "a list of numbers"
ENTRIES: Final = (
    Function("sum", _WHAT, _NUMBERS, total),
    Function("min", _WHAT, _NUMBERS, smallest),
    Function("max", _WHAT, _NUMBERS, largest),
    Function("avg", _WHAT, _NUMBERS, average),
    Function("median", _WHAT, _NUMBERS, median),
    Function("mode", _WHAT, _NUMBERS, mode),
    Function("flatten", "a list of lists", _flat, flatten),
    Function("len", "a list or a text", _length, lambda value: Decimal(len(value))),
    Function(
        "contains",
        "a list and one of its kind of value, or two texts",
        either(form("string", "string", gives="boolean"), _inside),
        contains,
    ),
)
