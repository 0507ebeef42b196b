"""
The typed syntax tree of expressions.

Everything that a policy computes is one of these nodes; unary tests become full conditions about
their column's field. Trees are frozen and compare by value.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from typing import Literal as OneOf

from decision_engine.policy.values import Scalar

Operator = OneOf["==", "!=", "<", "<=", ">", ">="]
#: What says the same with its sides the other way round.
FLIPPED: Final[Mapping[Operator, Operator]] = {
    "<": ">",
    "<=": ">=",
    ">": "<",
    ">=": "<=",
    "==": "==",
    "!=": "!=",
}
Closing = OneOf["map", "flatMap", "filter", "some", "all", "none", "one", "count"]


class _Tree:
    """What all nodes share: their direct sub-expressions, read off the fields."""

    __slots__: tuple[str, ...] = ()

    @property
    def parts(self) -> "tuple[Expr, ...]":
        """The direct sub-expressions, in order of their fields."""
        found: list[Expr] = []
        for name in self.__slots__:
            value = getattr(self, name)
            if isinstance(value, _Tree):
                found.append(value)  # type: ignore[arg-type]
            elif isinstance(value, tuple):
                found.extend(value)
        return tuple(found)


class _Leaf(_Tree):
    """A node without sub-expressions: most of a big table, so it answers at once."""

    __slots__ = ()

    @property
    def parts(self) -> "tuple[Expr, ...]":
        return ()


@dataclass(frozen=True, slots=True)
class Literal(_Leaf):
    """A number, text or boolean written in the policy."""

    value: Scalar


@dataclass(frozen=True, slots=True)
class Ref(_Leaf):
    """An input or a derived value by its dotted name; `local` when it was written `$.key`."""

    name: str
    local: bool = False


@dataclass(frozen=True, slots=True)
class Arithmetic(_Tree):
    """
    An exact sum, difference, product, remainder or power; `-x` is `0 - x`.

    The sum of two texts is the one text followed by the other.
    """

    operator: OneOf["+", "-", "*", "%", "^"]
    left: "Expr"
    right: "Expr"


@dataclass(frozen=True, slots=True)
class Call(_Tree):
    """A function of the registry, by its name, over its arguments."""

    function: str
    arguments: tuple["Expr", ...]


@dataclass(frozen=True, slots=True)
class Rounded(_Tree):
    """A number rounded half-even."""

    value: "Expr"
    digits: int


@dataclass(frozen=True, slots=True)
class Quotient(_Tree):
    """
    A quotient, rounded half-even once.

    `digits` counts decimals; None is a bare `/`, which keeps 28 significant digits.
    """

    dividend: "Expr"
    divisor: "Expr"
    digits: int | None


@dataclass(frozen=True, slots=True)
class Compare(_Tree):
    """Two values of one type compared; order is for numbers only."""

    operator: Operator
    left: "Expr"
    right: "Expr"

    @property
    def parts(self) -> "tuple[Expr, ...]":
        """Both sides; big tables are made of these, so they are not looked for."""
        return (self.left, self.right)


@dataclass(frozen=True, slots=True)
class Member(_Tree):
    """The subject equals one of the items."""

    subject: "Expr"
    items: tuple["Expr", ...]


@dataclass(frozen=True, slots=True)
class Within(_Tree):
    """The subject lies in a range whose ends are closed or open."""

    subject: "Expr"
    low: "Expr"
    high: "Expr"
    low_closed: bool
    high_closed: bool

    @property
    def parts(self) -> "tuple[Expr, ...]":
        """The subject and both ends, at once for the same reason."""
        return (self.subject, self.low, self.high)


@dataclass(frozen=True, slots=True)
class Logic(_Tree):
    """Two or more conditions joined by one operator, in Kleene's logic."""

    operator: OneOf["and", "or"]
    conditions: tuple["Expr", ...]


@dataclass(frozen=True, slots=True)
class Not(_Tree):
    """The opposite of a condition."""

    condition: "Expr"


@dataclass(frozen=True, slots=True)
class NullTest(_Leaf):
    """Is this input missing? Never missing itself; `name` is empty only inside the parser."""

    name: str
    negated: bool


@dataclass(frozen=True, slots=True)
class Items(_Tree):
    """A list written in the policy; never empty, because it would have no kind."""

    items: tuple["Expr", ...]


@dataclass(frozen=True, slots=True)
class Made(_Tree):
    """An object that a collecting table makes of one row: a value for each name."""

    names: tuple[str, ...]
    items: tuple["Expr", ...]

    @property
    def parts(self) -> "tuple[Expr, ...]":
        """The values alone."""
        return self.items


@dataclass(frozen=True, slots=True)
class Index(_Tree):
    """One element of a list, or one character of a text, counted from 0."""

    subject: "Expr"
    position: "Expr"


@dataclass(frozen=True, slots=True)
class Slice(_Tree):
    """A part of a list or text, both ends included; an end that is not written is the whole's."""

    subject: "Expr"
    first: "Expr | None"
    last: "Expr | None"


@dataclass(frozen=True, slots=True)
class Item(_Tree):
    """`#`: the element that the innermost closure around it is about."""


@dataclass(frozen=True, slots=True)
class FieldOf(_Tree):
    """One field of an object."""

    subject: "Expr"
    name: str


@dataclass(frozen=True, slots=True)
class Each(_Tree):
    """A function that applies a closure, `body`, to every element of a list."""

    function: "Closing"
    subject: "Expr"
    body: "Expr"


@dataclass(frozen=True, slots=True)
class Choice(_Tree):
    """`condition ? yes : no`."""

    condition: "Expr"
    yes: "Expr"
    no: "Expr"


Numeric = Arithmetic | Rounded | Quotient
Element = Item | FieldOf | Index | Slice
Listing = Items | Made | Each | Element
Test = Compare | Member | Within
Boolean = Logic | Not | NullTest
_NAMED = (Ref, NullTest)
Expr = Literal | Ref | Choice | Call | Numeric | Listing | Test | Boolean


def walk(expr: Expr) -> Iterator[tuple[Expr, int]]:
    """Yield every sub-expression with its depth, without recursion."""
    waiting = [(expr, 1)]
    while waiting:
        node, depth = waiting.pop()
        yield node, depth
        if parts := node.parts:
            waiting += [(part, depth + 1) for part in reversed(parts)]


def nodes_in(expr: Expr) -> list[Expr]:
    """Return every sub-expression, the expression itself first."""
    found = [expr]
    for node in found:
        found += node.parts
    return found


def names_in(expr: Expr) -> frozenset[str]:
    """Return the dotted names that an expression reads, null tests included."""
    return names_of((expr,))


def names_of(exprs: Iterable[Expr]) -> frozenset[str]:
    """Return the names that at least one of the expressions reads."""
    found = [expr for expr in exprs if type(expr) is not Literal]
    for node in found:
        found += node.parts
    return frozenset([node.name for node in found if isinstance(node, _NAMED)])


def conjunction(conditions: tuple[Expr, ...]) -> Expr:
    """Return one condition that is the `and` of all; true when there is none."""
    if not conditions:
        return Literal(value=True)
    return conditions[0] if len(conditions) == 1 else Logic("and", conditions)
