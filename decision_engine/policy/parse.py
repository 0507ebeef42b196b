"""JDM text to a typed document. Faults of form become findings; reading goes on after each."""

from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

from decision_engine.policy import strict_json
from decision_engine.policy.document import (
    AnyNode,
    Direction,
    Edge,
    Header,
    PolicyDocument,
    RuleTable,
)
from decision_engine.policy.findings import Notes, PolicyError
from decision_engine.policy.limits import CELLS, EDGES, NAMED_VALUES, NODES, ROWS
from decision_engine.policy.parse_nodes import parse_node
from decision_engine.policy.shapes import (
    object_of,
    objects_of,
    only,
    text_of,
    whole_of,
    words_of,
)
from decision_engine.policy.subdecisions import Inliner, graphs_of, library_of
from domain.canonical import sha256_text

_CONTENT_TYPE: Final = "application/vnd.gorules.decision"
_VERSIONS: Final = 1_000_000_000
_DIRECTIONS: Final[tuple[Direction, ...]] = ("higher_is_better", "lower_is_better")


def parse(raw: bytes) -> PolicyDocument:
    """
    Return the document with the findings of its form; nothing is compiled.

    Raises:
        PolicyError: the bytes are not one JSON object (see `strict_json.load`).
    """
    value = strict_json.load(raw)
    if not isinstance(value, dict):
        raise PolicyError.of("a policy is one JSON object")
    notes = Notes()
    only(
        value,
        ("contentType", "nodes", "edges", "x-policy", "x-decisions", "metadata"),
        "the policy",
        notes,
    )
    if value.get("contentType") != _CONTENT_TYPE:
        notes.error(f'contentType must be "{_CONTENT_TYPE}"')
    nodes, edges = _graph(value, notes)
    return PolicyDocument(
        hash=sha256_text(raw),
        header=_header(value.get("x-policy"), notes),
        nodes=nodes,
        edges=edges,
        findings=tuple(notes.found),
    )


def _header(value: Any, notes: Notes) -> Header:
    notes = notes.at(cell="x-policy")
    record = object_of(value, "x-policy", notes)
    only(record, Header.__slots__, "x-policy", notes)
    return Header(
        id=text_of(record, "id", "x-policy", notes),
        version=whole_of(record.get("version"), "version", 1, _VERSIONS, notes),
        product=text_of(record, "product", "x-policy", notes),
        title=words_of(record.get("title"), "title", notes),
        owner=text_of(record, "owner", "x-policy", notes),
        description=str(record.get("description", "")),
        monotone=_monotone(record.get("monotone", {}), notes),
    )


def _monotone(value: Any, notes: Notes) -> tuple[tuple[str, Direction], ...]:
    found: list[tuple[str, Direction]] = []
    for name, text in object_of(value, "monotone", notes).items():
        if text not in _DIRECTIONS:
            notes.error(f'monotone "{name}" must be one of: {", ".join(_DIRECTIONS)}')
            continue
        found.append((name, text))
    return tuple(found)


def _graph(value: dict[str, Any], notes: Notes) -> tuple[tuple[AnyNode, ...], tuple[Edge, ...]]:
    library = library_of(value.get("x-decisions"), notes)
    if not _bounded(graphs_of(value, library), notes):
        return (), ()
    inliner = Inliner(library, _read)
    nodes, edges = inliner.graph(value, notes)
    for key in sorted(library.keys() - inliner.used):
        notes.at(cell="x-decisions").warn(f'nothing uses the decision "{key}"')
    _unique((node.id for node in nodes), "node id", notes)
    _unique((node.name for node in nodes), "node name", notes)
    rules = [rule.id for node in nodes if isinstance(node, RuleTable) for rule in node.rules]
    _unique(rules, "rule id", notes)
    return tuple(nodes), tuple(edges)


def _read(record: dict[str, Any], notes: Notes) -> tuple[list[AnyNode], list[Edge]]:
    nodes = [parse_node(each, notes) for each in objects_of(record.get("nodes"), "nodes", notes)]
    edges = objects_of(record.get("edges"), "edges", notes)
    return nodes, [_edge(each, notes.at(cell="edges")) for each in edges]


def _edge(record: dict[str, Any], notes: Notes) -> Edge:
    only(record, _EDGE_FIELDS, "an edge", notes)
    if record.get("targetHandle") is not None:
        notes.error("the targetHandle of an edge must be null")
    handle = record.get("sourceHandle")
    return Edge(
        text_of(record, "sourceId", "an edge", notes),
        text_of(record, "targetId", "an edge", notes),
        "" if handle is None else text_of(record, "sourceHandle", "an edge", notes),
    )


_EDGE_FIELDS: Final = ("id", "type", "sourceId", "targetId", "sourceHandle", "targetHandle", "data")


def _bounded(graphs: Iterable[dict[str, Any]], notes: Notes) -> bool:
    """Count before reading: a policy that is too large costs next to nothing."""
    most = {
        "nodes": NODES,
        "edges": EDGES,
        "rows": ROWS,
        "cells": CELLS,
        "named values": NAMED_VALUES,
    }
    counts = dict.fromkeys(most, 0)
    over: list[str] = []
    for graph in graphs:
        for what, count in _counts(graph).items():
            counts[what] += count
        over = [what for what in most if counts[what] > most[what]]
        if over:
            break
    for what in over:
        notes.error(f"a policy has at most {most[what]} {what}")
    return not over


def _counts(graph: dict[str, Any]) -> dict[str, int]:
    nodes, edges = (
        value if isinstance(value, list) else []
        for value in (graph.get("nodes"), graph.get("edges"))
    )
    rows = [row for record in nodes if isinstance(record, dict) for row in _rows(record)]
    return {
        "nodes": len(nodes),
        "edges": len(edges),
        "rows": len(rows),
        "cells": sum(map(len, rows)),
        "named values": sum(_values(record) for record in nodes if isinstance(record, dict)),
    }


def _rows(record: dict[str, Any]) -> list[dict[str, Any]]:
    content = record.get("content")
    rules = content.get("rules") if isinstance(content, dict) else None
    return [row for row in rules if isinstance(row, dict)] if isinstance(rules, list) else []


def _values(record: dict[str, Any]) -> int:
    content = record.get("content")
    if not isinstance(content, dict):
        return 0
    config = content.get("config")
    made = config if isinstance(config, dict) else {}
    listed = (content.get("expressions"), made.get("arguments"), made.get("outputs"))
    return sum(len(item) for item in listed if isinstance(item, list | dict))


def _unique(names: Iterable[str], what: str, notes: Notes) -> None:
    for name, count in Counter(names).items():
        if count > 1 and name:
            notes.error(f'the {what} "{name}" is used {count} times')
