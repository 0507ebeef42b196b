"""
Sub-decisions: the nodes of `x-decisions` in the place of the nodes that name them.

Everything after this sees one document. A name that a sub-decision makes gets the node's
`outputPath` before it; ids and node names get the node's id.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from decision_engine.policy.document import (
    AnyNode,
    DecisionNode,
    Edge,
    EnterNode,
    InputNode,
    OutputNode,
    RefusedNode,
    expressions_of,
    outputs_of,
)
from decision_engine.policy.findings import Notes
from decision_engine.policy.limits import DECISION_DEPTH
from decision_engine.policy.moved import Mover
from decision_engine.policy.shapes import object_of, only
from decision_engine.policy.syntax import names_in

Record = dict[str, Any]
Graph = tuple[list[AnyNode], list[Edge]]


def library_of(value: Any, notes: Notes) -> dict[str, Record]:
    """Return the graphs of `x-decisions` by key, unread."""
    notes = notes.at(cell="x-decisions")
    found = object_of({} if value is None else value, "x-decisions", notes)
    graphs = {key: object_of(item, f'the decision "{key}"', notes) for key, item in found.items()}
    for key, graph in graphs.items():
        only(graph, ("nodes", "edges"), f'the decision "{key}"', notes)
    return graphs


def graphs_of(
    record: Record, library: Mapping[str, Record], trail: tuple[str, ...] = ()
) -> Iterator[Record]:
    """Yield a graph and every graph that will stand in it, each as often as it does."""
    yield record
    nodes = record.get("nodes")
    for node in nodes if isinstance(nodes, list) else ():
        key = _key(node)
        if key in library and key not in trail and len(trail) < DECISION_DEPTH:
            yield from graphs_of(library[key], library, (*trail, key))


def _key(node: Any) -> str:
    content = node.get("content") if isinstance(node, dict) else None
    if isinstance(content, dict) and node.get("type") == "decisionNode":
        return str(content.get("key"))
    return ""


@dataclass(frozen=True, slots=True)
class Inliner:
    """Puts sub-decisions in place; `read` gives nodes and edges of one graph."""

    library: Mapping[str, Record]
    read: Callable[[Record, Notes], Graph]
    used: set[str] = field(default_factory=set)

    def graph(self, record: Record, notes: Notes, trail: tuple[str, ...] = ()) -> Graph:
        """Return the graph with all that stands in it, read and in place."""
        nodes, edges = self.read(record, notes)
        placed: list[AnyNode] = []
        inside: list[Edge] = []
        ends: dict[str, tuple[str, str]] = {}
        for node in nodes:
            if not isinstance(node, DecisionNode):
                placed.append(node)
                continue
            found = self._inside(node, notes.at(node=node.id), trail)
            if found is None:
                placed.append(RefusedNode(id=node.id, name=node.name))
                continue
            ends[node.id], (inner_nodes, inner_edges) = found
            placed += inner_nodes
            inside += inner_edges
        hidden = {node.id for node in placed} - {node.id for node in nodes}
        for end in sorted({end for edge in edges for end in edge[:2]} & hidden):
            notes.error(f'an edge names "{end}", a node inside a decision')
        return placed, [*inside, *(_outside(edge, ends) for edge in edges)]

    def _inside(
        self, node: DecisionNode, notes: Notes, trail: tuple[str, ...]
    ) -> tuple[tuple[str, str], Graph] | None:
        refusal = self._refusal(node.key, trail)
        if refusal:
            notes.error(refusal)
            return None
        self.used.add(node.key)
        own = Notes()
        nodes, edges = self.graph(self.library[node.key], own, (*trail, node.key))
        known = _known(nodes, own)
        starts = [each.id for each in nodes if isinstance(each, InputNode)]
        stops = [each.id for each in nodes if isinstance(each, OutputNode)]
        if len(starts) != 1 or len(stops) != 1:
            own.error(f'the decision "{node.key}" needs exactly one inputNode and one outputNode')
        prefix = f"{node.id}/"
        notes.found.extend(
            replace(found, node=prefix + found.node if found.node else node.id)
            for found in own.found
        )
        if len(starts) != 1 or len(stops) != 1:
            return None
        mover = Mover(node, known, starts[0])
        moved = [Edge(prefix + one, prefix + other, handle) for one, other, handle in edges]
        graph = [mover.node(each) for each in nodes], moved
        return (prefix + starts[0], prefix + stops[0]), graph

    def _refusal(self, key: str, trail: tuple[str, ...]) -> str:
        if key not in self.library:
            return f'x-decisions has no decision "{key}"'
        if key in trail:
            return f'the decision "{key}" reaches itself: {" -> ".join((*trail, key))}'
        if len(trail) >= DECISION_DEPTH:
            return f"decisions are nested deeper than {DECISION_DEPTH}"
        return ""


def _outside(edge: Edge, ends: Mapping[str, tuple[str, str]]) -> Edge:
    """An edge to a decision leads to its beginning, one from it comes from its end."""
    enter, leave = ends.get(edge.target), ends.get(edge.source)
    return Edge(leave[1] if leave else edge.source, enter[0] if enter else edge.target, edge.handle)


def _known(nodes: Iterable[AnyNode], notes: Notes) -> dict[str, bool]:
    """Return the names of one graph, true for those that it makes; it may read no others."""
    known: dict[str, bool] = {}
    for node in nodes:
        made = not isinstance(node, InputNode)
        for name in outputs_of(node):
            if known.get(name, made) is not made:
                notes.at(node=node.id, cell=name).error(f'the name "{name}" is made twice')
            known[name] = made
    for node in nodes:
        _check_reads(node, known, notes.at(node=node.id))
    return known


def _check_reads(node: AnyNode, known: Mapping[str, bool], notes: Notes) -> None:
    reads = [(row, cell, names_in(expr)) for row, cell, expr in expressions_of(node)]
    if isinstance(node, EnterNode):
        reads += [("", item.name, frozenset({item.name})) for item in node.fields]
    for row, cell, names in reads:
        for name in sorted(names - known.keys()):
            notes.at(row=row, cell=cell).error(f'unknown field "{name}"')
