"""
Conditions as regions: unions of boxes over the names of a table.

Only tests of one name against literals have an exact region. What else a condition says is left
out of its box, which then is an upper bound: the condition is true nowhere outside it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import IntEnum
from typing import Final, NamedTuple

from decision_engine.policy.check.axes import Axis, Side, axis_of, both, either
from decision_engine.policy.closures import closure
from decision_engine.policy.document import Cell, Row
from decision_engine.policy.layout import Layout
from decision_engine.policy.schema import Field
from decision_engine.policy.syntax import (
    FLIPPED,
    Compare,
    Expr,
    Literal,
    Logic,
    Member,
    Not,
    NullTest,
    Operator,
    Ref,
    Test,
    Within,
    names_in,
)
from decision_engine.policy.values import Value

#: No condition is taken apart into more boxes than this.
MOST_BOXES: Final = 256

Sides = Mapping[int, Side]


class Part(NamedTuple):
    """A product of sides, one for each place of an axis that it restricts."""

    sides: Sides
    exact: bool


class Truth(IntEnum):
    """What a row is inside a box: the surest first."""

    TRUE = 0
    NOT_FALSE = 1
    PERHAPS = 2


class Box(NamedTuple):
    """A part of a row's region; `row` is the row's place in its table."""

    row: int
    truth: Truth
    sides: Sides


class Atom(NamedTuple):
    """A test of one name: its literals, and its cells, by its answer."""

    name: str
    literals: tuple[Value, ...]
    cells: Callable[[Axis], Side]


_Boxes = list[Part]
_WHOLE: Final = Part({}, exact=True)
_UNKNOWN: Final = Part({}, exact=False)


class Space:
    """The axes of a table, and its conditions as boxes over them."""

    def __init__(self, rows: Sequence[Row], fields: Mapping[str, Field]) -> None:
        atoms = _Atoms()
        for row in rows:
            for cell in row.cells:
                atoms.collect(cell.condition, (cell.column.id, cell.text))
        self.axes: tuple[Axis, ...] = tuple(
            axis_of(fields[name], literals, null=name in atoms.null_tested)
            for name, literals in atoms.literals.items()
        )
        self._atoms = atoms
        self._places = {axis.name: place for place, axis in enumerate(self.axes)}
        self._made: dict[tuple[str, str, bool], _Boxes] = {}

    def parts(self, row: Row, *, loose: bool = False) -> list[Part]:
        """Return where a row is true; when `loose`, where it is true or missing."""
        found = [_WHOLE]
        for cell in row.cells:
            found = _product(found, self.cell_parts(cell, loose=loose))
        return found

    def cell_parts(self, cell: Cell, *, loose: bool = False) -> list[Part]:
        """Return the same of one cell."""
        # Where nothing asks for null, no axis has a place for what is missing.
        loose = loose and bool(self._atoms.null_tested)
        key = (cell.column.id, cell.text, loose)
        found = self._made.get(key)
        if found is None:
            found = self._made[key] = self._boxes(cell.condition, truth=True, loose=loose)
        return found

    @property
    def sizes(self) -> list[int]:
        """How many cells each axis has."""
        return [len(axis.examples) for axis in self.axes]

    def boxes(self, rows: Sequence[Row]) -> list[Box]:
        """Return the boxes of all rows, in the order of the rows."""
        kinds = (False, True) if self._atoms.null_tested else (False,)
        return [box for place, row in enumerate(rows) for box in self._row(place, row, kinds)]

    def _row(self, place: int, row: Row, kinds: tuple[bool, ...]) -> Iterator[Box]:
        for loose in kinds:
            for part in self.parts(row, loose=loose):
                truth = Truth.NOT_FALSE if loose else Truth.TRUE
                yield Box(place, truth if part.exact else Truth.PERHAPS, part.sides)

    def _boxes(self, expr: Expr, *, truth: bool, loose: bool) -> _Boxes:
        """Return where the condition is `truth`; when `loose`, where it is that or missing."""
        match expr:
            case Not():
                return self._boxes(expr.condition, truth=not truth, loose=loose)
            case Logic():
                parts = [self._boxes(part, truth=truth, loose=loose) for part in expr.conditions]
                joined = (expr.operator == "and") == truth
                return _products(parts) if joined else self._union(parts)
            case _:
                return self._test(expr, truth=truth, loose=loose)

    def _test(self, expr: Expr, *, truth: bool, loose: bool) -> _Boxes:
        if isinstance(expr, NullTest):
            place = self._places[expr.name]
            return self._alone(place, self.axes[place].is_null(negated=expr.negated is truth))
        atom = _atom(expr)
        if atom is None:
            constant = _constant(expr)
            if constant is None:
                return [_UNKNOWN]
            return [_WHOLE] if constant is truth else []
        place = self._places[atom.name]
        return self._alone(place, _answer(atom, self.axes[place], truth=truth, loose=loose))

    def _alone(self, place: int, side: Side) -> _Boxes:
        if side == self.axes[place].whole():
            return [_WHOLE]
        return [Part({place: side}, exact=True)] if side else []

    def _union(self, parts: Iterable[_Boxes]) -> _Boxes:
        """Return all boxes; those about one name only become one box for each name."""
        single: dict[int, list[Side]] = {}
        found: _Boxes = []
        for box in (box for boxes in parts for box in boxes):
            if box.exact and len(box.sides) == 1:
                (place, side), *_ = box.sides.items()
                single.setdefault(place, []).append(side)
            else:
                found.append(box)
        for place, sides in single.items():
            found += self._alone(place, either(sides))
        return found


class _Atoms:
    """The literals of every name that the conditions of a table test."""

    def __init__(self) -> None:
        self.literals: dict[str, set[Value]] = {}
        self.null_tested: set[str] = set()
        self._seen: set[tuple[str, str]] = set()

    def collect(self, condition: Expr, key: tuple[str, str]) -> None:
        if key not in self._seen:
            self._seen.add(key)
            self._collect(condition)

    def _collect(self, expr: Expr) -> None:
        if isinstance(expr, Logic):
            for part in expr.conditions:
                self._collect(part)
        elif isinstance(expr, Not):
            self._collect(expr.condition)
        elif isinstance(expr, NullTest):
            self.literals.setdefault(expr.name, set())
            self.null_tested.add(expr.name)
        elif atom := _atom(expr):
            self.literals.setdefault(atom.name, set()).update(atom.literals)


def _constant(expr: Expr) -> bool | None:
    """Return the truth of a condition that reads no name; None when it does, or has none."""
    if not isinstance(expr, Literal) and names_in(expr):
        return None
    value = closure(expr, Layout())([])
    return value if isinstance(value, bool) else None


def _atom(expr: Expr) -> Atom | None:
    match expr:
        case Ref():
            return Atom(expr.name, (True,), lambda axis: axis.compared("==", True))  # noqa: FBT003
        case Compare() | Member() | Within():
            return _tested(expr)
        case _:
            return None


def _tested(expr: Test) -> Atom | None:
    match expr:
        case Compare(left=Ref(name=name), right=Literal(value=value)):
            operator = expr.operator
            return Atom(name, (value,), lambda axis: axis.compared(operator, value))
        case Compare(left=Literal(value=value), right=Ref(name=name)):
            flipped = FLIPPED[expr.operator]
            return Atom(name, (value,), lambda axis: axis.compared(flipped, value))
        case Member(subject=Ref(name=name)):
            return _member(name, expr.items)
        case Within(subject=Ref(name=name), low=Literal(value=low), high=Literal(value=high)):
            above: Operator = ">=" if expr.low_closed else ">"
            below: Operator = "<=" if expr.high_closed else "<"
            return Atom(
                name,
                (low, high),
                lambda axis: both(axis.compared(above, low), axis.compared(below, high)),
            )
        case _:
            return None


def _member(name: str, items: tuple[Expr, ...]) -> Atom | None:
    values = tuple(item.value for item in items if isinstance(item, Literal))
    if len(values) < len(items):
        return None
    return Atom(name, values, lambda axis: either(axis.compared("==", value) for value in values))


def _answer(atom: Atom, axis: Axis, *, truth: bool, loose: bool) -> Side:
    side = atom.cells(axis)
    if not truth:
        side = axis.without(side)
    return either((side, axis.is_null(negated=False))) if loose else side


def _products(parts: Iterable[_Boxes]) -> _Boxes:
    found = [_WHOLE]
    for boxes in parts:
        found = _product(found, boxes)
    return found


def _product(ones: _Boxes, twos: _Boxes) -> _Boxes:
    if len(ones) * len(twos) > MOST_BOXES:
        # The first factor alone is an upper bound of the product.
        return [Part(one.sides, exact=False) for one in ones]
    return [
        Part(sides, one.exact and two.exact)
        for one in ones
        for two in twos
        if (sides := meet(one.sides, two.sides)) is not None
    ]


def meet(one: Sides, two: Sides) -> Sides | None:
    """Return where two products meet, None when they do not."""
    if not one or not two:
        return one or two
    sides = dict(one)
    for place, side in two.items():
        shared = both(sides[place], side) if place in sides else side
        if not shared:
            return None
        sides[place] = shared
    return sides
