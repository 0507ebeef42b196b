"""
Which row of a table answers where: an exact search over boxes.

The space is cut along one axis after the other into slabs in which the same boxes are active. A
slab takes boxes in the order of the rows until one certainly answers all over it; later boxes are
only looked at for overlaps. The work is counted, not timed: beyond `MOST_STEPS` the search stops,
and what it found until then is true but may not be all.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from decision_engine.policy.check.regions import Box, Truth
from decision_engine.policy.check.slabs import Slabs

#: Boxes put into slabs, over the whole search.
MOST_STEPS: Final = 400_000
#: The cells of the axes that a point was chosen for; on other axes any cell will do.
Point = Mapping[int, int]


class Overlap(NamedTuple):
    """Two rows that are true at one point."""

    first: int
    point: Point


@dataclass(slots=True)
class Found:
    """
    What a search found.

    `gap` is a point where every row is false. `doubt` tells that at some point only rows stand
    whose conditions are not known there. `reached` are the rows that answer, or perhaps answer,
    somewhere. `overlaps` has, for a later row, one earlier row that is true at the same point
    and says something else; there is one when any row loses to another. `complete` is
    false when the search was given up; `steps` is what it cost.
    """

    gap: Point | None = None
    doubt: bool = False
    reached: set[int] = field(default_factory=set)
    overlaps: dict[int, Overlap] = field(default_factory=dict)
    complete: bool = True
    steps: int = 0


class _Region(NamedTuple):
    """A part of the space: the axes that were cut, with a cell of each, and its boxes."""

    point: dict[int, int]
    boxes: Sequence[Box]


def search(sizes: Sequence[int], boxes: Sequence[Box], says: Sequence[int]) -> Found:
    """
    Return what is found; `boxes` stand in the order of the rows.

    `sizes` are the axes' numbers of cells. `says` has a number for each row: rows of one number
    say the same and may overlap.
    """
    return _Search(sizes, says).run(boxes)


class _Search:
    def __init__(self, sizes: Sequence[int], says: Sequence[int]) -> None:
        self._sizes = sizes
        self._says = says
        self._steps = 0
        self._found = Found()

    def run(self, boxes: Sequence[Box]) -> Found:
        """Search the whole space, in the order of the axes' cells."""
        if not all(self._sizes):
            # A field without values: there is nowhere to answer, and nothing to say about it.
            self._found.reached.update(range(len(self._says)))
            return self._found
        waiting = [_Region({}, self._until_filled(boxes))]
        while waiting and self._found.complete:
            waiting.extend(self._parts(waiting.pop()))
        self._found.steps = self._steps
        return self._found

    def _until_filled(self, boxes: Sequence[Box]) -> Sequence[Box]:
        """Return the boxes up to the first that answers everywhere."""
        for count, box in enumerate(boxes, 1):
            if not box.sides and box.truth is Truth.TRUE:
                for later in boxes[count:]:
                    self._note(box, later, {})
                return boxes[:count]
        return boxes

    def _parts(self, region: _Region) -> Iterator[_Region]:
        """Decide a region, or cut it along the axis that costs least, the last slab first."""
        point, boxes = region
        places = {place for box in boxes for place in box.sides if place not in point}
        if not places:
            self._decide(point, boxes)
            return
        self._steps += len(places) * len(boxes)
        slabs = min(
            (Slabs(place, self._sizes[place], boxes) for place in sorted(places)),
            key=lambda cut: cut.cost,
        )
        self._fill(slabs, region)
        self._steps += slabs.steps
        if self._found.complete:
            for start, active in slabs.backwards():
                yield _Region({**point, slabs.place: start}, active)

    def _fill(self, slabs: Slabs, region: _Region) -> None:
        done = region.point.keys() | {slabs.place}
        for box in region.boxes:
            if self._steps + slabs.steps > MOST_STEPS:
                self._found.complete = False
                return
            closes = box.truth is Truth.TRUE and box.sides.keys() <= done
            says = self._says[box.row] if box.truth is Truth.TRUE else None
            met = slabs.add(box, says, closes=closes)
            if met is not None:
                self._note(met.box, box, {**region.point, slabs.place: met.start})

    def _decide(self, point: Point, boxes: Sequence[Box]) -> None:
        """Every box fills the region: the first certain one ends the table."""
        found = self._found
        for box in boxes:
            if box.truth is not Truth.NOT_FALSE:
                found.reached.add(box.row)
            if box.truth is not Truth.PERHAPS:
                return
        if boxes:
            found.doubt = True
        elif found.gap is None:
            found.gap = point

    def _note(self, first: Box, second: Box, point: Point) -> None:
        """Note an overlap inside a region that the first box fills."""
        told = self._says[first.row], self._says[second.row]
        certain = first.truth is second.truth is Truth.TRUE
        if certain and told[0] != told[1] and second.row not in self._found.overlaps:
            inside = {place: side[0][0] for place, side in second.sides.items()}
            self._found.overlaps[second.row] = Overlap(first.row, {**inside, **point})
