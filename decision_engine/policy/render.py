"""Expressions as text, for traces and messages: one text for one tree."""

from typing import Final, assert_never

from decision_engine.policy.lexer import NAME
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
from decision_engine.policy.values import plain

#: What needs no brackets around it, wherever it stands.
_CLOSED: Final = (
    Literal,
    Ref,
    Call,
    Rounded,
    Quotient,
    Items,
    Made,
    Index,
    Slice,
    Item,
    FieldOf,
    Each,
)


def text_of(expr: Expr) -> str:
    """Return the expression as it could be written in a policy; `$.` comes out as full names."""
    match expr:
        case Literal():
            return _quoted(expr.value) if isinstance(expr.value, str) else plain(expr.value)
        case Ref():
            return expr.name
        case Compare() | Member() | Within():
            return _test(expr)
        case Logic() | Not() | NullTest():
            return _boolean(expr)
        case Arithmetic() | Rounded() | Quotient():
            return _numeric(expr)
        case _:
            return _other(expr)


def range_text(expr: Within) -> str:
    """Return a range as it is written: `(0..5]`."""
    opening, closing = "[" if expr.low_closed else "(", "]" if expr.high_closed else ")"
    return f"{opening}{_end(expr.low)}..{_end(expr.high)}{closing}"


def list_text(items: tuple[Expr, ...]) -> str:
    """Return a list as it is written: `[1, 2]`."""
    return f"[{', '.join(map(text_of, items))}]"


def _quoted(text: str) -> str:
    """A text holds at most one kind of quote: there are no escapes to write both."""
    return f"'{text}'" if '"' in text else f'"{text}"'


def _end(expr: Expr) -> str:
    return text_of(expr) if isinstance(expr, Arithmetic) else _inner(expr)


def _inner(expr: Expr) -> str:
    text = text_of(expr)
    return text if isinstance(expr, _CLOSED) and not _is_bare(expr) else f"({text})"


def _is_bare(expr: Expr) -> bool:
    return isinstance(expr, Quotient) and expr.digits is None


def _numeric(expr: Numeric) -> str:
    match expr:
        case Arithmetic():
            return f"{_inner(expr.left)} {expr.operator} {_inner(expr.right)}"
        case Rounded():
            return f"round({text_of(expr.value)}, {expr.digits})"
        case Quotient(digits=None):
            return f"{_inner(expr.dividend)} / {_inner(expr.divisor)}"
        case _:
            return f"round({_inner(expr.dividend)} / {_inner(expr.divisor)}, {expr.digits})"


def _other(expr: Choice | Call | Listing) -> str:
    match expr:
        case Choice():
            return " ".join((_inner(expr.condition), "?", _inner(expr.yes), ":", _inner(expr.no)))
        case Call():
            return f"{expr.function}({', '.join(map(text_of, expr.arguments))})"
        case Items():
            return list_text(expr.items)
        case Made():
            named = zip(expr.names, map(text_of, expr.items), strict=True)
            return f"{{{', '.join(f'{name}: {text}' for name, text in named)}}}"
        case Each():
            return f"{expr.function}({text_of(expr.subject)}, {text_of(expr.body)})"
        case _:
            return _element(expr)


def _element(expr: Element) -> str:
    match expr:
        case Item():
            return "#"
        case FieldOf():
            plainly = not isinstance(expr.subject, Ref) and NAME.fullmatch(expr.name)
            field = f".{expr.name}" if plainly else f"[{_quoted(expr.name)}]"
            return f"{_inner(expr.subject)}{field}"
        case Index():
            return f"{_inner(expr.subject)}[{text_of(expr.position)}]"
        case Slice():
            ends = ("" if end is None else _inner(end) for end in (expr.first, expr.last))
            return f"{_inner(expr.subject)}[{':'.join(ends)}]"
        case _:
            assert_never(expr)


def _test(expr: Test) -> str:
    if isinstance(expr, Compare):
        return f"{_inner(expr.left)} {expr.operator} {_inner(expr.right)}"
    items = list_text(expr.items) if isinstance(expr, Member) else range_text(expr)
    return f"{_inner(expr.subject)} in {items}"


def _boolean(expr: Boolean) -> str:
    if isinstance(expr, NullTest):
        return f"{expr.name} {'!=' if expr.negated else '=='} null"
    if isinstance(expr, Not):
        return f"not {_inner(expr.condition)}"
    return f" {expr.operator} ".join(map(_inner, expr.conditions))
