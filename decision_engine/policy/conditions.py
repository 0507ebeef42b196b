"""One condition of a row, explained: value, operator, threshold and how far apart they are."""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Final, NamedTuple

from decision_engine.policy.closures import Facts, closure
from decision_engine.policy.document import Row
from decision_engine.policy.layout import Layout
from decision_engine.policy.render import list_text, range_text, text_of
from decision_engine.policy.schema import Field
from decision_engine.policy.syntax import (
    FLIPPED,
    Call,
    Compare,
    Expr,
    Literal,
    Logic,
    Member,
    Not,
    NullTest,
    Operator,
    Ref,
    Within,
    names_in,
)
from decision_engine.policy.values import EXACT, Fact, Missing, plain

#: The texts of a condition's other side and of the distance to it.
Against = Callable[[Fact, Facts], tuple[str, str]]

MISSING: Final = "missing"


class Condition(NamedTuple):
    """
    One atomic condition; every part is text, so that its hash is stable.

    `distance` is value - threshold for numbers (of a range: from its nearer end, 0 inside), empty
    where there is none. `result` is `true`, `false` or `missing`.
    """

    cell: str
    formula: str
    attributes: tuple[str, ...]
    value: str
    operator: str
    threshold: str
    distance: str
    result: str


def text_of_fact(fact: Fact, scale: int | None = None) -> str:
    """Return the one text of a fact."""
    return MISSING if type(fact) is Missing else plain(fact, scale)  # type: ignore[arg-type]


class RowPlan:
    """How to explain one row: what only the policy decides is worked out once, when first asked."""

    __slots__ = ("_atoms", "_fields", "_layout", "row")

    def __init__(self, row: Row, layout: Layout, fields: Mapping[str, Field]) -> None:
        self.row = row
        self._layout = layout
        self._fields = fields
        self._atoms: tuple[_Atom, ...] | None = None

    def holds(self, facts: Facts) -> Fact:
        """Return the whole row's truth in three values."""
        return closure(self.row.condition, self._layout)(facts)

    def conditions(self, facts: Facts) -> tuple[Condition, ...]:
        """Return the row's atomic conditions over the facts of one evaluation."""
        if self._atoms is None:
            self._atoms = tuple(_atoms_of_row(self.row, self._layout, self._fields))
        return tuple([atom.explain(facts) for atom in self._atoms])


def _atoms_of_row(row: Row, layout: Layout, fields: Mapping[str, Field]) -> "Iterator[_Atom]":
    for cell in row.cells:
        for expr in _atoms_of(cell.condition):
            yield _Atom(cell.column.label, expr, layout, fields)


def _atoms_of(expr: Expr) -> Iterator[Expr]:
    if isinstance(expr, Logic):
        for part in expr.conditions:
            yield from _atoms_of(part)
    else:
        yield expr


class _Atom:
    __slots__ = ("_against", "_fixed", "_operator", "_result", "_scale", "_subject")

    def __init__(self, cell: str, expr: Expr, layout: Layout, fields: Mapping[str, Field]) -> None:
        subject, self._operator, self._against = _shape(expr, layout, fields)
        self._fixed = (cell, text_of(expr), tuple(sorted(names_in(expr))))
        self._scale = _scale(subject, fields)
        self._subject = closure(subject, layout)
        self._result = closure(expr, layout)

    def explain(self, facts: Facts) -> Condition:
        value = self._subject(facts)
        threshold, distance = self._against(value, facts)
        return Condition(
            *self._fixed,
            text_of_fact(value, self._scale),
            self._operator,
            threshold,
            distance,
            text_of_fact(self._result(facts)),
        )


def _shape(expr: Expr, layout: Layout, fields: Mapping[str, Field]) -> tuple[Expr, str, Against]:
    match expr:
        case Compare():
            subject, operator, other = _subject_first(expr)
            return subject, operator, _threshold(other, layout, fields)
        case Within():
            return expr.subject, "in", _range(expr, layout)
        case Member():
            return expr.subject, "in", _fixed(list_text(expr.items))
        case NullTest():
            return Ref(expr.name), "!=" if expr.negated else "==", _fixed("null")
        case Not(
            condition=Compare()
            | Within()
            | Member()
            | NullTest()
            | Call(function="contains") as inner
        ):
            subject, word, against = _shape(inner, layout, fields)
            return subject, f"not {word}", against
        case _:
            return _other_shape(expr, layout, fields)


def _other_shape(
    expr: Expr, layout: Layout, fields: Mapping[str, Field]
) -> tuple[Expr, str, Against]:
    if isinstance(expr, Call) and expr.function == "contains":
        whole, part = expr.arguments
        return whole, "contains", _threshold(part, layout, fields)
    return expr, "is", _fixed("true")


def _subject_first(expr: Compare) -> tuple[Expr, Operator, Expr]:
    """A literal on the left is the threshold all the same."""
    if isinstance(expr.left, Literal):
        return expr.right, FLIPPED[expr.operator], expr.left
    return expr.left, expr.operator, expr.right


def _fixed(text: str) -> Against:
    return lambda _value, _facts: (text, "")


def _threshold(expr: Expr, layout: Layout, fields: Mapping[str, Field]) -> Against:
    other, scale = closure(expr, layout), _scale(expr, fields)

    def against(value: Fact, facts: Facts) -> tuple[str, str]:
        threshold = other(facts)
        return text_of_fact(threshold, scale), _difference(value, threshold)

    return against


def _range(expr: Within, layout: Layout) -> Against:
    text = range_text(expr)
    low, high = closure(expr.low, layout), closure(expr.high, layout)

    def against(value: Fact, facts: Facts) -> tuple[str, str]:
        below, above = _difference(value, low(facts)), _difference(value, high(facts))
        if not below or not above:
            return text, ""
        inside = "0" if above.startswith("-") else above
        return text, below if below.startswith("-") else inside

    return against


def _scale(expr: Expr, fields: Mapping[str, Field]) -> int | None:
    return fields[expr.name].scale if isinstance(expr, Ref) else None


def _difference(value: Fact, threshold: Fact) -> str:
    if type(value) is not Decimal or type(threshold) is not Decimal:
        return ""
    try:
        return plain(EXACT.subtract(value, threshold))
    except ArithmeticError:
        return ""
