"""The search over regions against trying every point of a small grid."""

from collections.abc import Sequence
from decimal import Decimal
from itertools import product
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from decision_engine.policy.check.axes import axis_of
from decision_engine.policy.check.regions import Space
from decision_engine.policy.check.sweep import Point, search
from decision_engine.policy.closures import closure
from decision_engine.policy.document import ValueRow, ValueTable
from decision_engine.policy.layout import Layout
from decision_engine.policy.parse import parse
from decision_engine.policy.schema import Field
from decision_engine.policy.values import Fact, Missing
from tests.unit.policy.build import Json, document, raw, table

PROPERTIES: Json = {
    "p": {"type": "integer", "minimum": -2, "maximum": 4},
    "q": {"type": "integer", "minimum": 0, "maximum": 5},
    "s": {"type": "string", "enum": ["x", "y", "z"]},
    "f": {"type": "boolean"},
}
NAMES = tuple(PROPERTIES)
VALUES: dict[str, list[Any]] = {"p": [*range(-2, 5)], "q": [*range(6)], "s": [*"xyz"]}
#: Conditions whose region is not known.
OPAQUE = ("p > q", "p + 1 > 2")

numbers = st.sampled_from(["-3", "-1", "0", "0.5", "1", "2", "3", "5"])
orders = st.sampled_from(["<", ">=", "!="])
tests = st.one_of(
    st.builds("{} {}".format, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), numbers),
    st.builds("{}, {}".format, numbers, numbers),
    st.sampled_from(["[0..2]", "(0..3)", "not in [1..2]", "not in [1, 2]", "> 0 and < 3"]),
)
cells = st.one_of(st.just(""), tests)
leaves = st.one_of(
    st.builds(
        "{} {} {}".format, st.sampled_from("pq"), st.sampled_from(["<", ">=", "!="]), numbers
    ),
    st.builds("{} > {}".format, numbers, st.sampled_from("pq")),
    st.sampled_from(['s == "x"', 's in ["y", "z"]', "f", "not f", "f == false", "p in [0..2)"]),
    st.sampled_from(["q == null", "q != null", "true", "1 > 2"]),
    st.sampled_from(OPAQUE),
)
conditions = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds("({} and {})".format, inner, inner),
        st.builds("({} or {})".format, inner, inner),
        st.builds("(not ({}))".format, inner),
    ),
    max_leaves=4,
)
lines = st.tuples(cells, cells, st.one_of(st.just(""), conditions), st.sampled_from(["1", "2"]))


def value_table(rows: Sequence[Sequence[str]], fields: Sequence[str]) -> tuple[ValueTable, Space]:
    listed = [[f"r{i}", *row] for i, row in enumerate(rows)]
    policy = parse(raw(document(table("x", list(fields), ["o"], listed), properties=PROPERTIES)))
    assert not policy.findings
    (node,) = [node for node in policy.nodes if isinstance(node, ValueTable)]
    return node, Space(node.rows, {item.name: item for item in policy.inputs})


def truths(row: ValueRow, points: Sequence[tuple[Fact, ...]]) -> list[object]:
    """True, False or None (missing) at every point."""
    layout = Layout()
    for name in NAMES:
        layout.add(name, frozenset({name}))
    run = closure(row.condition, layout)
    found = (run(list(point)) for point in points)
    return [None if isinstance(fact, Missing) else fact for fact in found]


class Tried:
    """A table's rows at every point of the grid: True, False or None (missing)."""

    def __init__(self, node: ValueTable, space: Space) -> None:
        sides: list[list[Any]] = [list(map(Decimal, VALUES[name])) for name in "pq"]
        sides += [[*"xyz"], [True, False]]
        null = {axis.name for axis in space.axes if axis.null is not None}
        for name, side in zip(NAMES, sides, strict=True):
            if name in null:
                side.append(Missing(frozenset({name})))
        self.points = list(product(*sides))
        self.at = list(zip(*(truths(row, self.points) for row in node.rows), strict=True))
        self.ends = [
            next((row for row, truth in enumerate(at) if truth is not False), None)
            for at in self.at
        ]
        self.answers = {
            row for row, at in zip(self.ends, self.at, strict=True) if row is not None and at[row]
        }
        self._says = [row.outputs for row in node.rows]

    def disagree(self, one: int, two: int, at: Sequence[object]) -> bool:
        return at[one] is at[two] is True and self._says[one] != self._says[two]

    def loses(self) -> bool:
        """Is some row true where an earlier one answers and says something else?"""
        return any(
            self.disagree(end, later, at)
            for end, at in zip(self.ends, self.at, strict=True)
            if end is not None
            for later in range(end + 1, len(at))
        )

    def matching(self, space: Space, point: Point) -> list[Sequence[object]]:
        """The truths at all points of the grid that an example stands for."""
        wanted = {
            axis.name: axis.examples[point.get(place, 0)] for place, axis in enumerate(space.axes)
        }
        return [
            at
            for given_, at in zip(self.points, self.at, strict=True)
            if all(
                wanted.get(name, fact) == (None if isinstance(fact, Missing) else fact)
                for name, fact in zip(NAMES, given_, strict=True)
                if name in wanted
            )
        ]


def test_a_name_that_is_only_tested_for_null_has_a_plain_example() -> None:
    axis = axis_of(Field(name="b", kind="number"), [], null=True)

    assert [axis.text(cell) for cell in range(2)] == ["b = 0", "b = null"]


@given(st.lists(lines, min_size=1, max_size=6))
def test_the_search_agrees_with_trying_every_point(rows: list[tuple[str, ...]]) -> None:
    node, space = value_table(rows, ["p", "q", ""])
    says: dict[object, int] = {}
    numbered = [says.setdefault(row.outputs, len(says)) for row in node.rows]
    found = search(space.sizes, space.boxes(node.rows), numbered)
    tried = Tried(node, space)

    assert found.complete
    assert tried.answers <= found.reached
    assert (None in tried.ends) <= (found.gap is not None or found.doubt)
    if found.gap is not None:
        held = tried.matching(space, found.gap)
        assert held
        assert all(truth is False for at in held for truth in at)
    for later, (first, point) in found.overlaps.items():
        held = tried.matching(space, point)
        assert held
        assert first < later
        assert all(tried.disagree(first, later, at) for at in held)
    if not any(part in row[2] for row in rows for part in OPAQUE):
        assert not found.doubt
        assert found.reached == tried.answers
        assert tried.loses() <= bool(found.overlaps)
