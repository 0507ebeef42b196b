"""
Expressions as closures: the three-valued variant.

A closure takes the facts of one evaluation (a list, one place per name) and returns a value or
`Missing`. Kleene's logic: `false and missing` is false, `true or missing` is true. Every operation
takes missing facts to `Missing`, so more missing inputs never make an answer *different*, only
missing: that monotony is what "fail closed" rests on.
"""

import operator
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final, assert_never

from decision_engine.policy.layout import Layout
from decision_engine.policy.syntax import (
    Arithmetic,
    Boolean,
    Call,
    Choice,
    Compare,
    Expr,
    Literal,
    Logic,
    Member,
    Not,
    NullTest,
    Numeric,
    Quotient,
    Ref,
    Rounded,
    Test,
    Within,
)
from decision_engine.policy.values import EXACT, Fact, Missing, missing_of, quotient, rounded

Facts = list[Fact]
Closure = Callable[[Facts], Fact]

ORDERS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
ARITHMETIC: Final[Mapping[str, Callable[[Any, Any], Decimal]]] = {
    "+": EXACT.add,
    "-": EXACT.subtract,
    "*": EXACT.multiply,
}
_CALLS: Final[Mapping[str, Callable[..., Any]]] = {"abs": EXACT.abs, "min": min, "max": max}


def closure(expr: Expr, layout: Layout) -> Closure:
    """Return the three-valued closure of an expression that was checked."""
    match expr:
        case Literal():
            return _constant(expr.value)
        case Ref():
            return operator.itemgetter(layout.places[expr.name])
        case Choice():
            return _choice(*(closure(part, layout) for part in expr.parts))
        case Compare() | Member() | Within():
            return _test(expr, layout)
        case Logic() | Not() | NullTest():
            return _boolean(expr, layout)
        case _:
            return _numeric(expr, layout)


def _constant(value: Fact) -> Closure:
    return lambda _: value


def _choice(condition: Closure, yes: Closure, no: Closure) -> Closure:
    def run(facts: Facts) -> Fact:
        chosen = condition(facts)
        if type(chosen) is Missing:
            return chosen
        return yes(facts) if chosen else no(facts)

    return run


def _numeric(expr: Numeric, layout: Layout) -> Closure:
    blame = layout.behind(expr)
    match expr:
        case Arithmetic():
            function: Callable[..., Any] = ARITHMETIC[expr.operator]
        case Call():
            function = _CALLS[expr.function] if len(expr.arguments) > 1 else _single(expr)
        case Rounded(digits=digits):
            function = lambda value: rounded(value, digits)  # noqa: E731
        case Quotient(digits=digits):
            function = lambda top, bottom: quotient(top, bottom, digits)  # noqa: E731
            blame = layout.behind(expr.divisor)
        case _:
            assert_never(expr)
    return _strict(function, tuple(closure(part, layout) for part in expr.parts), blame)


def _single(expr: Call) -> Callable[..., Any]:
    return EXACT.abs if expr.function == "abs" else EXACT.plus


def _strict(
    function: Callable[..., Any], parts: tuple[Closure, ...], blame: frozenset[str]
) -> Closure:
    """Missing when a part is missing; missing, blamed on `blame`, when there is no exact result."""
    failed = Missing(blame)

    def run(facts: Facts) -> Fact:
        values = [part(facts) for part in parts]
        unknown = missing_of(values)
        if unknown is not None:
            return unknown
        try:
            result: Fact = function(*values)
        except ArithmeticError:
            return failed
        return result

    return run


def _test(expr: Test, layout: Layout) -> Closure:
    if isinstance(expr, Compare):
        if isinstance(expr.left, Ref) and isinstance(expr.right, Literal):
            return _plain_compare(expr, layout.places[expr.left.name], expr.right.value)
        function: Callable[..., Any] = ORDERS[expr.operator]
    elif isinstance(expr, Member):
        function = _is_one_of
    else:
        function = _within(expr)
    return _strict(function, tuple(closure(p, layout) for p in expr.parts), frozenset())


def _plain_compare(expr: Compare, place: int, constant: Fact) -> Closure:
    order = ORDERS[expr.operator]

    def run(facts: Facts) -> Fact:
        fact = facts[place]
        return fact if type(fact) is Missing else order(fact, constant)

    return run


def _is_one_of(subject: Any, *items: Any) -> bool:
    return subject in items


def _within(expr: Within) -> Callable[..., bool]:
    above = operator.le if expr.low_closed else operator.lt
    below = operator.le if expr.high_closed else operator.lt
    return lambda subject, low, high: above(low, subject) and below(subject, high)


def _boolean(expr: Boolean, layout: Layout) -> Closure:
    if isinstance(expr, NullTest):
        return _null_test(layout.places[expr.name], negated=expr.negated)
    if isinstance(expr, Not):
        return _not(closure(expr.condition, layout))
    parts = tuple(closure(part, layout) for part in expr.conditions)
    return _joined(parts, decided=expr.operator == "or")


def _null_test(place: int, *, negated: bool) -> Closure:
    return lambda facts: (type(facts[place]) is Missing) is not negated


def _not(condition: Closure) -> Closure:
    def run(facts: Facts) -> Fact:
        fact = condition(facts)
        return fact if type(fact) is Missing else not fact

    return run


def _joined(parts: tuple[Closure, ...], *, decided: bool) -> Closure:
    """`or` is decided by one true, `and` by one false; else by what is missing."""

    def run(facts: Facts) -> Fact:
        results = [part(facts) for part in parts]
        if decided in results:
            return decided
        return missing_of(results) or (not decided)

    return run
