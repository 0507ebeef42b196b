"""Value tables: no input without a row, no row without an input, no two rows that disagree."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from decision_engine.policy.check.regions import Box, Space, Truth, meet
from decision_engine.policy.check.sweep import Found, Overlap, Point, search
from decision_engine.policy.document import Row, ValueRow, ValueTable
from decision_engine.policy.findings import Notes
from decision_engine.policy.schema import Field

#: Of one kind of fault, a table shows this many; then one finding tells how many more.
SHOWN: Final = 20
_NAMED: Final = 3


def check_coverage(node: ValueTable, fields: Mapping[str, Field], notes: Notes) -> None:
    """
    Note an example that finds no row, rows that are never reached, and rows that disagree.

    In a `unique` table no two rows may be true at once, whatever they say: an error.
    """
    _ValueCheck(node, fields, notes).run()


def never_true(row: Row, space: Space, notes: Notes) -> None:
    """Note a row that no value of the schema makes true, at its one cell that is to blame."""
    for cell in row.cells:
        if not space.cell_parts(cell):
            place = notes.at(row=row.id, cell=cell.column.label)
            place.error("no value makes this cell true: correct it, or remove the row")
            return
    notes.at(row=row.id).error(
        "the cells of this row exclude one another, it can never be true: correct or remove it"
    )


def example(space: Space, point: Point) -> str:
    """Return the point as `name = value` pairs."""
    return ", ".join(axis.text(point.get(place, 0)) for place, axis in enumerate(space.axes))


class _ValueCheck:
    def __init__(self, node: ValueTable, fields: Mapping[str, Field], notes: Notes) -> None:
        self._node = node
        self._rows: tuple[ValueRow, ...] = node.searched
        self._notes = notes
        self._unique = node.hit_policy == "unique"
        self._space = Space(self._rows, fields)
        self._boxes = self._space.boxes(self._rows)

    def run(self) -> None:
        if self._node.hit_policy == "collect":
            # No row at all is an answer, and so are several.
            self._note_never([])
            return
        found = search(self._space.sizes, self._boxes, self._says())
        covered = [] if self._unique or not found.complete else self._covered(found.reached)
        self._note_gap(found)
        self._note_never(covered)
        self._note_overlaps({p: o for p, o in found.overlaps.items() if p not in covered})
        if not found.complete:
            size = f"{len(self._rows)} rows x {len(self._node.columns)} columns"
            self._notes.warn(f"too large to check completely: {size}; split the table")

    def _says(self) -> Sequence[int]:
        """A number for each row; rows that may overlap have one number."""
        if self._unique:
            return range(len(self._rows))
        numbers: dict[object, int] = {}
        return [numbers.setdefault(row.outputs, len(numbers)) for row in self._rows]

    def _note_gap(self, found: Found) -> None:
        remedy = "add a row for it, or a last row with empty cells"
        if found.gap is not None:
            text = example(self._space, found.gap)
            self._notes.error(f"no row for {text or 'any input'}: {remedy}")
        elif found.doubt and found.complete:
            self._notes.warn(
                "gaps cannot be found: conditions that compare more than one name with literals "
                "are not checked; add a last row with empty cells"
            )

    def _note_overlaps(self, overlaps: Mapping[int, Overlap]) -> None:
        shown = [place for place in sorted(overlaps) if self._unexpected(place, overlaps[place])]
        for place in shown[:SHOWN]:
            first, point = overlaps[place]
            notes = self._notes.at(row=self._rows[place].id)
            text = f'overlaps row "{self._rows[first].id}" at {example(self._space, point)}'
            if self._unique:
                notes.error(f"{text}: in a unique table only one row may be true")
            else:
                notes.warn(
                    f"{text}; the first wins: if it should not, let them exclude one another"
                )
        if len(shown) > SHOWN:
            self._notes.warn(f"{len(shown) - SHOWN} more rows overlap earlier ones")

    def _unexpected(self, place: int, overlap: Overlap) -> bool:
        """Tell whether two rows disagree where nothing says that one of them wins."""
        row, first = self._rows[place], self._rows[overlap.first]
        return self._unique or bool(row.cells and row.priority == first.priority)

    def _covered(self, reached: set[int]) -> list[int]:
        """The rows that others cover; a last row for everything may stand there in vain."""
        bare = [place for place, row in enumerate(self._rows) if not row.cells]
        spare = {len(self._rows) - 1} if len(bare) == 1 else set()
        return sorted(self._true() - reached - (spare & set(bare)))

    def _true(self) -> set[int]:
        return {box.row for box in self._boxes if box.truth is not Truth.NOT_FALSE}

    def _note_never(self, covered: Sequence[int]) -> None:
        true = self._true()
        never = [row for place, row in enumerate(self._rows) if place not in true]
        for row in never[:SHOWN]:
            never_true(row, self._space, self._notes)
        for place in covered[:SHOWN]:
            names = _listed(self._rows[cover].id for cover in self._covers(place))
            self._notes.at(row=self._rows[place].id).error(
                f"is never reached: where it is true, the table ends at {names}; "
                "move it up, or remove it"
            )
        if more := len(never[SHOWN:]) + len(covered[SHOWN:]):
            self._notes.error(f"{more} more rows can never answer")

    def _covers(self, place: int) -> list[int]:
        """Return the earlier rows at which the table ends where this row is true."""
        mine = [box.sides for box in self._boxes if box.row == place]
        clipped = [
            Box(box.row, Truth.TRUE, shared)
            for box in self._boxes
            if box.row < place and box.truth is not Truth.PERHAPS
            for sides in mine
            if (shared := meet(box.sides, sides)) is not None
        ]
        return sorted(search(self._space.sizes, clipped, self._says()).reached)


def _listed(ids: Iterable[str]) -> str:
    names = [f'"{name}"' for name in ids]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{'row' if len(names) == 1 else 'rows'} {', '.join(names[:_NAMED])}{more}"
