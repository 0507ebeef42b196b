"""Types: every operand has the one that its operator needs."""

from decimal import Decimal
from typing import assert_never

from decision_engine.policy.check.list_kinds import (
    inside,
    kind_of_call,
    kind_of_each,
    kind_of_field,
    kind_of_index,
    kind_of_items,
    kind_of_made,
)
from decision_engine.policy.check.scope import Scope
from decision_engine.policy.findings import Notes
from decision_engine.policy.kinds import Kind, ListOf, is_scalar, wider
from decision_engine.policy.syntax import (
    Arithmetic,
    Boolean,
    Call,
    Choice,
    Compare,
    Each,
    Element,
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
)
from decision_engine.policy.values import Scalar as ScalarValue


def kind_of_value(value: ScalarValue) -> Kind:
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
        case Compare() | Member() | Within():
            _check_test(expr, scope, notes)
            return "boolean"
        case Logic() | Not() | NullTest():
            _check_boolean(expr, scope, notes)
            return "boolean"
        case Arithmetic() | Rounded() | Quotient():
            return _numeric(expr, scope, notes)
        case _:
            return _other(expr, scope, notes)


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
    return wider(yes, no) if yes and no else yes or no


def _numeric(expr: Numeric, scope: Scope, notes: Notes) -> Kind:
    kinds = [kind_of(part, scope, notes) for part in expr.parts]
    texts = isinstance(expr, Arithmetic) and expr.operator == "+" and "string" in kinds
    if texts and set(kinds) <= {"string", None}:
        return "string"
    for kind in kinds:
        if kind not in ("number", None):
            hint = ": write string(number)" if texts else ""
            notes.error(f"arithmetic needs a number, found a {kind}{hint}")
    if _divisor_of(expr) == Literal(Decimal(0)):
        notes.error("division by zero")
    return "number"


def _divisor_of(expr: Numeric) -> Expr | None:
    if isinstance(expr, Arithmetic):
        return expr.right if expr.operator == "%" else None
    return expr.divisor if isinstance(expr, Quotient) else None


def _other(expr: Choice | Call | Listing, scope: Scope, notes: Notes) -> Kind | None:
    match expr:
        case Choice():
            return _choice(expr, scope, notes)
        case Each():
            return _each(expr, scope, notes)
        case Call():
            kinds = tuple(kind_of(part, scope, notes) for part in expr.arguments)
            return kind_of_call(expr, kinds, scope, notes)
        case Items():
            found = [kind_of(part, scope, notes) for part in expr.items]
            return kind_of_items(found, len(found), notes)
        case Made():
            made = [kind_of(part, scope, notes) for part in expr.items]
            return kind_of_made(expr, made, notes)
        case _:
            return _element(expr, scope, notes)


def _element(expr: Element, scope: Scope, notes: Notes) -> Kind | None:
    match expr:
        case Item():
            return scope.item
        case FieldOf():
            return kind_of_field(expr, kind_of(expr.subject, scope, notes), notes)
        case Index() | Slice():
            for part in expr.parts[1:]:
                need("number", part, "the place of an element", scope, notes)
            return kind_of_index(expr, kind_of(expr.subject, scope, notes), scope, notes)
        case _:
            assert_never(expr)


def _each(expr: Each, scope: Scope, notes: Notes) -> Kind | None:
    kind = kind_of(expr.subject, scope, notes)
    if not isinstance(kind, ListOf):
        if kind is not None:
            notes.error(f"{expr.function} needs a list, found a {kind}")
        return None
    body = kind_of(expr.body, inside(kind, scope, notes), notes)
    return kind_of_each(expr.function, kind, body, notes)


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
    if kind and not is_scalar(kind):
        notes.error(f"a {kind} cannot be compared: compare its elements")
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
        if expr.name not in scope.names.inputs:
            notes.error(f'only an input can be compared with null, "{expr.name}" is none')
        else:
            scope.find(Ref(expr.name), notes)
        return
    for part in expr.parts:
        need("boolean", part, "and, or, not", scope, notes)
