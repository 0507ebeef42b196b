"""Types: every operand has the one that its operator needs."""

from decimal import Decimal
from typing import assert_never

from decision_engine.policy.check.scope import Scope
from decision_engine.policy.findings import Notes
from decision_engine.policy.syntax import (
    Boolean,
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
    Test,
    Within,
)
from decision_engine.policy.values import Kind, Value


def kind_of_value(value: Value) -> Kind:
    """Return the kind of a literal."""
    if isinstance(value, bool):
        return "boolean"
    return "number" if isinstance(value, Decimal) else "string"


def kind_of(expr: Expr, scope: Scope, notes: Notes) -> Kind | None:
    """Return the kind of an expression; None when a fault inside, already noted, hides it."""
    match expr:
        case Literal():
            return kind_of_value(expr.value)
        case Ref():
            found = scope.find(expr, notes)
            return None if found is None else found.kind
        case Choice():
            return _choice(expr, scope, notes)
        case Compare() | Member() | Within():
            _check_test(expr, scope, notes)
            return "boolean"
        case Logic() | Not() | NullTest():
            _check_boolean(expr, scope, notes)
            return "boolean"
        case _:
            _check_numeric(expr, scope, notes)
            return "number"


def need(kind: Kind, expr: Expr, what: str, scope: Scope, notes: Notes) -> None:
    """Note it when an expression is of another kind."""
    found = kind_of(expr, scope, notes)
    if found not in (kind, None):
        notes.error(f"{what} needs a {kind}, found a {found}")


def _choice(expr: Choice, scope: Scope, notes: Notes) -> Kind | None:
    need("boolean", expr.condition, "the condition of ? :", scope, notes)
    yes, no = kind_of(expr.yes, scope, notes), kind_of(expr.no, scope, notes)
    if yes and no and yes != no:
        notes.error(f"the two sides of ? : must be of one type, found {yes} and {no}")
    return yes or no


def _check_numeric(expr: Numeric, scope: Scope, notes: Notes) -> None:
    for part in expr.parts:
        need("number", part, "arithmetic", scope, notes)
    if isinstance(expr, Quotient) and isinstance(expr.divisor, Literal) and not expr.divisor.value:
        notes.error("division by zero")


def _check_test(expr: Test, scope: Scope, notes: Notes) -> None:
    match expr:
        case Compare():
            if expr.operator in ("==", "!="):
                _check_equal(expr.left, (expr.right,), scope, notes)
                return
            for part in expr.parts:
                need("number", part, f"the operator {expr.operator}", scope, notes)
        case Member():
            _check_equal(expr.subject, expr.items, scope, notes)
        case Within():
            for part in expr.parts:
                need("number", part, "a range", scope, notes)
            _check_range(expr, notes)
        case _:
            assert_never(expr)


def _check_range(expr: Within, notes: Notes) -> None:
    ends = [end.value for end in (expr.low, expr.high) if isinstance(end, Literal)]
    numbers = [end for end in ends if isinstance(end, Decimal)]
    if len(numbers) == 2:  # noqa: PLR2004
        closed = expr.low_closed and expr.high_closed
        if numbers[0] > numbers[1] or (numbers[0] == numbers[1] and not closed):
            notes.error("the range is empty")


def _check_equal(subject: Expr, items: tuple[Expr, ...], scope: Scope, notes: Notes) -> None:
    kind = kind_of(subject, scope, notes)
    for item in items:
        found = kind_of(item, scope, notes)
        if kind and found and kind != found:
            notes.error(f"a {kind} is never equal to a {found}")
        _check_enum(subject, item, scope, notes)
        _check_enum(item, subject, scope, notes)


def _check_enum(subject: Expr, item: Expr, scope: Scope, notes: Notes) -> None:
    if not isinstance(subject, Ref) or not isinstance(item, Literal):
        return
    made = scope.names.fields.get(subject.name)
    if made is not None and made.enum and item.value not in made.enum:
        notes.error(f'"{item.value}" is no value of {subject.name}: {", ".join(made.enum)}')


def _check_boolean(expr: Boolean, scope: Scope, notes: Notes) -> None:
    if isinstance(expr, NullTest):
        scope.names.read.add(expr.name)
        if expr.name not in scope.names.inputs:
            notes.error(f'only an input can be compared with null, "{expr.name}" is none')
        return
    for part in expr.parts:
        need("boolean", part, "and, or, not", scope, notes)
