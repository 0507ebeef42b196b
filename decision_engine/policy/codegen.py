"""
Expressions as Python functions: the two-valued variant, for when nothing is missing.

Source is written from the checked tree, never from a policy's text: names are generated, literals
are constants in the namespace, so a policy cannot reach Python. A generated function raises
`ArithmeticError` where there is no exact result; the caller then takes the three-valued variant,
which says why.
"""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from decision_engine.policy.functions.lists import element, flatten, part_of
from decision_engine.policy.functions.numbers import divide
from decision_engine.policy.functions.operations import ARITHMETIC
from decision_engine.policy.functions.registry import ALWAYS_NUMBERS, FUNCTIONS
from decision_engine.policy.layout import Layout
from decision_engine.policy.syntax import (
    Arithmetic,
    Boolean,
    Call,
    Choice,
    Closing,
    Compare,
    Each,
    Element,
    Expr,
    FieldOf,
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
from decision_engine.policy.values import EXACT, Entry, entry_of, quotient, rounded

Generated = Callable[[list[Any]], Any]

_ARITHMETIC: Final = {
    "+": "plus",
    "-": "subtract",
    "*": "multiply",
    "%": "remainder",
    "^": "power",
}
_HELPERS: Final[dict[str, Any]] = {
    "__builtins__": {},
    "add": EXACT.add,
    **{name: ARITHMETIC[sign] for sign, name in _ARITHMETIC.items()},
    "rounded": rounded,
    "quotient": quotient,
    "divide": divide,
    "element": element,
    "part_of": part_of,
    "flatten": flatten,
    "list_of": tuple,
    "any_of": any,
    "all_of": all,
    "length": len,
    "number": Decimal,
    "field_of": Entry.field,
    "entry_of": entry_of,
}
#: The source of a closure's application to each `{item}` of `{items}`.
_EACH: Final[Mapping[Closing, str]] = {
    "map": "list_of([{body} for {item} in {items}])",
    "flatMap": "flatten(list_of([{body} for {item} in {items}]))",
    "filter": "list_of([{item} for {item} in {items} if {body}])",
    "some": "any_of({body} for {item} in {items})",
    "all": "all_of({body} for {item} in {items})",
    "none": "(not any_of({body} for {item} in {items}))",
    "one": "(length([{item} for {item} in {items} if {body}]) == 1)",
    "count": "number(length([{item} for {item} in {items} if {body}]))",
}


def value_function(expr: Expr, layout: Layout) -> Generated:
    """Return a function of the facts that gives the value of one expression."""
    build = Builder(layout)
    return build.function(f"return {build.source(expr)}")


def values_function(exprs: Iterable[Expr], layout: Layout) -> Generated:
    """Return a function of the facts that gives the tuple of several values."""
    build = Builder(layout)
    return build.function(f"return {_tuple(build.source(expr) for expr in exprs)}")


def block_function(assignments: Iterable[tuple[str, Expr]], layout: Layout) -> Generated:
    """Return a function that writes each value to its name's place, in order."""
    build = Builder(layout)
    lines = (f"{build.place(name)} = {build.source(expr)}" for name, expr in assignments)
    return build.function("; ".join(lines) or "pass")


class Builder:
    """The source of one function and the constants that it uses."""

    def __init__(self, layout: Layout) -> None:
        self._places = layout.places
        self._numbers = layout.numbers
        self._namespace = dict(_HELPERS)
        self._level = 0

    def function(self, body: str, takes: str = "facts") -> Callable[..., Any]:
        """Compile the function `run` with this body; its lines begin with one blank."""
        code = compile(f"def run({takes}):\n {body}", "<policy>", "exec")
        exec(code, self._namespace)  # noqa: S102 - every token of the source is ours
        result: Callable[..., Any] = self._namespace["run"]
        return result

    def place(self, name: str) -> str:
        """Return the place of a name among the facts."""
        return f"facts[{self._places[name]}]"

    def source(self, expr: Expr) -> str:
        """Return the Python source of an expression, in brackets where it is not one token."""
        match expr:
            case Literal():
                return self.constant(expr.value)
            case Ref():
                return self.place(expr.name)
            case Compare() | Member() | Within():
                return f"({self._test(expr)})"
            case Logic() | Not() | NullTest():
                return self._boolean(expr)
            case Arithmetic() | Rounded() | Quotient():
                return self._numeric(expr)
            case _:
                return self._other(expr)

    def _sources(self, expr: Expr) -> list[str]:
        return [self.source(part) for part in expr.parts]

    def constant(self, value: Any) -> str:
        """Return the name under which generated source finds a value."""
        name = f"constant_{len(self._namespace)}"
        self._namespace[name] = value
        return name

    def unscaled(self, source: str, scale: int | None) -> str:
        """Return the source of the exact number behind a scaled integer; None is no integer."""
        if scale is None:
            return source
        if not scale:
            return f"number({source})"
        return f"multiply({source}, {self.constant(Decimal(1).scaleb(-scale))})"

    def _numeric(self, expr: Numeric) -> str:
        parts = self._sources(expr)
        match expr:
            case Arithmetic(operator="+") if any(map(self._is_number, expr.parts)):
                return f"add({', '.join(parts)})"
            case Arithmetic():
                return f"{_ARITHMETIC[expr.operator]}({', '.join(parts)})"
            case Rounded():
                return f"rounded({parts[0]}, {expr.digits})"
            case Quotient(digits=None):
                return f"divide({parts[0]}, {parts[1]})"
            case _:
                return f"quotient({parts[0]}, {parts[1]}, {expr.digits})"

    def _is_number(self, expr: Expr) -> bool:
        """Tell whether this is certainly a number; what is added to a number is one too."""
        match expr:
            case Literal():
                return isinstance(expr.value, Decimal)
            case Ref():
                return expr.name in self._numbers
            case Arithmetic(operator="+"):
                return any(map(self._is_number, expr.parts))
            case Choice():
                return self._is_number(expr.yes) and self._is_number(expr.no)
            case Call():
                return expr.function in ALWAYS_NUMBERS
            case _:
                return isinstance(expr, Numeric)

    def _other(self, expr: Choice | Call | Listing) -> str:
        match expr:
            case Choice():
                condition, yes, no = self._sources(expr)
                return f"({yes} if {condition} else {no})"
            case Call():
                return self._call(expr)
            case Items():
                return _tuple(self._sources(expr))
            case Made():
                return f"entry_of({', '.join((self.constant(expr.names), *self._sources(expr)))})"
            case Each():
                return self._each(expr)
            case _:
                return self._element(expr)

    def _element(self, expr: Element) -> str:
        match expr:
            case Item():
                return f"item_{self._level}"
            case FieldOf():
                return f"field_of({self.source(expr.subject)}, {self.constant(expr.name)})"
            case Slice():
                ends = (expr.subject, expr.first, expr.last)
                parts = ("None" if end is None else self.source(end) for end in ends)
                return f"part_of({', '.join(parts)})"
            case _:
                return f"element({', '.join(self._sources(expr))})"

    def _call(self, expr: Call) -> str:
        name = f"call_{expr.function}"
        self._namespace[name] = FUNCTIONS[expr.function].run
        return f"{name}({', '.join(self._sources(expr))})"

    def _each(self, expr: Each) -> str:
        items = self.source(expr.subject)
        self._level += 1
        item, body = f"item_{self._level}", self.source(expr.body)
        self._level -= 1
        return _EACH[expr.function].format(item=item, body=body, items=items)

    def _test(self, expr: Test) -> str:
        if isinstance(expr, Member):
            return self._member(expr)
        if isinstance(expr, Compare):
            left, right = self._operands(expr)
            return f"{left} {expr.operator} {right}"
        subject, low, high = self._operands(expr)
        above = "<=" if expr.low_closed else "<"
        below = "<=" if expr.high_closed else "<"
        return f"{low} {above} {subject} {below} {high}"

    def _operands(self, expr: Compare | Within) -> list[str]:
        """Return the sources of what is compared."""
        return self._sources(expr)

    def _member(self, expr: Member) -> str:
        values = [item.value for item in expr.items if isinstance(item, Literal)]
        if len(values) == len(expr.items):
            return f"{self.source(expr.subject)} in {self.constant(frozenset(values))}"
        return f"{self.source(expr.subject)} in {_tuple(map(self.source, expr.items))}"

    def _boolean(self, expr: Boolean) -> str:
        if isinstance(expr, NullTest):
            return str(expr.negated)  # nothing is missing in this variant
        if isinstance(expr, Not):
            return f"(not {self.source(expr.condition)})"
        return f"({f' {expr.operator} '.join(self._sources(expr))})"


def _tuple(sources: Iterable[str]) -> str:
    return "(" + "".join(f"{source}, " for source in sources) + ")"
