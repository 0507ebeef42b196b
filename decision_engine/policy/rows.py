"""A table row as data: prepared tests of one place against a constant, never generated code."""

from typing import Any, Final

from decision_engine.policy.closures import Closure, Facts, closure
from decision_engine.policy.codegen import value_function
from decision_engine.policy.document import Row
from decision_engine.policy.layout import Layout
from decision_engine.policy.syntax import (
    Compare,
    Expr,
    Literal,
    Logic,
    Member,
    Ref,
    Within,
    conjunction,
)
from decision_engine.policy.values import Fact

_PREPARED: Final = {
    "==": "__eq__",
    "!=": "__ne__",
    "<": "__gt__",  # the constant stands on the left: v < c is c > v
    "<=": "__ge__",
    ">": "__lt__",
    ">=": "__le__",
}


class PreparedRow:
    """A row's condition: tests of one place against constants, and functions for the rest."""

    __slots__ = ("_closure", "_functions", "_layout", "_row", "_tests")

    def __init__(self, row: Row, layout: Layout) -> None:
        tests: list[Any] = []
        rest: list[Expr] = []
        for part in _parts(row.condition):
            prepared = _prepare(part, layout)
            if prepared is None:
                rest.append(part)
            else:
                tests.append(prepared)
        self._tests = tuple(tests)
        self._functions = (value_function(conjunction(tuple(rest)), layout),) if rest else ()
        self._row, self._layout = row, layout
        self._closure: Closure | None = None

    def condition(self, facts: Facts) -> Fact:
        """Return the row's truth in three values; its closure is made when first asked for."""
        if self._closure is None:
            self._closure = closure(self._row.condition, self._layout)
        return self._closure(facts)

    def holds(self, facts: list[Any]) -> bool:
        """Tell whether the row is true, with every fact known."""
        for place, test in self._tests:
            if not test(facts[place]):
                return False
        for function in self._functions:  # noqa: SIM110 - `all` costs more than the tests
            if not function(facts):
                return False
        return True


def _parts(condition: Expr) -> list[Expr]:
    """Return conditions whose `and` is the condition, as simple as can be."""
    if isinstance(condition, Logic) and condition.operator == "and":
        return [part for item in condition.conditions for part in _parts(item)]
    if isinstance(condition, Within):
        low = Compare(">=" if condition.low_closed else ">", condition.subject, condition.low)
        high = Compare("<=" if condition.high_closed else "<", condition.subject, condition.high)
        return [low, high]
    certain = isinstance(condition, Literal) and condition.value is True
    return [] if certain else [condition]


def _prepare(expr: Expr, layout: Layout) -> Any:
    """Return (place, test) for a comparison of one name with constants, else None."""
    if isinstance(expr, Compare) and isinstance(expr.left, Ref):
        if isinstance(expr.right, Literal):
            test = getattr(expr.right.value, _PREPARED[expr.operator])
            return layout.places[expr.left.name], test
    elif isinstance(expr, Member) and isinstance(expr.subject, Ref):
        values = [item.value for item in expr.items if isinstance(item, Literal)]
        if len(values) == len(expr.items):
            return layout.places[expr.subject.name], frozenset(values).__contains__
    return None
