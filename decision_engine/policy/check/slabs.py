"""One axis cut into slabs, each with the boxes that are active in it."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from decision_engine.policy.check.regions import Box

_OPEN: Final = -1


class Met(NamedTuple):
    """A closed slab that a later box reaches into, and the box that closed it."""

    box: Box
    start: int


class Slabs:
    """
    The slabs between all ends of the boxes on one axis.

    A slab is closed by a box that fills it; it takes no more boxes. Adding a box costs about as
    many steps as it enters open slabs, however many closed ones it covers. `cost` is known before
    boxes are added: the entries if nothing were closed.
    """

    def __init__(self, place: int, size: int, boxes: Sequence[Box]) -> None:
        self.place = place
        self.steps = 0
        whole = ((0, size),)
        sides = [box.sides.get(place, whole) for box in boxes]
        ends = {end for side in sides for pair in side for end in pair}
        self._starts = sorted(ends | {0, size})
        self._ranks = {end: rank for rank, end in enumerate(self._starts)}
        self._whole = whole
        self.cost = sum(
            self._ranks[high] - self._ranks[low] for side in sides for low, high in side
        )
        self._boxes: list[list[Box]] = []
        self._said: list[int] = []
        self._next: list[int] = []
        self._last: list[int] = []

    def add(self, box: Box, says: int | None, *, closes: bool) -> Met | None:
        """
        Put the box into the open slabs of its side, and close them when it fills them.

        Returns a closed slab whose box says something else, None when there is none or the box
        says nothing (`says` is None).
        """
        if not self._boxes:
            self._begin()
        met = None
        for low, high in box.sides.get(self.place, self._whole):
            ranks = self._ranks[low], self._ranks[high]
            if says is not None and met is None:
                met = self._meet(says, *ranks)
            self._enter(box, says if closes else None, ranks)
        return met

    def backwards(self) -> Iterator[tuple[int, list[Box]]]:
        """Yield the first cell and the boxes of every slab, the last slab first."""
        yield from zip(reversed(self._starts[:-1]), reversed(self._boxes), strict=True)

    def _begin(self) -> None:
        count = len(self._starts) - 1
        self.steps += count
        self._boxes = [[] for _ in range(count)]
        self._said = [_OPEN] * count
        self._next = list(range(count + 1))
        self._last = list(range(count))

    def _enter(self, box: Box, closer: int | None, ranks: tuple[int, int]) -> None:
        slab, end = self._open_from(ranks[0]), ranks[1]
        while slab < end:
            self.steps += 1
            self._boxes[slab].append(box)
            if closer is not None:
                self._close(slab, closer)
            slab = self._open_from(slab + 1)

    def _close(self, slab: int, says: int) -> None:
        self._next[slab] = slab + 1
        self._said[slab] = says
        if slab and self._said[slab - 1] == says:
            self._last[slab - 1] = slab
        if slab + 1 < len(self._said) and self._said[slab + 1] == says:
            self._last[slab] = slab + 1

    def _meet(self, says: int, low: int, high: int) -> Met | None:
        slab = low
        while slab < high:
            self.steps += 1
            if self._said[slab] == _OPEN:
                slab += 1
            elif self._said[slab] == says:
                slab = _root(self._last, slab) + 1
            else:
                return Met(self._boxes[slab][-1], self._starts[slab])
        return None

    def _open_from(self, slab: int) -> int:
        return _root(self._next, slab)


def _root(parents: list[int], place: int) -> int:
    """Return the end of a chain of parents, and shorten the chain."""
    while parents[place] != place:
        parents[place] = parents[parents[place]]
        place = parents[place]
    return place
