"""Where each name stands among the facts of an evaluation, and which inputs are behind it."""

from collections.abc import Mapping

from decision_engine.policy.branches import Gate, Handle
from decision_engine.policy.document import (
    AnyNode,
    ExpressionNode,
    FunctionNode,
    InputNode,
    ScorecardNode,
    SwitchNode,
    ValueTable,
    outputs_of,
)
from decision_engine.policy.scorecard import Scorecard
from decision_engine.policy.syntax import Expr, names_of


class Layout:
    """
    Places in the list of facts, in the order in which names were added.

    `numbers` are the names that are known to be numbers: code for them can be plainer.
    """

    def __init__(self, numbers: frozenset[str] = frozenset()) -> None:
        self.numbers = numbers
        self.places: dict[str, int] = {}
        self.sources: dict[str, frozenset[str]] = {}

    def add(self, name: str, sources: frozenset[str]) -> None:
        """Give a name its place, shared by all who make it; `sources` are the inputs behind it."""
        self.places.setdefault(name, len(self.places))
        self.sources[name] = self.sources.get(name, frozenset()) | sources

    def scattered(self, node: AnyNode) -> bool:
        """Tell whether a node that writes a row of outputs finds their places not side by side."""
        if not isinstance(node, ValueTable | ScorecardNode):
            return False
        places = [self.places[name] for name in outputs_of(node)]
        return places != list(range(places[0], places[0] + len(places)))

    def private(self, node: AnyNode) -> "Layout":
        """Return this layout with places of the node's own for its outputs, side by side."""
        view = Layout()
        view.sources = self.sources
        for name in outputs_of(node):
            self.add(f"{node.id}/{name}", frozenset())
        own = {name: self.places[f"{node.id}/{name}"] for name in outputs_of(node)}
        view.places = self.places | own
        return view

    def behind(self, *exprs: Expr) -> frozenset[str]:
        """Return the inputs behind everything that the expressions read."""
        return frozenset().union(*(self.sources[name] for name in names_of(exprs)))

    def reach(self, gate: Gate | None) -> frozenset[str]:
        """Return the inputs behind whether a gate is open; none where there is no gate."""
        return frozenset().union(*(self.sources[handle.place] for handle in gate or ()))

    def add_outputs(
        self, node: AnyNode, models: Mapping[str, Scorecard], gate: Gate | None = None
    ) -> None:
        """Give the derived names of a node their places; handles of a switch get only sources."""
        reach = self.reach(gate)
        if isinstance(node, ExpressionNode):
            for item in node.assignments:
                self.add(item.name, self.behind(item.value) | reach)
            return
        if isinstance(node, SwitchNode):
            sources = reach | self.behind(*(row.condition for row in node.statements))
            self.sources.update((Handle(node.id, row.id).place, sources) for row in node.statements)
            return
        if isinstance(node, InputNode):
            return
        sources = self._shared_sources(node, models) | reach
        for name in outputs_of(node):
            self.add(name, sources)

    def _shared_sources(self, node: AnyNode, models: Mapping[str, Scorecard]) -> frozenset[str]:
        match node:
            case ValueTable():
                outputs = (value for row in node.rows for value in row.outputs)
                # Equal cells of a column are one tree.
                cells = {id(cell.condition): cell.condition for r in node.rows for cell in r.cells}
                return self.behind(*cells.values(), *outputs)
            case FunctionNode():
                return self.behind(*(value for _, value in node.arguments))
            case ScorecardNode():
                attributes = models[node.model].attributes
                return frozenset().union(
                    *(self.sources[node.name_of(item.name)] for item in attributes)
                )
            case _:
                return frozenset()
