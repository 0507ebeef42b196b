"""
Which rows of a big table can be true: an index over what its cells compare with literals.

The index only narrows: what it leaves out is certainly false (or, where the first true row is
asked for, stands after one that is certainly true), whatever else is missing. What it returns is
tested in full. A missing value never narrows. Rows are data here; no code is made of them.
"""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any, Final, Generic, TypeVar

from decision_engine.policy.layout import Layout
from decision_engine.policy.spans import Positions, Spans, subject_of
from decision_engine.policy.syntax import Expr, Literal, Logic
from decision_engine.policy.values import Missing

Row = TypeVar("Row")
#: Returns the numbers of the rows that can be true, in table order.
Finder = Callable[[Sequence[Any]], Sequence[int]]

#: So few rows are looked through faster than an index is asked.
FEW: Final = 8
#: How many row numbers an index may hold for each row of its table: memory stays in proportion.
_ENTRIES: Final = 32
#: A column that leaves more than this share of the rows is no help.
_HELP: Final = 0.75
#: With more than this share of rows that say nothing about a column, they go to an index apart.
_APART: Final = 0.125
#: Of so many columns the best one is looked for: the work stays in proportion too.
_COLUMNS: Final = 8


def row_finder(conditions: Sequence[Expr], layout: Layout, *, first: bool) -> Finder | None:
    """
    Return the finder of a table's rows, or None where looking through all of them is as good.

    `conditions` are the rows as whole conditions; with `first` only the first true row counts.
    """
    if len(conditions) <= FEW:
        return None
    rows = _claims(conditions)
    columns = {
        name: Positions(part for row in rows for part in row.parts.get(name, ()))
        for name in sorted({name for row in rows for name in row.parts})
    }
    for row in rows:
        row.place(columns)
    builder = _Builder(columns, layout, first=first)
    trees = tuple(builder.tree(group) for group in _groups(rows))
    if not any(isinstance(tree, _Split) for tree in trees):
        return None
    return _finder(trees)


class Searched(Generic[Row]):
    """
    Prepared rows of a table in the order of their conditions, narrowed by an index if that pays.

    `candidates` leaves out what is certainly false and, with `first`, what comes after a row that
    is certainly true.
    """

    def __init__(
        self, rows: Iterable[Row], conditions: Sequence[Expr], layout: Layout, *, first: bool
    ) -> None:
        self.rows = tuple(rows)
        self._find = row_finder(conditions, layout, first=first)

    def candidates(self, facts: Sequence[Any]) -> Sequence[Row]:
        """Return the rows that can decide, in order."""
        rows = self.rows
        return rows if self._find is None else [rows[i] for i in self._find(facts)]


def _finder(trees: "tuple[_Tree, ...]") -> Finder:
    if len(trees) == 1:
        tree = trees[0]
        return lambda facts: _leaf(tree, facts)
    return lambda facts: sorted([row for tree in trees for row in _leaf(tree, facts)])


def _leaf(tree: "_Tree", facts: Sequence[Any]) -> tuple[int, ...]:
    while type(tree) is _Split:
        fact = facts[tree.place]
        if type(fact) is Missing:
            return tree.rows
        tree = tree.children[bisect_right(tree.starts, tree.position(fact)) - 1]
    return tree  # type: ignore[return-value]


@dataclass(slots=True)
class _Split:
    """The rows cut by one name: segment by segment, where each begins and what can be true."""

    place: int
    position: Callable[[Any], int]
    starts: list[int]
    children: "list[_Tree]"
    rows: tuple[int, ...]


_Tree = _Split | tuple[int, ...]


@dataclass(slots=True)
class _Row:
    """What one row says about each name alone, and whether it says anything else."""

    number: int
    parts: dict[str, list[Expr]]
    more: bool
    spans: dict[str, Spans] = field(default_factory=dict)

    def place(self, columns: dict[str, Positions]) -> None:
        for name, parts in self.parts.items():
            column = columns[name]
            spans = column.spans(parts[0])
            for part in parts[1:]:
                spans = column.both(spans, column.spans(part))
            self.spans[name] = spans


def _claims(conditions: Iterable[Expr]) -> list[_Row]:
    rows = []
    for number, condition in enumerate(conditions):
        parts: defaultdict[str, list[Expr]] = defaultdict(list)
        more = False
        for part in _parts(condition):
            name = subject_of(part)
            if name is None:
                more = True
            else:
                parts[name].append(part)
        rows.append(_Row(number, parts, more))
    return rows


def _parts(condition: Expr) -> Iterator[Expr]:
    if isinstance(condition, Logic) and condition.operator == "and":
        for part in condition.conditions:
            yield from _parts(part)
    elif not (isinstance(condition, Literal) and condition.value is True):
        yield condition


def _groups(rows: list[_Row]) -> Iterator[list[_Row]]:
    """Yield groups of rows that share a column, each for a tree of its own."""
    while name := next(iter(_asked(rows)), ""):
        group = [row for row in rows if name in row.spans]
        if len(rows) - len(group) <= len(rows) * _APART:
            break
        yield group
        rows = [row for row in rows if name not in row.spans]
    yield rows


def _asked(rows: Iterable[_Row]) -> list[str]:
    """Return the names that the rows say most about, most first."""
    counts = Counter(name for row in rows for name in row.spans)
    return sorted(counts, key=lambda name: (-counts[name], name))[:_COLUMNS]


@dataclass(slots=True)
class _Builder:
    columns: dict[str, Positions]
    layout: Layout
    first: bool = field(kw_only=True)

    def tree(self, rows: list[_Row]) -> _Tree:
        return self._tree(rows, frozenset(), len(rows) * _ENTRIES, exact=self.first)

    def _tree(self, rows: list[_Row], settled: frozenset[str], room: int, *, exact: bool) -> _Tree:
        numbers = tuple(row.number for row in rows)
        if len(rows) <= FEW:
            return numbers
        names = [name for name in _asked(rows) if name not in settled]
        costs = {name: self._cost(rows, name) for name in names}
        name = min(costs, key=costs.__getitem__, default="")
        if not name or costs[name] > len(rows) * _HELP:
            return numbers
        settled |= {name}
        starts, buckets, exact = self._cut(rows, name, settled, room // 2, exact=exact)
        room -= sum(map(len, buckets))
        children = self._children(buckets, settled, room, exact=exact)
        position = self.columns[name].of
        return _Split(self.layout.places[name], position, starts, children, numbers)

    def _children(
        self, buckets: list[list[_Row]], settled: frozenset[str], room: int, *, exact: bool
    ) -> list[_Tree]:
        keys = [tuple([row.number for row in bucket]) for bucket in buckets]
        different = dict(zip(keys, buckets, strict=True))
        total = sum(map(len, different)) or 1
        made: dict[tuple[int, ...], _Tree] = {}
        for key, bucket in different.items():
            share = room * len(bucket) // total
            made[key] = key if len(key) <= FEW else self._tree(bucket, settled, share, exact=exact)
        return [made[key] for key in keys]

    def _cost(self, rows: list[_Row], name: str) -> float:
        """How many rows a value that some row asks for leaves, on average."""
        changes: defaultdict[int, int] = defaultdict(int)
        for row in rows:
            for low, high in self._spans(row, name):
                changes[low] += 1
                changes[high + 1] -= 1
        sizes = list(accumulate(changes[start] for start in sorted(changes)))
        return sum(size * size for size in sizes) / (sum(sizes) or 1)

    def _cut(
        self, rows: list[_Row], name: str, settled: frozenset[str], room: int, *, exact: bool
    ) -> tuple[list[int], list[list[_Row]], bool]:
        """Cut at every end of a span; where that takes too much room, every second one."""
        spans = [span for row in rows for span in self._spans(row, name)]
        starts = sorted({0, *(low for low, _ in spans), *(high + 1 for _, high in spans)})
        while True:
            buckets = self._fill(rows, name, starts, room, settled if exact else None)
            if buckets is not None:
                return starts, buckets, exact
            starts, exact = starts[::2], False

    def _fill(
        self,
        rows: list[_Row],
        name: str,
        starts: list[int],
        room: int,
        settled: frozenset[str] | None,
    ) -> list[list[_Row]] | None:
        """
        Put every row into the segments that it touches; None when there is not the room.

        Given the settled names, a row that says nothing about others is certainly true where it
        is put: nothing comes after it there.
        """
        if settled is None and len(starts) > 1 and self._entries(rows, name, starts) > room:
            return None
        filling = _Filling(len(starts))
        for row in rows:
            closes = settled is not None and not row.more and row.spans.keys() <= settled
            for low, high in self._spans(row, name):
                begin, end = bisect_right(starts, low) - 1, bisect_right(starts, high)
                room -= filling.put(row, begin, end, closes=closes)
            if room < 0 and len(starts) > 1:
                return None
        return filling.buckets

    def _entries(self, rows: list[_Row], name: str, starts: list[int]) -> int:
        """How many entries it takes at most: counting is much cheaper than filling in vain."""
        return sum(
            bisect_right(starts, high) - bisect_right(starts, low) + 1
            for row in rows
            for low, high in self._spans(row, name)
        )

    def _spans(self, row: _Row, name: str) -> Spans:
        return row.spans.get(name) or self._everywhere(row, name)

    def _everywhere(self, row: _Row, name: str) -> Spans:
        return () if name in row.spans else ((0, self.columns[name].top),)


class _Filling:
    """Buckets, and for each the next one that is still open (union and find)."""

    def __init__(self, count: int) -> None:
        self.buckets: list[list[_Row]] = [[] for _ in range(count)]
        self._open = list(range(count + 1))

    def put(self, row: _Row, begin: int, end: int, *, closes: bool) -> int:
        """Put a row into the open buckets from `begin` to before `end`; return how many."""
        count = 0
        bucket = self._next(begin)
        while bucket < end:
            held = self.buckets[bucket]
            if not held or held[-1] is not row:  # two of its spans may touch one wide segment
                held.append(row)
                count += 1
            if closes:
                self._open[bucket] = bucket + 1
            bucket = self._next(bucket + 1)
        return count

    def _next(self, bucket: int) -> int:
        links = self._open
        while links[bucket] != bucket:
            links[bucket] = links[links[bucket]]
            bucket = links[bucket]
        return bucket
