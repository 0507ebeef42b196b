"""A value table of which every true row counts: a list with one object for each of them."""

from decision_engine.policy.closures import closure
from decision_engine.policy.codegen import value_function
from decision_engine.policy.document import ValueTable
from decision_engine.policy.layout import Layout
from decision_engine.policy.rows import PreparedRow
from decision_engine.policy.run import Run
from decision_engine.policy.table_index import Searched
from decision_engine.policy.values import Fact, missing_of


class CollectStep:
    """The objects of all true rows, in order; missing as soon as one of them is not known."""

    def __init__(self, node: ValueTable, layout: Layout) -> None:
        (name,) = node.outputs
        self._place = layout.places[name]
        rows = (
            (PreparedRow(row, layout), value_function(made, layout), closure(made, layout))
            for row in node.rows
            for made in row.outputs
        )
        conditions = [row.condition for row in node.rows]
        self._table = Searched(rows, conditions, layout, first=False)

    def fast(self, run: Run) -> None:
        """Write the list; a table without a true row makes an empty one."""
        facts = run.facts
        rows = self._table.candidates(facts)
        facts[self._place] = tuple([make(facts) for row, make, _ in rows if row.holds(facts)])

    def slow(self, run: Run) -> None:
        """Write the list, or what is missing in its place."""
        facts = run.facts
        found: list[Fact] = []
        for row, _, make in self._table.candidates(facts):
            truth = row.condition(facts)
            if truth is True:
                found.append(make(facts))
            elif truth is not False:
                found.append(truth)
        # A list without the row that is not known would be another list.
        facts[self._place] = missing_of(found) or tuple(found)
