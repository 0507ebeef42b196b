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
from itertools import accumulate, chain
from operator import mul
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
    counts = Counter(chain.from_iterable(row.spans for row in rows))
    return sorted(counts, key=lambda name: (-counts[name], name))[:_COLUMNS]


@dataclass(slots=True)
class _Builder:
    columns: dict[str, Positions]
    layout: Layout
    first: bool = field(kw_only=True)

    def tree(self, rows: list[_Row]) -> _Tree:
        return self._tree(rows, frozenset(), len(rows) * _ENTRIES, exact=self.first)

    def _tree(self, rows: list[_Row], settled: frozenset[str], room: int, *, exact: bool) -> _Tree:
        numbers = tuple([row.number for row in rows])
        if len(rows) <= FEW:
            return numbers
        names = [name for name in _asked(rows) if name not in settled]
        laid = [_laid(rows, name, self.columns[name].top) for name in names]
        helpful = [each for each in laid if each.left <= len(rows) * _HELP]
        if not helpful:
            return numbers
        # What one name copies into many segments, the names after it have no room to cut.
        best = min(helpful, key=lambda each: each.left * each.entries)
        settled |= {best.name}
        starts, buckets, exact = best.cut(settled, room // 2, exact=exact)
        room -= sum(map(len, buckets))
        children = self._children(buckets, settled, room, exact=exact)
        position = self.columns[best.name].of
        return _Split(self.layout.places[best.name], position, starts, children, numbers)

    def _children(
        self, buckets: list[list[_Row]], settled: frozenset[str], room: int, *, exact: bool
    ) -> list[_Tree]:
        keys = [tuple([row.number for row in bucket]) for bucket in buckets]
        different = dict(zip(keys, buckets, strict=True))
        total = sum(map(len, different)) or 1
        made: dict[tuple[int, ...], _Tree] = {}
        for key, bucket in different.items():
            share = room * len(bucket) // total
            made[key] = self._tree(bucket, settled, share, exact=exact)
        return [made[key] for key in keys]


@dataclass(slots=True)
class _Laid:
    """
    Rows laid along one name: span by span its row, its first segment and the one after its last.

    Segments lie between the places where a span begins or has ended (`starts`). `left` is how many
    rows a value that some row asks for leaves, on average.
    """

    name: str
    starts: list[int]
    rows: list[_Row]
    begins: list[int]
    ends: list[int]
    left: float = field(init=False)

    def __post_init__(self) -> None:
        self.left = self._left()

    @property
    def entries(self) -> int:
        """How many rows all segments hold together."""
        return sum(self.ends) - sum(self.begins)

    def _left(self) -> float:
        changes = [0] * len(self.starts)
        for begin, end in zip(self.begins, self.ends, strict=True):
            changes[begin] += 1
            changes[end] -= 1
        sizes = list(accumulate(changes))
        squares: int = sum(map(mul, sizes, sizes))
        return squares / (sum(sizes) or 1)

    def cut(
        self, settled: frozenset[str], room: int, *, exact: bool
    ) -> tuple[list[int], list[list[_Row]], bool]:
        """Cut at every end of a span; where that takes too much room, every second one."""
        if exact:
            buckets = self._closing(settled, room)
            if buckets is not None:
                return self.starts, buckets, True
        shift = self._coarseness(room, at_least=int(exact))
        return self.starts[:: 1 << shift], self._filled(shift), False

    def _closing(self, settled: frozenset[str], room: int) -> list[list[_Row]] | None:
        """
        Put every row into the segments that it covers; None when there is not the room.

        A row that says nothing about other than the settled names is certainly true where it is
        put: nothing comes after it there.
        """
        filling = _Filling(len(self.starts))
        for row, begin, end in zip(self.rows, self.begins, self.ends, strict=True):
            closes = not row.more and row.spans.keys() <= settled
            room -= filling.put(row, begin, end, closes=closes)
            if room < 0:
                return None
        return filling.buckets

    def _coarseness(self, room: int, *, at_least: int) -> int:
        """
        Return how often every second cut goes, until the entries fit.

        Counting is much cheaper than filling in vain, and halving the cuts never does more than
        halve the entries: what cannot fit is not counted.
        """
        lasts = [end - 1 for end in self.ends]
        shift, entries = 0, self.entries
        while (len(self.starts) - 1) >> shift and (shift < at_least or entries > room):
            shift += max(1, (entries // max(room, 1)).bit_length() - 1)
            through = sum([last >> shift for last in lasts])
            entries = through - sum([begin >> shift for begin in self.begins]) + len(lasts)
        return shift

    def _filled(self, shift: int) -> list[list[_Row]]:
        """Put every row into the segments that it touches."""
        buckets: list[list[_Row]] = [[] for _ in self.starts[:: 1 << shift]]
        for row, begin, end in zip(self.rows, self.begins, self.ends, strict=True):
            for held in buckets[begin >> shift : ((end - 1) >> shift) + 1]:
                if not held or held[-1] is not row:  # two of its spans may touch a wide segment
                    held.append(row)
        return buckets


def _laid(rows: Iterable[_Row], name: str, top: int) -> _Laid:
    """Lay rows along a name; a row that says nothing about it is true at all positions to `top`."""
    everywhere: Spans = ((0, top),)
    spans = [(row, *span) for row in rows for span in row.spans.get(name, everywhere)]
    lows, tops = [low for _, low, _ in spans], [high + 1 for _, _, high in spans]
    starts = sorted({0, *lows, *tops})
    segments = dict(zip(starts, range(len(starts)), strict=True))
    return _Laid(
        name,
        starts,
        [row for row, _, _ in spans],
        [segments[low] for low in lows],
        [segments[top] for top in tops],
    )


class _Filling:
    """Buckets, and for each the next one that is still open (union and find)."""

    def __init__(self, count: int) -> None:
        self.buckets: list[list[_Row]] = [[] for _ in range(count)]
        self._open = list(range(count))

    def put(self, row: _Row, begin: int, end: int, *, closes: bool) -> int:
        """Put a row into the open buckets from `begin` to before `end`; return how many."""
        count = 0
        bucket = self._next(begin)
        while bucket < end:
            self.buckets[bucket].append(row)
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
