"""A value table of which exactly one row may be true: two true rows are a fault, no choice."""

from decision_engine.policy.document import ValueTable
from decision_engine.policy.layout import Layout
from decision_engine.policy.run import NoAnswerError, Run
from decision_engine.policy.steps import value_rows
from decision_engine.policy.values import NOTHING, Fact, Missing, missing_of


class UniqueStep:
    """The outputs of the one true row; without outputs as soon as there may be two."""

    def __init__(self, node: ValueTable, layout: Layout) -> None:
        self._name = node.name
        self._start = layout.places[node.outputs[0]]
        self._end = self._start + len(node.outputs)
        self._rows = tuple(value_rows(node.rows, layout))

    def fast(self, run: Run) -> None:
        """Write the outputs of the row that alone is true."""
        facts = run.facts
        found = None
        for row, outputs in self._rows:
            if row.holds(facts):
                if found is not None:
                    raise NoAnswerError
                found = outputs
        if found is None:
            raise NoAnswerError
        facts[self._start : self._end] = found.known(facts)

    def slow(self, run: Run) -> None:
        """Write the outputs, or what is missing in their place."""
        run.facts[self._start : self._end] = self._outputs(run)

    def _outputs(self, run: Run) -> list[Fact]:
        results = [(row.condition(run.facts), outputs) for row, outputs in self._rows]
        unknown = missing_of(fact for fact, _ in results)
        found = [outputs for fact, outputs in results if fact is True]
        if len(found) == 1 and unknown is None:
            return found[0].settled(run.facts)
        if found or unknown is None:
            run.uncovered.append(self._name)
        nothing = NOTHING if len(found) > 1 or unknown is None else unknown
        return [nothing] * (self._end - self._start)


def deciding_row(facts: list[Fact]) -> tuple[int, str] | None:
    """
    Return the row that decides a unique table and its result, by the truths of all rows.

    The second of two true rows (`not_unique`), else the first that is not evaluable, else the one
    that is true; None when every row is false.
    """
    true = [index for index, fact in enumerate(facts) if fact is True]
    unknown = [index for index, fact in enumerate(facts) if isinstance(fact, Missing)]
    if len(true) > 1:
        return true[1], "not_unique"
    if unknown:
        return unknown[0], "not_evaluable"
    return (true[0], "hit") if true else None
