"""Which row of a table is which row of its older self, and which of them changed places."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from decision_engine.policy.diff_views import RowView


@dataclass(frozen=True, slots=True)
class Pair:
    """A row and its older self, None when it is new; places count from 1."""

    after: RowView
    position: int
    before: RowView | None
    was: int


def matched_rows(before: Sequence[RowView], after: Sequence[RowView]) -> list[Pair]:
    """Return every newer row in its order with its older self: the same `_id`, else content."""
    places = {row.id: place for place, row in enumerate(before, start=1)}
    found = [places.pop(row.id, 0) for row in after]
    rest: dict[tuple[object, ...], list[int]] = {}
    for place in sorted(places.values(), reverse=True):
        rest.setdefault(before[place - 1].content, []).append(place)
    pairs = []
    for position, (row, same_id) in enumerate(zip(after, found, strict=True), start=1):
        alike = [] if same_id else rest.get(row.content, [])
        was = same_id or (alike.pop() if alike else 0)
        pairs.append(Pair(row, position, before[was - 1] if was else None, was))
    return pairs


def moved_rows(pairs: Sequence[Pair]) -> set[int]:
    """
    Return the places of the rows that changed their order, as few as explain the new order.

    Rows that only made way for others have not moved.
    """
    known = [pair for pair in pairs if pair.before is not None]
    lasts: list[int] = []
    lengths = []
    for pair in known:
        length = bisect_left(lasts, pair.was)
        lasts[length : length + 1] = [pair.was]
        lengths.append(length)
    wanted, moved = len(lasts) - 1, set[int]()
    for pair, length in zip(reversed(known), reversed(lengths), strict=True):
        if length == wanted:
            wanted -= 1
        else:
            moved.add(pair.position)
    return moved
