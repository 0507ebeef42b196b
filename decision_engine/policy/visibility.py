"""
What a node sees: what was made before it and no node between hides (`passThrough` false).

Where ways join, a node sees what one of them passes on. Ways of which only some may be taken must
agree: what one of them hides is hidden, since it is the one that may be taken.
"""

from collections.abc import Iterable, Mapping, Sequence

from decision_engine.policy.branches import Branches, live
from decision_engine.policy.document import AnyNode, Edge, LeaveNode, SwitchNode

Ids = frozenset[str]


def visible(
    nodes: Sequence[AnyNode],
    edges: Iterable[Edge],
    before: Mapping[str, Ids],
    branches: Branches,
) -> dict[str, Ids]:
    """Return the ids of the nodes whose values each node sees; all of `before` if all pass on."""
    if all(node.passes for node in nodes):
        return dict(before)
    view = _View(before, branches, nodes)
    incoming: dict[str, list[Edge]] = {}
    for edge in edges:
        incoming.setdefault(edge.target, []).append(edge)
    for node in nodes:
        view.add(node, incoming.get(node.id, []))
    return view.seen


class _View:
    """`seen` has what each node sees, `after` what it leaves for those behind it."""

    def __init__(
        self, before: Mapping[str, Ids], branches: Branches, nodes: Iterable[AnyNode]
    ) -> None:
        self._before, self._branches = before, branches
        self._switches = {node.id: node for node in nodes if isinstance(node, SwitchNode)}
        self.seen: dict[str, Ids] = {}
        self._after: dict[str, Ids] = {}

    def add(self, node: AnyNode, incoming: Sequence[Edge]) -> None:
        seen = self.seen[node.id] = self._joined(node, incoming)
        kept = seen if node.passes else Ids()
        if isinstance(node, LeaveNode):
            kept = self._left(node, seen)
        self._after[node.id] = kept | {node.id}

    def _left(self, node: LeaveNode, seen: Ids) -> Ids:
        """Return what a decision leaves: its own result, and what was there before it or not."""
        if node.passes:
            # Of a graph that is broken inside, the end may come before the beginning.
            return seen | self.seen.get(node.enter, Ids())
        return seen - self._before[node.enter] if node.apart else seen

    def _joined(self, node: AnyNode, incoming: Sequence[Edge]) -> Ids:
        gates = self._branches.gates
        sure, perhaps = Ids(), list[Edge]()
        for edge in incoming:
            if live(edge, self._switches, gates) == gates.get(node.id):
                sure |= self._after[edge.source]
            else:
                perhaps.append(edge)
        passed = Ids().union(*(self._after[edge.source] for edge in perhaps))
        hidden = Ids().union(*(self._hidden(edge.source) for edge in perhaps))
        return sure | (passed - hidden)

    def _hidden(self, source: str) -> Ids:
        return self._before[source] - self._after[source]
