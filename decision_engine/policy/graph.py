"""The order of the nodes: what comes before what, and what lies on no path."""

from collections.abc import Iterable
from dataclasses import dataclass

from decision_engine.policy.branches import Branches, branches_of
from decision_engine.policy.document import AnyNode, InputNode, OutputNode, PolicyDocument
from decision_engine.policy.findings import Finding, Notes
from decision_engine.policy.parse_switch import check_handles
from decision_engine.policy.visibility import visible

Links = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Ordered:
    """
    The nodes so that each comes after all that lead to it, and the branches.

    `before` has, for each node, the ids of those whose values it sees, `hidden` of those whose
    values a node between does not pass on.
    """

    nodes: tuple[AnyNode, ...]
    before: dict[str, frozenset[str]]
    hidden: dict[str, frozenset[str]]
    branches: Branches


def check_graph(document: PolicyDocument) -> list[Finding]:
    """Return the faults of the graph; without any, `ordered` is defined."""
    notes = Notes()
    _check_ends(document, notes)
    _check_edges(document, notes)
    if not notes.found:
        _check_paths(document, notes)
    return notes.found


def ordered(document: PolicyDocument) -> Ordered:
    """Return the nodes in the one order that evaluation follows (ties by the document)."""
    before: dict[str, frozenset[str]] = {}
    nodes: list[AnyNode] = []
    parents = _links((target, source) for source, target, _ in document.edges)
    waiting = list(document.nodes)
    while ready := [node for node in waiting if all(p in before for p in _of(parents, node))]:
        for node in ready:
            seen = _of(parents, node)
            before[node.id] = frozenset(seen).union(*(before[parent] for parent in seen))
        nodes += ready
        waiting = [node for node in waiting if node.id not in before]
    branches = branches_of(nodes, document.edges)
    shown = visible(nodes, document.edges, before, branches)
    hidden = {identity: before[identity] - ids for identity, ids in shown.items()}
    return Ordered(tuple(nodes), shown, hidden, branches)


def _check_ends(document: PolicyDocument, notes: Notes) -> None:
    for kind, name in ((InputNode, "inputNode"), (OutputNode, "outputNode")):
        count = sum(isinstance(node, kind) for node in document.nodes)
        if count != 1:
            notes.error(f"a policy has exactly one {name}, found {count}")


def _check_edges(document: PolicyDocument, notes: Notes) -> None:
    ids = {node.id for node in document.nodes}
    for identity in sorted({end for edge in document.edges for end in edge[:2]} - ids):
        notes.error(f'an edge names the unknown node "{identity}"')
    if len(set(document.edges)) < len(document.edges):
        notes.error("two edges join the same nodes")
    check_handles(document.nodes, document.edges, notes)


def _check_paths(document: PolicyDocument, notes: Notes) -> None:
    sorted_ids = {node.id for node in ordered(document).nodes}
    rest = [node for node in document.nodes if node.id not in sorted_ids]
    for node in rest:
        notes.at(node=node.id).error("the node is in a cycle, or behind one")
    if rest:
        return
    start, end = (
        next(node.id for node in document.nodes if isinstance(node, kind))
        for kind in (InputNode, OutputNode)
    )
    reached = _reach(start, _links((source, target) for source, target, _ in document.edges))
    used = _reach(end, _links((target, source) for source, target, _ in document.edges))
    for node in document.nodes:
        place = notes.at(node=node.id)
        if node.id not in reached:
            place.error("the node is unreachable: no path from the input leads to it")
        elif node.id not in used:
            place.error("the node is lost: no path leads from it to the output")


def _links(edges: Iterable[tuple[str, str]]) -> Links:
    links: Links = {}
    for source, target in edges:
        links.setdefault(source, []).append(target)
    return links


def _of(links: Links, node: AnyNode) -> list[str]:
    return links.get(node.id, [])


def _reach(start: str, links: Links) -> set[str]:
    reached: set[str] = set()
    waiting = [start]
    while waiting:
        node = waiting.pop()
        if node not in reached:
            reached.add(node)
            waiting += links.get(node, [])
    return reached
