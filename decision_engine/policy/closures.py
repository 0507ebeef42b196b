"""
Expressions as closures: the three-valued variant.

A closure takes the facts of one evaluation (a list, one place per name) and returns a value or
`Missing`. Kleene's logic: `false and missing` is false, `true or missing` is true. Every operation
takes missing facts to `Missing`, so more missing inputs never make an answer *different*, only
missing: that monotony is what "fail closed" rests on.
"""

import operator
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, assert_never

from decision_engine.policy.each import each
from decision_engine.policy.functions.lists import element, part_of
from decision_engine.policy.functions.numbers import divide
from decision_engine.policy.functions.operations import ARITHMETIC
from decision_engine.policy.functions.registry import FUNCTIONS
from decision_engine.policy.layout import Layout
from decision_engine.policy.syntax import (
    Arithmetic,
    Boolean,
    Call,
    Choice,
    Compare,
    Each,
    Expr,
    FieldOf,
    Index,
    Item,
    Items,
    Listing,
    Literal,
    Logic,
    Made,
    Member,
    Not,
    NullTest,
    Numeric,
    Quotient,
    Ref,
    Rounded,
    Slice,
    Test,
    Within,
    names_in,
)
from decision_engine.policy.values import Fact, Missing, entry_of, missing_of, quotient, rounded

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


def closure(expr: Expr, layout: Layout) -> Closure:
    """Return the three-valued closure of an expression that was checked."""
    match expr:
        case Literal():
            return _constant(expr.value)
        case Ref():
            return operator.itemgetter(layout.places[expr.name])
        case Compare() | Member() | Within():
            return _test(expr, layout)
        case Logic() | Not() | NullTest():
            return _boolean(expr, layout)
        case Arithmetic() | Rounded() | Quotient():
            return _numeric(expr, layout)
        case _:
            return _other(expr, layout)


def _constant(value: Any) -> Closure:
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
        case Rounded(digits=digits):
            function = lambda value: rounded(value, digits)  # noqa: E731
        case Quotient():
            function, blame = _division(expr.digits), layout.behind(expr.divisor)
        case _:
            assert_never(expr)
    return _strict(function, tuple(closure(part, layout) for part in expr.parts), blame)


def _division(digits: int | None) -> Callable[..., Any]:
    if digits is None:
        return divide
    return lambda top, bottom: quotient(top, bottom, digits)


def _other(expr: Choice | Call | Listing, layout: Layout) -> Closure:
    match expr:
        case Choice():
            return _choice(*(closure(part, layout) for part in expr.parts))
        case Item():
            return operator.itemgetter(-1)
        case Each():
            subject, body = closure(expr.subject, layout), closure(expr.body, layout)
            reads = tuple(layout.places[name] for name in sorted(names_in(expr.body)))
            return each(expr.function, subject, body, layout.behind(expr.subject), reads)
        case Slice():
            return _slice(expr, layout)
        case _:
            parts = tuple(closure(part, layout) for part in expr.parts)
            return _strict(_function(expr), parts, layout.behind(expr))


def _function(expr: Call | Items | Made | Index | FieldOf) -> Callable[..., Any]:
    match expr:
        case Call():
            return FUNCTIONS[expr.function].run
        case Items():
            return _listed
        case Made():
            return partial(entry_of, expr.names)
        case Index():
            return element
        case _:
            return operator.methodcaller("field", expr.name)


def _listed(*items: Any) -> tuple[Any, ...]:
    return items


def _slice(expr: Slice, layout: Layout) -> Closure:
    ends = (expr.first, expr.last)
    first, last = (_constant(None) if end is None else closure(end, layout) for end in ends)
    return _strict(part_of, (closure(expr.subject, layout), first, last), layout.behind(expr))


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
