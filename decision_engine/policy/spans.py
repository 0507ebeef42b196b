"""
What one name may be for a condition to be true, as spans of positions between literals.

The literals that a column compares its name with cut all values into positions: each literal has
one, and so has everything between two neighbours. A condition is constant on a position, so a
handful of whole numbers says exactly where it is true, open and closed ends included.
"""

from bisect import bisect_left
from collections.abc import Iterable
from decimal import Decimal
from functools import reduce
from typing import Any

from decision_engine.policy.syntax import (
    FLIPPED,
    Compare,
    Expr,
    Literal,
    Logic,
    Member,
    Not,
    Operator,
    Ref,
    Within,
    nodes_in,
)

#: First and last position, both inside; in order, without overlap.
Span = tuple[int, int]
Spans = tuple[Span, ...]


def subject_of(expr: Expr) -> str | None:
    """Return the one name that a condition compares with literals alone, else None."""
    match expr:
        case Compare(left=Ref(name=name), right=Literal()):
            return name
        case Compare(left=Literal(), right=Ref(name=name)):
            return name
        case Within(subject=Ref(name=name), low=Literal(), high=Literal()):
            return name
        case Member(subject=Ref(name=name), items=items):
            return name if all(isinstance(item, Literal) for item in items) else None
        case Not() | Logic():
            names = {subject_of(part) for part in expr.parts}
            return names.pop() if len(names) == 1 else None
        case _:
            return None


class Positions:
    """The positions of one name's values among the literals of all its conditions."""

    __slots__ = ("_points", "_ranks", "top")

    def __init__(self, conditions: Iterable[Expr]) -> None:
        parts = [part for condition in conditions for part in nodes_in(condition)]
        # In the order of the text: an index is the same in every process.
        literals = dict.fromkeys(part.value for part in parts if isinstance(part, Literal))
        self._points: list[Decimal] = []
        self._ranks: dict[Any, int]
        if any(isinstance(part, Within) or _is_order(part) for part in parts):
            self._points = sorted(value for value in literals if isinstance(value, Decimal))
            self._ranks = {value: 2 * i + 1 for i, value in enumerate(self._points)}
            self.top = 2 * len(literals)
        else:
            # What is only ever equal or not needs no order.
            self._ranks = {value: i for i, value in enumerate(literals, 1)}
            self.top = len(literals)

    def of(self, value: Any) -> int:
        """Return the position of a value of the name's type."""
        return self._ranks.get(value) or 2 * bisect_left(self._points, value)

    def spans(self, expr: Expr) -> Spans:
        """Return where a condition about the name (see `subject_of`) is true."""
        match expr:
            case Compare(left=Literal(value=value)):
                return self._compared(FLIPPED[expr.operator], value)
            case Compare(right=Literal(value=value)):
                return self._compared(expr.operator, value)
            case Within(low=Literal(value=low), high=Literal(value=high)):
                first = self._ranks[low] + (not expr.low_closed)
                last = self._ranks[high] - (not expr.high_closed)
                return ((first, last),) if first <= last else ()
            case _:
                return self._joined(expr)

    def _joined(self, expr: Expr) -> Spans:
        match expr:
            case Member(items=items):
                ranks = [self._ranks[item.value] for item in items if isinstance(item, Literal)]
                return _merged((rank, rank) for rank in ranks)
            case Logic(operator="or"):
                return _merged(span for part in expr.parts for span in self.spans(part))
            case Logic():
                return reduce(self.both, map(self.spans, expr.parts))
            case _:
                return self._others(self.spans(expr.parts[0]))

    def both(self, one: Spans, other: Spans) -> Spans:
        """Return the positions that are in both."""
        if len(one) == len(other) == 1:
            first, last = max(one[0][0], other[0][0]), min(one[0][1], other[0][1])
            return ((first, last),) if first <= last else ()
        return self._others(_merged((*self._others(one), *self._others(other))))

    def _compared(self, operator: Operator, value: Any) -> Spans:
        rank = self._ranks[value]
        match operator:
            case "==":
                return ((rank, rank),)
            case "!=":
                return self._others(((rank, rank),))
            case "<":
                return ((0, rank - 1),)
            case "<=":
                return ((0, rank),)
            case ">":
                return ((rank + 1, self.top),)
            case _:
                return ((rank, self.top),)

    def _others(self, spans: Spans) -> Spans:
        firsts = (0, *(last + 1 for _, last in spans))
        lasts = (*(first - 1 for first, _ in spans), self.top)
        between = zip(firsts, lasts, strict=True)
        return tuple((first, last) for first, last in between if first <= last)


def _is_order(expr: Expr) -> bool:
    return isinstance(expr, Compare) and expr.operator not in ("==", "!=")


def _merged(spans: Iterable[Span]) -> Spans:
    found: list[Span] = []
    for first, last in sorted(spans):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return tuple(found)
