"""
Expressions as Python functions: the two-valued variant, for when nothing is missing.

Source is written from the checked tree, never from a policy's text: names are generated, literals
are constants in the namespace, so a policy cannot reach Python. A generated function raises
`ArithmeticError` where there is no exact result; the caller then takes the three-valued variant,
which says why.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

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
    Ref,
    Rounded,
    Test,
    Within,
)
from decision_engine.policy.values import EXACT, quotient, rounded

Generated = Callable[[list[Any]], Any]

_ARITHMETIC: Final = {"+": "add", "-": "subtract", "*": "multiply"}
_HELPERS: Final[dict[str, Any]] = {
    "__builtins__": {},
    "add": EXACT.add,
    "subtract": EXACT.subtract,
    "multiply": EXACT.multiply,
    "abs": EXACT.abs,
    "min": min,
    "max": max,
    "rounded": rounded,
    "quotient": quotient,
}


def value_function(expr: Expr, layout: Layout) -> Generated:
    """Return a function of the facts that gives the value of one expression."""
    build = _Builder(layout)
    return build.function(f"return {build.source(expr)}")


def values_function(exprs: Iterable[Expr], layout: Layout) -> Generated:
    """Return a function of the facts that gives the tuple of several values."""
    build = _Builder(layout)
    return build.function(f"return {_tuple(build.source(expr) for expr in exprs)}")


def block_function(assignments: Iterable[tuple[str, Expr]], layout: Layout) -> Generated:
    """Return a function that writes each value to its name's place, in order."""
    build = _Builder(layout)
    lines = (f"{build.place(name)} = {build.source(expr)}" for name, expr in assignments)
    return build.function("; ".join(lines) or "pass")


class _Builder:
    """The source of one function and the constants that it uses."""

    def __init__(self, layout: Layout) -> None:
        self._places = layout.places
        self._namespace = dict(_HELPERS)

    def function(self, body: str) -> Generated:
        """Compile the function `run(facts)` with this body."""
        code = compile(f"def run(facts): {body}", "<policy>", "exec")
        exec(code, self._namespace)  # noqa: S102 - every token of the source is ours
        result: Generated = self._namespace["run"]
        return result

    def place(self, name: str) -> str:
        """Return the place of a name among the facts."""
        return f"facts[{self._places[name]}]"

    def source(self, expr: Expr) -> str:
        """Return the Python source of an expression, in brackets where it is not one token."""
        match expr:
            case Literal():
                return self._constant(expr.value)
            case Ref():
                return self.place(expr.name)
            case Choice():
                condition, yes, no = self._sources(expr)
                return f"({yes} if {condition} else {no})"
            case Compare() | Member() | Within():
                return f"({self._test(expr)})"
            case Logic() | Not() | NullTest():
                return self._boolean(expr)
            case _:
                return self._numeric(expr)

    def _sources(self, expr: Expr) -> list[str]:
        return [self.source(part) for part in expr.parts]

    def _constant(self, value: Any) -> str:
        name = f"constant_{len(self._namespace)}"
        self._namespace[name] = value
        return name

    def _numeric(self, expr: Numeric) -> str:
        parts = self._sources(expr)
        match expr:
            case Arithmetic():
                return f"{_ARITHMETIC[expr.operator]}({', '.join(parts)})"
            case Call():
                single = len(parts) == 1 and expr.function != "abs"
                return parts[0] if single else f"{expr.function}({', '.join(parts)})"
            case Rounded():
                return f"rounded({parts[0]}, {expr.digits})"
            case _:
                return f"quotient({parts[0]}, {parts[1]}, {expr.digits})"

    def _test(self, expr: Test) -> str:
        if isinstance(expr, Member):
            return self._member(expr)
        if isinstance(expr, Compare):
            left, right = self._sources(expr)
            return f"{left} {expr.operator} {right}"
        subject, low, high = self._sources(expr)
        above = "<=" if expr.low_closed else "<"
        below = "<=" if expr.high_closed else "<"
        return f"{low} {above} {subject} {below} {high}"

    def _member(self, expr: Member) -> str:
        values = [item.value for item in expr.items if isinstance(item, Literal)]
        if len(values) == len(expr.items):
            return f"{self.source(expr.subject)} in {self._constant(frozenset(values))}"
        return f"{self.source(expr.subject)} in {_tuple(map(self.source, expr.items))}"

    def _boolean(self, expr: Boolean) -> str:
        if isinstance(expr, NullTest):
            return str(expr.negated)  # nothing is missing in this variant
        if isinstance(expr, Not):
            return f"(not {self.source(expr.condition)})"
        return f"({f' {expr.operator} '.join(self._sources(expr))})"


def _tuple(sources: Iterable[str]) -> str:
    return "(" + "".join(f"{source}, " for source in sources) + ")"
