"""Small policies for tests: JDM as plain data, with one thing changed at a time."""

import copy
import json
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

from decision_engine.policy.compile import CompiledPolicy, build, compile_policy
from decision_engine.policy.findings import Finding
from decision_engine.policy.parse import parse
from decision_engine.policy.scorecard import Scorecard

CASES = Path(__file__).parents[2] / "cases" / "policy"

Json = dict[str, Any]

HEADER: Json = {"id": "p", "version": 1, "product": "loan", "title": "P", "owner": "risk"}
SCHEMA: Json = {
    "a": {"type": "number", "x-scale": 2, "minimum": 0},
    "b": {"type": "number", "x-scale": 2},
    "n": {"type": "integer", "minimum": 0, "maximum": 10},
    "s": {"type": "string", "enum": ["x", "y", "z"]},
    "t": {"type": "string"},
    "f": {"type": "boolean"},
}


def switch(identity: str, *statements: tuple[str, str], policy: str = "first") -> Json:
    """A switch; a statement is its id and its condition, empty for everything else."""
    listed = [{"id": name, "condition": condition} for name, condition in statements]
    return node(identity, "switchNode", {"hitPolicy": policy, "statements": listed})


def graph(nodes: list[Json], ways: list[str], properties: Json | None = None) -> Json:
    """A policy with edges as written: `in>e`, `s:yes>r`."""
    made = document(*nodes, properties=properties)
    made["edges"] = [edge(way) for way in ways]
    return made


def decision(identity: str, key: str, path: str = "", **changes: Any) -> Json:
    content = {"key": key, "passThrough": True, "outputPath": path or None, **changes}
    return node(identity, "decisionNode", content)


def subgraph(nodes: list[Json], ways: list[str], properties: Json) -> Json:
    """A graph for `x-decisions`, with inputs of its own."""
    made = graph(nodes, ways, properties)
    return {"nodes": made["nodes"], "edges": made["edges"]}


def using(policy: Json, **decisions: Any) -> Json:
    return {**policy, "x-decisions": decisions}


def edge(way: str) -> Json:
    source, target = way.split(">")
    source, _, handle = source.partition(":")
    ends = {"sourceId": source, "targetId": target, "sourceHandle": handle or None}
    return {"id": way, "type": "edge", **ends}


def schema_of(properties: Json) -> str:
    return json.dumps({"type": "object", "properties": properties})


def node(identity: str, kind: str, content: Json) -> Json:
    return {"id": identity, "name": identity.upper(), "type": kind, "content": content}


def expressions(identity: str, values: Mapping[str, str], **content: Any) -> Json:
    listed = [{"id": f"e{i}", "key": k, "value": v} for i, (k, v) in enumerate(values.items())]
    shared = {"passThrough": True, "inputField": None, "outputPath": None}
    return node(identity, "expressionNode", {"expressions": listed, **shared, **content})


def table(
    identity: str, fields: list[str], outputs: list[str], rows: list[list[str]], **content: Any
) -> Json:
    """`fields` are the columns' fields ("" = full conditions); a row is id, cells, outputs."""
    keys = [f"i{i}" for i in range(len(fields))] + [f"o{i}" for i in range(len(outputs))]
    inputs = [{"id": f"i{i}", "name": f or "condition", "field": f} for i, f in enumerate(fields)]
    outs = [{"id": f"o{i}", "name": f, "field": f} for i, f in enumerate(outputs)]
    rules = [{"_id": row[0], **dict(zip(keys, row[1:], strict=True))} for row in rows]
    policy = "collect" if "effect" in outputs else "first"
    shared = {"passThrough": True, "hitPolicy": policy, "inputField": None}
    merged = {**shared, "inputs": inputs, "outputs": outs, "rules": rules, **content}
    return node(identity, "decisionTableNode", merged)


def rules(
    *rows: tuple[str, ...], fields: tuple[str, ...] = ("",), identity: str = "r", **content: Any
) -> Json:
    """A rule table; a row is id, cells, effect, and onMissing when it is not `refer`."""
    width = len(fields) + 2
    listed = [
        [*row[: width - 1], f'"C-{row[0]}"', f'"{row[width - 1]}"', *_on_missing(row, width)]
        for row in rows
    ]
    outputs = ["code", "effect", "onMissing"]
    return table(identity, list(fields), outputs, listed, **{"outputPath": "rules", **content})


def _on_missing(row: tuple[str, ...], width: int) -> list[str]:
    return [f'"{row[width]}"'] if len(row) > width else [""]


def custom(identity: str, kind: str, config: Json) -> Json:
    return node(identity, "customNode", {"kind": kind, "config": config})


def function(arguments: Json, outputs: Json, **config: Any) -> Json:
    return custom(
        "fn", "function", {"name": "call", "arguments": arguments, "outputs": outputs, **config}
    )


def document(*nodes: Json, properties: Json | None = None, **header: Any) -> Json:
    """A policy whose nodes stand in one line from the input to the output."""
    schema = schema_of(SCHEMA if properties is None else properties)
    ends = node("in", "inputNode", {"schema": schema}), node("out", "outputNode", {})
    line = [ends[0], *copy.deepcopy(nodes), ends[1]]
    edges = [
        {"id": f"edge{i}", "type": "edge", "sourceId": one["id"], "targetId": two["id"]}
        for i, (one, two) in enumerate(pairwise(line))
    ]
    return {
        "contentType": "application/vnd.gorules.decision",
        "x-policy": {**HEADER, **header},
        "nodes": line,
        "edges": edges,
    }


def meant(found: list[Finding]) -> list[Finding]:
    """Findings without those that any small policy has: unread inputs, and no rule that refuses."""
    usual = ("no expression reads this input", "no rule declines or refers")
    return [item for item in found if not item.sentence.startswith(usual)]


def raw(value: Any) -> bytes:
    return json.dumps(value).encode()


def compiled(*nodes: Json, models: tuple[Scorecard, ...] = (), **options: Any) -> CompiledPolicy:
    return compile_policy(raw(document(*nodes, **options)), {model.id: model for model in models})


def built(*nodes: Json, models: tuple[Scorecard, ...] = (), **options: Any) -> CompiledPolicy:
    """What `check` may refuse, such as a table with gaps: evaluation is right all the same."""
    return build(parse(raw(document(*nodes, **options))), {model.id: model for model in models})


def model(*attributes: Json, **changes: Any) -> Json:
    """A scorecard with round numbers."""
    chosen = attributes or (ranges("a", 0, "10.00", 50, "20.00", 100),)
    return {
        "id": "m",
        "version": 1,
        "base_points": 500,
        "attributes": list(copy.deepcopy(chosen)),
        "scale": {"pdo": 50, "base_score": 600, "base_odds": 20},
        "clamp": [0, 1000],
        **changes,
    }


def ranges(name: str, *points_and_ends: Any, **changes: Any) -> Json:
    """An attribute with bins: points, end, points, end, …, points."""
    ends = [None, *points_and_ends[1::2], None]
    bins = [
        {"from": low, "to": high, "points": points}
        for low, high, points in zip(ends, ends[1:], points_and_ends[::2], strict=False)
    ]
    shared = {"code": f"S-{name}", "family": name, "reference": "max", "missing_points": None}
    return {"name": name, **shared, "bins": bins, **changes}
