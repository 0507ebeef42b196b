"""
Our policies for ZEN: the same nodes, edges and texts, without what only we have.

- `x-policy`, the `x-` fields of the schema and node fields of ours are dropped. Every input becomes
  required: that is the guard that ZEN itself offers against missing data. `open_schema` drops the
  schema, and with it the guard.
- A scorecard becomes a table for its attributes and an expression node for the sum, the clamp and
  the probability. A function node becomes an expression node (see `hosts`).
- Numbers are JSON numbers with so few digits that both engines hold them exactly.
"""

import json
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, Final, Literal

from tests.integration.policy.differential.forms import Text
from tests.integration.policy.differential.hosts import HOSTS

Json = dict[str, Any]
#: The key of the policy itself among the graphs.
POLICY: Final = "policy"
Dialect = Literal["ours", "zen", "even"]
_SHARED: Final[Json] = {"passThrough": True, "inputField": None, "executionMode": "single"}


def spelled(value: Any, dialect: Dialect) -> Any:
    """Return JSON whose texts are spelled in one dialect."""
    if isinstance(value, Text):
        return getattr(value, dialect)
    if isinstance(value, dict):
        return {key: spelled(item, dialect) for key, item in value.items()}
    if isinstance(value, list):
        return [spelled(item, dialect) for item in value]
    return value


def for_zen(
    document: Json,
    models: Mapping[str, Json],
    dialect: Dialect,
    *,
    known: Mapping[str, str] | None = None,
    open_schema: bool = False,
) -> dict[str, Json]:
    """
    Return the policy for ZEN, as `POLICY`, and the graphs that it uses, each by its key.

    `known` gives derived names an expression instead of their own, and statements of switches
    (`switch/statement`) another condition. A node all of whose names are known becomes an
    expression node.
    """
    known = known or {}
    found = {POLICY: _graph(document, models, dialect, known, open_schema=open_schema)}
    for node in document["nodes"]:
        if node["type"] == "decisionNode":
            key, inside = node["content"]["key"], _inside(node, document)
            own = _own(node, known)
            found |= {
                name if name != POLICY else key: graph
                for name, graph in for_zen(
                    inside, models, dialect, known=own, open_schema=open_schema
                ).items()
            }
    return found


def _inside(node: Json, document: Json) -> Json:
    return {**document, **document["x-decisions"][node["content"]["key"]]}


def _own(node: Json, known: Mapping[str, str]) -> dict[str, str]:
    """Return what is known inside a sub-decision: values by their path, statements by its id."""
    path = node["content"].get("outputPath")
    values, statements = f"{path}." if path else "", f"{node['id']}/"
    return {
        name.removeprefix(prefix): text
        for name, text in known.items()
        if name.startswith(prefix := statements if "/" in name else values)
    }


def _graph(
    document: Json,
    models: Mapping[str, Json],
    dialect: Dialect,
    known: Mapping[str, str],
    *,
    open_schema: bool,
) -> Json:
    nodes: list[Json] = []
    edges: list[Json] = []
    first: dict[str, str] = {}
    last: dict[str, str] = {}
    for node in spelled(document["nodes"], dialect):
        group = _group(node, models, known, open_schema=open_schema)
        first[node["id"]], last[node["id"]] = group[0]["id"], group[-1]["id"]
        nodes += group
        edges += (_edge(f"{b['id']}-in", a["id"], b["id"]) for a, b in pairwise(group))
    edges += (
        {**edge, "sourceId": last[edge["sourceId"]], "targetId": first[edge["targetId"]]}
        for edge in document["edges"]
    )
    return {"contentType": document["contentType"], "nodes": nodes, "edges": edges}


def _edge(identity: str, source: str, target: str) -> Json:
    return {"id": identity, "type": "edge", "sourceId": source, "targetId": target}


def _group(
    node: Json, models: Mapping[str, Json], known: Mapping[str, str], *, open_schema: bool
) -> list[Json]:
    """Return the nodes, in a line, that do for ZEN what one node does for us."""
    content = node["content"]
    match node["type"]:
        case "inputNode":
            return [{**node, "content": {} if open_schema else guarded(content)}]
        case "expressionNode":
            return [{**node, "content": _with_known(content, known)}]
        case "customNode":
            host = content["kind"] != "scorecard"
            model = {} if host else models[content["config"]["model"]]
            return [host_call(node, known)] if host else scorecard(node, model, known)
        case "decisionTableNode":
            return [_table(node, known)]
        case "switchNode":
            return [{**node, "content": _switch(node, known)}]
        case _:
            return [node]


def guarded(content: Json) -> Json:
    """Return an input node's content with every input required and no field of ours."""
    return {"schema": json.dumps(_required(json.loads(content["schema"])))}


def _required(schema: Json) -> Json:
    plain = {key: value for key, value in schema.items() if not key.startswith("x-")}
    if "properties" in plain:
        plain["properties"] = {key: _required(item) for key, item in plain["properties"].items()}
        plain["required"] = list(plain["properties"])
    if "items" in plain:
        plain["items"] = _required(plain["items"])
    return plain


def _switch(node: Json, known: Mapping[str, str]) -> Json:
    listed = [
        {**item, "condition": known.get(f"{node['id']}/{item['id']}", item["condition"])}
        if item["condition"]
        else item
        for item in node["content"]["statements"]
    ]
    return {**node["content"], "statements": listed}


def _with_known(content: Json, known: Mapping[str, str]) -> Json:
    prefix = f"{content['outputPath']}." if content.get("outputPath") else ""
    listed = [
        {**item, "value": known.get(prefix + item["key"], item["value"])}
        for item in content["expressions"]
    ]
    return {**content, "expressions": listed}


def _table(node: Json, known: Mapping[str, str]) -> Json:
    content = node["content"]
    prefix = f"{content['outputPath']}." if content.get("outputPath") else ""
    if content["hitPolicy"] == "collect" and content["outputPath"] in known:
        return _literal_node(node, [content["outputPath"]], known)
    made = {prefix + o["field"]: o["id"] for o in content["outputs"] if o["field"] != "priority"}
    if made.keys() <= known.keys():
        return _literal_node(node, list(made), known)
    fixed = {column: known[name] for name, column in made.items() if name in known}
    node = {**node, "content": {**content, "rules": [{**row, **fixed} for row in content["rules"]]}}
    return node if content["hitPolicy"] in ("first", "collect") else _by_first(node)


def _by_first(node: Json) -> Json:
    """
    Return a table by unique or priority as one by first.

    Exactly one true row is also the first; of rows in the order of their numbers, the first wins.
    """
    content = node["content"]
    column = next((o["id"] for o in content["outputs"] if o["field"] == "priority"), None)
    rows = content["rules"]
    if column is not None:
        rows = sorted(rows, key=lambda row: int(row[column]))
    kept = [item for item in content["outputs"] if item["id"] != column]
    rows = [{key: value for key, value in row.items() if key != column} for row in rows]
    changed = {"hitPolicy": "first", "outputs": kept, "rules": rows}
    return {**node, "content": {**content, **changed}}


def _literal_node(node: Json, names: list[str], known: Mapping[str, str]) -> Json:
    return _expressions(node, "", {name: known[name] for name in names})


def _expressions(node: Json, path: str, values: Mapping[str, str], suffix: str = "") -> Json:
    listed = [
        {"id": f"{node['id']}{suffix}-{i}", "key": key, "value": value}
        for i, (key, value) in enumerate(values.items())
    ]
    return {
        "id": node["id"] + suffix,
        "name": node["name"] + suffix,
        "type": "expressionNode",
        "content": {**_SHARED, "outputPath": path or None, "expressions": listed},
    }


def host_call(node: Json, known: Mapping[str, str]) -> Json:
    """Return the expression node that computes what the host computes."""
    config = node["content"]["config"]
    path = config.get("outputPath", config["name"])
    arguments = {key: f"({text})" for key, text in config["arguments"].items()}
    texts = HOSTS[config["name"]].zen
    values = {key: text.format(**arguments) for key, text in texts.items()}
    return _expressions(node, path, {k: known.get(f"{path}.{k}", v) for k, v in values.items()})


def scorecard(node: Json, model: Json, known: Mapping[str, str]) -> list[Json]:
    """Return a table for each attribute of a scorecard, and the node that adds them up."""
    path = node["content"]["config"].get("outputPath", "score")
    names = [f"{path}.{key}" for key in ("value", "raw", "pd")]
    if names[0] in known:
        return [_literal_node(node, names, known)]
    tables = [_points(node, i, item) for i, item in enumerate(model["attributes"])]
    parts = " + ".join(f"points_{node['id']}.a{i}" for i in range(len(tables)))
    low, high = model["clamp"]
    scale = model["scale"]
    power = f"2 ^ (($.value - {scale['base_score']}) / {scale['pdo']})"
    values = {
        "raw": f"{model['base_points']} + {parts}",
        "value": f"min([max([$.raw, {low}]), {high}])",
        "pd": f"round(1 / (1 + {scale['base_odds']} * {power}), 6)",
    }
    return [*tables, _expressions(node, path, values, "-sum")]


def _points(node: Json, index: int, attribute: Json) -> Json:
    rows = [{"i0": _bin(item), "o0": str(item["points"])} for item in attribute["bins"]]
    if attribute["missing_points"] is not None:
        rows.insert(0, {"i0": "null", "o0": str(attribute["missing_points"])})
    content = {
        **_SHARED,
        "hitPolicy": "first",
        "outputPath": f"points_{node['id']}",
        "inputs": [{"id": "i0", "name": "value", "field": attribute["name"]}],
        "outputs": [{"id": "o0", "name": "points", "field": f"a{index}"}],
        "rules": [{"_id": f"{node['id']}-{index}-{i}", **row} for i, row in enumerate(rows)],
    }
    identity = f"{node['id']}-a{index}"
    return {"id": identity, "name": identity, "type": "decisionTableNode", "content": content}


def _bin(item: Json) -> str:
    if "values" in item:
        return ", ".join(json.dumps(value) for value in item["values"])
    ends = [f">= {item['from']}"] if item["from"] is not None else []
    ends += [f"< {item['to']}"] if item["to"] is not None else []
    return " and ".join(ends)
