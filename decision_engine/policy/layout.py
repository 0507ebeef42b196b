"""Where each name stands among the facts of an evaluation, and which inputs are behind it."""

from collections.abc import Mapping

from decision_engine.policy.document import (
    AnyNode,
    ExpressionNode,
    FunctionNode,
    InputNode,
    ScorecardNode,
    ValueTable,
    outputs_of,
)
from decision_engine.policy.scorecard import Scorecard
from decision_engine.policy.syntax import Expr, names_in


class Layout:
    """Places in the list of facts, in the order in which names were added."""

    def __init__(self) -> None:
        self.places: dict[str, int] = {}
        self.sources: dict[str, frozenset[str]] = {}

    def add(self, name: str, sources: frozenset[str]) -> None:
        """Give a name the next place; `sources` are the inputs behind it."""
        self.places[name] = len(self.places)
        self.sources[name] = sources

    def behind(self, *exprs: Expr) -> frozenset[str]:
        """Return the inputs behind everything that the expressions read."""
        names = {name for expr in exprs for name in names_in(expr)}
        return frozenset().union(*(self.sources[name] for name in names))

    def add_outputs(self, node: AnyNode, models: Mapping[str, Scorecard]) -> None:
        """Give the derived names of a node their places."""
        if isinstance(node, ExpressionNode):
            for item in node.assignments:
                self.add(item.name, self.behind(item.value))
            return
        if isinstance(node, InputNode):
            return
        sources = self._shared_sources(node, models)
        for name in outputs_of(node):
            self.add(name, sources)

    def _shared_sources(self, node: AnyNode, models: Mapping[str, Scorecard]) -> frozenset[str]:
        match node:
            case ValueTable():
                outputs = (value for row in node.rows for value in row.outputs)
                return self.behind(*(row.condition for row in node.rows), *outputs)
            case FunctionNode():
                return self.behind(*(value for _, value in node.arguments))
            case ScorecardNode():
                attributes = models[node.model].attributes
                return frozenset().union(*(self.sources[item.name] for item in attributes))
            case _:
                return frozenset()
