"""
One name of a table, cut where its literals stand.

Between two neighbouring literals every test against a literal gives one answer, so a name has
finitely many *cells*, and a test is a set of them. Cells without a value (between two neighbours of
the grid, outside the schema) do not exist.
"""

from collections.abc import Iterable, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from itertools import accumulate
from typing import Final, NamedTuple

from decision_engine.policy.limits import SCALE, WHOLE_DIGITS
from decision_engine.policy.schema import Field
from decision_engine.policy.syntax import Operator
from decision_engine.policy.values import EXACT, QUANTA, Value, plain

#: Ascending, disjoint, half-open ranges of a name's cells.
Side = tuple[tuple[int, int], ...]

OTHER_TEXT: Final = "(any other text)"
_WIDE: Final = Context(prec=80)
_LARGEST: Final = Decimal(10) ** WHOLE_DIGITS - QUANTA[SCALE]


class Axis(NamedTuple):
    """
    A name's cells, each with one example.

    `null` is the cell of the missing value, the last one; None when no row tests for null. `cuts`
    has, for each literal, the first cell that is not below it and the first cell above it.
    """

    name: str
    examples: tuple[Value | None, ...]
    cuts: dict[Value, tuple[int, int]]
    null: int | None
    scale: int | None

    @property
    def known(self) -> int:
        """How many cells hold a value."""
        return len(self.examples) - (self.null is not None)

    def whole(self) -> Side:
        """Return all cells, the null cell included."""
        return ((0, len(self.examples)),)

    def compared(self, operator: Operator, literal: Value) -> Side:
        """Return the cells whose values stand so to the literal."""
        low, high = self.cuts[literal]
        match operator:
            case "==":
                return _ranges((low, high))
            case "!=":
                return _ranges((0, low), (high, self.known))
            case "<":
                return _ranges((0, low))
            case "<=":
                return _ranges((0, high))
            case ">":
                return _ranges((high, self.known))
            case _:
                return _ranges((low, self.known))

    def is_null(self, *, negated: bool) -> Side:
        """Return the null cell, or all others."""
        return _ranges((0, self.known) if negated else (self.known, len(self.examples)))

    def without(self, side: Side) -> Side:
        """Return the cells with a value that are not in the side."""
        found, start = [], 0
        for low, high in side:
            found.append((start, low))
            start = high
        return _ranges(*found, (start, self.known))

    def text(self, cell: int) -> str:
        """Return `name = value` for the example of a cell."""
        value = self.examples[cell]
        return f"{self.name} = {'null' if value is None else plain(value, self.scale)}"


def axis_of(field: Field, literals: Iterable[Value], *, null: bool) -> Axis:
    """Return the axis of a field that is compared with these literals."""
    examples, cuts = _cells(field, set(literals))
    missing: tuple[None, ...] = (None,) if null else ()
    place = len(examples) if null else None
    return Axis(field.name, (*examples, *missing), cuts, place, field.scale)


def both(one: Side, two: Side) -> Side:
    """Return the cells in both sides."""
    if len(one) == 1 and len(two) == 1:
        return _ranges((max(one[0][0], two[0][0]), min(one[0][1], two[0][1])))
    found = [(max(a, c), min(b, d)) for a, b in one for c, d in two]
    return _ranges(*sorted(found))


def either(sides: Iterable[Side]) -> Side:
    """Return the cells in at least one side."""
    found: list[tuple[int, int]] = []
    for low, high in sorted(pair for side in sides for pair in side):
        if found and low <= found[-1][1]:
            found[-1] = (found[-1][0], max(high, found[-1][1]))
        else:
            found.append((low, high))
    return tuple(found)


def _ranges(*pairs: tuple[int, int]) -> Side:
    return tuple(pair for pair in pairs if pair[0] < pair[1])


def _cells(
    field: Field, literals: set[Value]
) -> tuple[Sequence[Value], dict[Value, tuple[int, int]]]:
    if field.kind == "number":
        return _numbers(field, sorted(item for item in literals if isinstance(item, Decimal)))
    values: tuple[Value, ...] = (True, False)
    if field.kind == "string":
        texts = sorted(item for item in literals if isinstance(item, str))
        values = field.enum or (*texts, OTHER_TEXT)
    return values, {value: (place, place + 1) for place, value in enumerate(values)}


def _numbers(
    field: Field, points: list[Decimal]
) -> tuple[list[Value], dict[Value, tuple[int, int]]]:
    """Return the examples of all cells: before, at and after each point, where there is a value."""
    grid = _Grid(field, points)
    ends: list[Decimal | None] = [None, *points]
    found: list[Decimal | None] = []
    for place, point in enumerate(points):
        found += (grid.between(ends[place], point), grid.at(point))
    found.append(grid.between(ends[-1], None))
    # How many cells there are before each place.
    before = [0, *accumulate(value is not None for value in found)]
    cuts: dict[Value, tuple[int, int]] = {
        point: (before[2 * place + 1], before[2 * place + 2]) for place, point in enumerate(points)
    }
    return [value for value in found if value is not None], cuts


class _Grid:
    """The values that a number can have."""

    def __init__(self, field: Field, points: Sequence[Decimal]) -> None:
        self._dense = field.scale is None
        self._scale = field.scale if field.scale is not None else _decimals(field, points)
        self._step = QUANTA[self._scale]
        self._open_below = field.minimum is None
        self._least = self._up(-_LARGEST if field.minimum is None else field.minimum)
        self._most = self._down(_LARGEST if field.maximum is None else field.maximum)

    def at(self, point: Decimal) -> Decimal | None:
        """Return the point when it is a value."""
        fits = self._least <= point <= self._most and self._up(point) == point
        return point if fits else None

    def between(self, low: Decimal | None, high: Decimal | None) -> Decimal | None:
        """Return a value strictly between two ends, None when there is none."""
        first = self._least if low is None else max(self._least, self._after(low))
        last = self._most if high is None else min(self._most, self._before(high))
        if first > last:
            return None
        if low is None and self._open_below:
            return last if high is not None else self._round_number(first, last)
        return self._middle(first, last) if self._dense and high is not None else first

    def _round_number(self, first: Decimal, last: Decimal) -> Decimal:
        return max(first, min(last, Decimal(0)))

    def _middle(self, first: Decimal, last: Decimal) -> Decimal:
        return self._down(EXACT.multiply(EXACT.add(first, last), Decimal("0.5")))

    def _after(self, low: Decimal) -> Decimal:
        value = self._up(low)
        return EXACT.add(value, self._step) if value == low else value

    def _before(self, high: Decimal) -> Decimal:
        value = self._down(high)
        return EXACT.subtract(value, self._step) if value == high else value

    def _up(self, value: Decimal) -> Decimal:
        return value.quantize(self._step, ROUND_CEILING, _WIDE)

    def _down(self, value: Decimal) -> Decimal:
        return value.quantize(self._step, ROUND_FLOOR, _WIDE)


def _decimals(field: Field, points: Sequence[Decimal]) -> int:
    """Return how many decimals tell all literals apart, and something between each two."""
    ends = (end for end in (field.minimum, field.maximum) if end is not None)
    return min(SCALE, 1 + max((_decimals_of(point) for point in (*points, *ends)), default=0))


def _decimals_of(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
