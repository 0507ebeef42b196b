"""What each operation of the language means, on fractions and lists: the slow, obvious way."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from decision_engine.policy import syntax as tree

DIGITS = 60


class NoValueError(Exception):
    """An operation has no value for known operands."""


def operation(expr: Any, parts: list[Any]) -> Any:  # noqa: C901, PLR0911 - one table of forms
    if isinstance(expr, tree.Arithmetic):
        left, right = parts
        found = ARITHMETIC[expr.operator](left, right)
        return found if expr.operator == "%" else limited(found)
    if isinstance(expr, tree.Call):
        return CALLS[expr.function](*parts)
    if isinstance(expr, tree.Items):
        return parts
    if isinstance(expr, tree.FieldOf):
        return parts[0][expr.name]
    if isinstance(expr, tree.Index):
        return element(*parts)
    if isinstance(expr, tree.Slice):
        return sliced(expr, parts)
    if isinstance(expr, tree.Rounded):
        if abs(parts[0]) >= Fraction(10) ** (80 - expr.digits):
            raise NoValueError
        return half_even(parts[0], expr.digits)
    if isinstance(expr, tree.Quotient):
        exact = parts[0] / parts[1]
        if expr.digits is None:
            return half_even(exact, digits_of(exact))
        return limited(half_even(exact, expr.digits))
    if isinstance(expr, tree.Member):
        return any(parts[0] == item for item in parts[1:])
    if isinstance(expr, tree.Within):
        subject, low, high = parts
        above = low <= subject if expr.low_closed else low < subject
        return above and (subject <= high if expr.high_closed else subject < high)
    return compared(expr.operator, *parts)


def limited(value: Any) -> Any:
    """An exact number has at most 60 digits, zeros at its ends not counted."""
    if isinstance(value, Fraction) and value:
        whole = value
        while whole.denominator > 1:
            whole *= 10
        if len(str(abs(whole.numerator)).rstrip("0")) > DIGITS:
            raise NoValueError
    return value


def digits_of(value: Fraction) -> int:
    """How many decimals 28 significant digits have."""
    whole = 0
    while abs(value) >= Fraction(10) ** (whole + 1):
        whole += 1
    while value and abs(value) < Fraction(10) ** whole:
        whole -= 1
    return 27 - whole


def quotient(left: Fraction, right: Fraction) -> Fraction:
    return half_even(left / right, digits_of(left / right))


def remainder(left: Fraction, right: Fraction) -> Fraction:
    if right == 0 or abs(left / right) >= Fraction(10) ** DIGITS:
        raise NoValueError
    return left - right * int(left / right)


def power(base: Fraction, exponent: Fraction) -> Fraction:
    if exponent.denominator != 1 or abs(exponent) > 64 or (base == 0 and exponent < 0):
        raise NoValueError
    result = limited(base ** abs(int(exponent)))
    if result and not Fraction(10) ** -DIGITS <= abs(result) < Fraction(10) ** DIGITS:
        raise NoValueError
    return quotient(Fraction(1), result) if exponent < 0 else result


def element(subject: Any, place: Fraction) -> Any:
    if place.denominator != 1 or not 0 <= place < len(subject):
        raise NoValueError
    return subject[int(place)]


def sliced(expr: tree.Slice, parts: list[Any]) -> Any:
    subject, *ends = parts
    first = ends.pop(0) if expr.first is not None else Fraction(0)
    last = ends.pop(0) if expr.last is not None else Fraction(len(subject) - 1)
    if first.denominator != 1 or last.denominator != 1:
        raise NoValueError
    if first < 0 or last >= len(subject) or first > last + 1:
        raise NoValueError
    return [subject[place] for place in range(int(first), int(last) + 1)]


def needed(numbers: list[Any]) -> list[Any]:
    if not numbers:
        raise NoValueError
    return numbers


def summed(numbers: list[Any]) -> Fraction:
    total = Fraction(0)
    for number in numbers:
        total = limited(total + number)
    return total


def middle(numbers: list[Any]) -> Any:
    ordered_numbers = sorted(needed(numbers))
    half = len(ordered_numbers) // 2
    if len(ordered_numbers) % 2:
        return ordered_numbers[half]
    return quotient(summed(ordered_numbers[half - 1 : half + 1]), Fraction(2))


def most_frequent(numbers: list[Any]) -> Any:
    return max(needed(numbers), key=lambda number: (numbers.count(number), number))


ARITHMETIC: Mapping[str, Any] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "%": remainder,
    "^": power,
}
CALLS: Mapping[str, Any] = {
    "abs": abs,
    "floor": lambda value: Fraction(value.numerator // value.denominator),
    "ceil": lambda value: Fraction(-(-value.numerator // value.denominator)),
    "trunc": lambda value, digits=0: Fraction(int(value * 10**digits), 10**digits),
    "min": lambda numbers: min(needed(numbers)),
    "max": lambda numbers: max(needed(numbers)),
    "sum": summed,
    "avg": lambda numbers: quotient(summed(needed(numbers)), Fraction(len(numbers))),
    "median": middle,
    "mode": most_frequent,
    "len": lambda value: Fraction(len(value)),
    "contains": lambda whole, part: part in whole,
}


def half_even(value: Fraction, digits: int) -> Fraction:
    factor = Fraction(10) ** digits
    return Fraction(round(value * factor)) / factor


def compared(operator: str, left: Any, right: Any) -> bool:
    if operator in ("==", "!="):
        return bool((left == right) == (operator == "=="))
    less, equal = bool(left < right), bool(left == right)
    table = {"<": less, "<=": less or equal, ">": not (less or equal), ">=": not less}
    return table[operator]


def bin_of(item: Any, fact: Any) -> int:
    for entry in item.bins:
        if entry.values:
            inside = any(fact == value for value in entry.values)
        else:
            inside = (entry.low is None or fact >= Fraction(entry.low)) and (
                entry.high is None or fact < Fraction(entry.high)
            )
        if inside:
            return int(entry.points)
    raise AssertionError("the bins do not cover")
