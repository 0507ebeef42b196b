"""A value table of which every true row counts: a list with one object for each of them."""

from collections.abc import Sequence
from typing import Any

from decision_engine.policy.closures import Closure, closure
from decision_engine.policy.codegen import Generated, value_function
from decision_engine.policy.document import ValueTable
from decision_engine.policy.layout import Layout
from decision_engine.policy.rows import PreparedRow
from decision_engine.policy.run import Run
from decision_engine.policy.table_index import row_finder
from decision_engine.policy.values import Fact, missing_of

_Row = tuple[PreparedRow, Generated, Closure]


class CollectStep:
    """The objects of all true rows, in order; missing as soon as one of them is not known."""

    def __init__(self, node: ValueTable, layout: Layout) -> None:
        (name,) = node.outputs
        self._place = layout.places[name]
        self._rows: tuple[_Row, ...] = tuple(
            (PreparedRow(row, layout), value_function(made, layout), closure(made, layout))
            for row in node.rows
            for made in row.outputs
        )
        self._find = row_finder([row.condition for row in node.rows], layout, first=False)

    def _candidates(self, facts: list[Any]) -> Sequence[_Row]:
        """Return the rows that are not certainly false."""
        rows = self._rows
        return rows if self._find is None else [rows[i] for i in self._find(facts)]

    def fast(self, run: Run) -> None:
        """Write the list; a table without a true row makes an empty one."""
        facts = run.facts
        rows = self._candidates(facts)
        facts[self._place] = tuple([make(facts) for row, make, _ in rows if row.holds(facts)])

    def slow(self, run: Run) -> None:
        """Write the list, or what is missing in its place."""
        facts = run.facts
        found: list[Fact] = []
        for row, _, make in self._candidates(facts):
            truth = row.condition(facts)
            if truth is True:
                found.append(make(facts))
            elif truth is not False:
                found.append(truth)
        # A list without the row that is not known would be another list.
        facts[self._place] = missing_of(found) or tuple(found)
