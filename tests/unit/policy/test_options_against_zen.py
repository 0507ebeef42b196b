"""What nodes read, hide and repeat by their options is what ZEN makes of them."""

from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
import zen

from decision_engine.policy.check import examine
from decision_engine.policy.compile import CompiledPolicy, compile_policy
from decision_engine.policy.document import OutputNode
from decision_engine.policy.graph import ordered
from decision_engine.policy.values import Entry
from tests.unit.policy.build import (
    Json,
    decision,
    expressions,
    graph,
    raw,
    subgraph,
    table,
    using,
)

NUMBER: Json = {"type": "number", "x-scale": 2}
LOAN: Json = {"rest": NUMBER, "late": {"type": "boolean"}}
PROPERTIES: Json = {
    "a": NUMBER,
    "f": {"type": "boolean"},
    "o": {
        "type": "object",
        "properties": {
            "x": NUMBER,
            "s": {"type": "string", "enum": ["p", "q"]},
            "deep": {"type": "object", "properties": {"z": NUMBER}},
        },
    },
    "l": {"type": "array", "items": {"type": "object", "properties": LOAN}, "maxItems": 4},
}
INPUTS: list[Json] = [
    {"a": 2, "f": True, "o": {"x": 1, "s": "p", "deep": {"z": 7}}, "l": []},
    {
        "a": 3,
        "f": False,
        "o": {"x": 6, "s": "q", "deep": {"z": -1}},
        "l": [{"rest": 5, "late": True}, {"rest": 2.5, "late": False}],
    },
]


@dataclass(frozen=True)
class Case:
    """A graph and the graphs that it uses; ZEN gets those as documents of their own."""

    nodes: list[Json]
    ways: list[str]
    decisions: dict[str, Json] = field(default_factory=dict)

    @property
    def document(self) -> Json:
        made = graph(self.nodes, self.ways, PROPERTIES)
        return using(made, **self.decisions) if self.decisions else made


def row(*nodes: Json, **decisions: Json) -> Case:
    ids = ["in", *(node["id"] for node in nodes), "out"]
    return Case(list(nodes), [f"{one}>{other}" for one, other in pairwise(ids)], decisions)


HIDES: Json = {"passThrough": False}
MADE = expressions("e", {"m": "a + 1"})
HIDDEN = expressions("h", {"y": "m * 2"}, **HIDES)
ROWS = [["k", "> 3", "x * 2", '"much"'], ["l", "", "0", "s"]]
BANDS = [["k", "> 3", '"p"', "", "1"], ["l", "", "", "x > 0", "2"], ["m", "", "", "", "3"]]
INNER: Json = {"x": NUMBER, "s": PROPERTIES["o"]["properties"]["s"]}
SUB = subgraph(
    [expressions("i", {"k": "x + 1"}), table("t", ["x"], ["v", "w"], ROWS)],
    ["in>i", "i>t", "t>out"],
    INNER,
)
CUT = subgraph([expressions("i", {"k": "a + 1"}, **HIDES)], ["in>i", "i>out"], {"a": NUMBER})
KEEP = subgraph([expressions("i", {"k": "a + 1"})], ["in>i", "i>out"], {"a": NUMBER})
DEEP = subgraph(
    [decision("i", "low", "q", inputField="deep")],
    ["in>i", "i>out"],
    {"deep": PROPERTIES["o"]["properties"]["deep"]},
)
LOW = subgraph([expressions("i", {"k": "z + 1"})], ["in>i", "i>out"], {"z": NUMBER})
LOOP: Json = {"executionMode": "loop", "inputField": "l", "outputPath": "p"}
COSTS = {"half": "rest / 2", "cost": "late ? $.half : 0", "word": 'late ? "late" : "good"'}

HIDING = {
    "an expression node": row(MADE, HIDDEN),
    "an expression node under a path": row(
        MADE, expressions("h", {"y": "m"}, outputPath="p.q", **HIDES)
    ),
    "a node after it": row(MADE, HIDDEN, expressions("j", {"last": "y + 1"})),
    "a table by first": row(
        MADE, table("h", ["o.x"], ["v"], [["k", "> 3", "m"], ["l", "", "0"]], **HIDES)
    ),
    "a table that collects": row(
        MADE,
        table(
            "h",
            ["a"],
            ["v"],
            [["k", "> 2", "m"], ["l", "", "0"]],
            hitPolicy="collect",
            outputPath="p",
            **HIDES,
        ),
    ),
    "one of two ways": Case(
        [HIDDEN, MADE, expressions("j", {"last": "y + m"})],
        ["in>e", "e>h", "h>j", "e>j", "j>out"],
    ),
    "both of two ways": Case(
        [MADE, HIDDEN, expressions("g", {"w": "m"}, **HIDES), expressions("j", {"last": "y + w"})],
        ["in>e", "e>h", "e>g", "h>j", "g>j", "j>out"],
    ),
    "a decision": row(MADE, decision("d", "cut", passThrough=False), cut=CUT),
    "a decision under a path": row(MADE, decision("d", "cut", "p", passThrough=False), cut=CUT),
    "a decision in which all pass on": row(
        MADE, decision("d", "keep", passThrough=False), keep=KEEP
    ),
    "a node inside a decision": row(MADE, decision("d", "cut", "p"), cut=CUT),
    "a node inside a decision, and the decision passes on": row(
        MADE, decision("d", "cut"), cut=CUT
    ),
    "a decision about an object": row(
        MADE, decision("d", "sub", "p", passThrough=False, inputField="o"), sub=SUB
    ),
}
READING = {
    "an expression node": row(expressions("e", {"k": "x + deep.z"}, inputField="o")),
    "an earlier key": row(expressions("e", {"k": "x", "j": "$.k + x"}, inputField="o")),
    "a key of the name that it reads": row(expressions("e", {"x": "x + 1"}, inputField="o")),
    "an object in an object": row(
        expressions("e", {"k": "z"}, inputField="o.deep", outputPath="p")
    ),
    "a table": row(table("t", ["x"], ["v", "w"], ROWS, inputField="o")),
    "a table under a path": row(
        table("t", ["x"], ["v", "w"], ROWS, inputField="o", outputPath="p")
    ),
    "a table with conditions": row(table("t", ["x", "s", ""], ["v"], BANDS, inputField="o")),
    "a table by priority": row(
        table(
            "t",
            ["x"],
            ["v", "priority"],
            [["k", "> 3", "x", "1"], ["l", "", "0", "2"]],
            inputField="o",
            hitPolicy="priority",
        )
    ),
    "an operand": row(
        table("t", ["x"], ["v"], [["k", "> deep.z", "1"], ["l", "", "2"]], inputField="o")
    ),
    "what a node made": row(
        expressions("e", {"p.k": "a"}), expressions("j", {"y": "k + 1"}, inputField="p")
    ),
    "a table that collects": row(
        table(
            "t",
            ["x"],
            ["v"],
            [["k", "> 3", "x"], ["l", "", "0"]],
            inputField="o",
            hitPolicy="collect",
            outputPath="p",
        )
    ),
    "a decision": row(decision("d", "sub", inputField="o"), sub=SUB),
    "a decision under a path": row(decision("d", "sub", "p", inputField="o"), sub=SUB),
    "a decision in a decision": row(decision("d", "deep", "p", inputField="o"), deep=DEEP, low=LOW),
}
REPEATING = {
    "a loop": row(expressions("e", COSTS, **LOOP)),
    "a loop that hides": row(MADE, expressions("g", COSTS, **LOOP, **HIDES)),
    "what reads its results": row(
        expressions("e", COSTS, **LOOP),
        expressions("j", {"sum": "sum(map(p, #.cost))", "late": 'some(p, #.word == "late")'}),
    ),
    "over what a table collects": row(
        table(
            "t",
            ["a"],
            ["v"],
            [["k", "> 2", "a"], ["l", "", "1"]],
            hitPolicy="collect",
            outputPath="c",
        ),
        expressions("e", {"w": "v * 10"}, **{**LOOP, "inputField": "c"}),
    ),
    "over the results of a loop": row(
        expressions("e", COSTS, **LOOP),
        expressions("j", {"w": "cost + 1"}, executionMode="loop", inputField="p", outputPath="r"),
    ),
    "inside a decision": row(
        decision("d", "k", "q", inputField="o"),
        k=subgraph([expressions("e", {"u": "x"})], ["in>e", "e>out"], INNER),
    ),
    "with a closure of its own": row(
        expressions("e", {"n": "rest + sum(map([1, 2], # * 2))"}, **LOOP)
    ),
}
CASES = {
    f"{what}: {name}": case
    for what, cases in (("hides", HIDING), ("reads", READING), ("repeats", REPEATING))
    for name, case in cases.items()
}


def exact(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(exact(item) for item in value)
    if isinstance(value, dict):
        return {name: exact(item) for name, item in value.items()}
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return Decimal(str(value)).normalize() if number else value


def flat(values: Json, prefix: str = "") -> Json:
    found: Json = {}
    for name, value in values.items():
        inner = isinstance(value, dict)
        found |= flat(value, f"{prefix}{name}.") if inner else {prefix + name: exact(value)}
    return found


def by_zen(case: Case, inputs: Json) -> Any:
    policy = case.document
    others = {
        key: {"contentType": policy["contentType"], **each} for key, each in case.decisions.items()
    }
    content = {"policy": in_zen(policy), **{key: in_zen(each) for key, each in others.items()}}
    engine = zen.ZenEngine({"loader": {"type": "static", "content": content}})
    return engine.evaluate("policy", inputs)["result"]


def in_zen(policy: Json) -> Json:
    """A table by priority whose rows stand in the order of their numbers is one by first."""
    nodes = [
        {**each, "content": {**each["content"], "hitPolicy": "first"}}
        if each["content"].get("hitPolicy") == "priority"
        else each
        for each in policy["nodes"]
    ]
    return {**policy, "nodes": nodes}


def at(result: Any, ours: Any) -> Any:
    """ZEN's result where we have one: it also echoes what a decision or an element was given."""
    if isinstance(ours, list):
        return [at(one, other) for one, other in zip(result, ours, strict=True)]
    if isinstance(ours, dict):
        return {name: at(result.get(name), value) for name, value in ours.items()}
    return result


def has(result: Any, name: str) -> bool:
    for part in name.split("."):
        if part not in result:
            return False
        result = result[part]
    return True


def plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    if isinstance(value, Entry):
        return {name: exact(item) for name, item in value.fields}
    return exact(value)


def shown(policy: CompiledPolicy) -> frozenset[str]:
    """The names that the end of a policy sees."""
    order = ordered(policy.document)
    seen = next(order.before[node.id] for node in order.nodes if isinstance(node, OutputNode))
    names = examine(policy.document, {}).names
    assert names is not None
    return frozenset(name for name, makers in names.makers.items() if seen & set(makers))


def nested(values: Json) -> Json:
    found: Json = {}
    for name, value in values.items():
        place = found
        *parts, last = name.split(".")
        for part in parts:
            place = place.setdefault(part, {})
        place[last] = value
    return found


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("inputs", INPUTS, ids=["empty", "full"])
def test_the_values_that_the_end_sees_are_those_of_zen(name: str, inputs: Json) -> None:
    case = CASES[name]
    policy = compile_policy(raw(case.document), {})
    values = flat(inputs)
    found = policy.evaluate(values, {})
    settled = policy.settle(policy.start(values, {}))
    seen, made = shown(policy), {n: v for n, v in found.values.items() if v is not None}
    ours = nested({name: plain(value) for name, value in made.items() if name in seen})
    theirs = by_zen(case, inputs)

    assert found == policy._partly_known(settled)
    assert (found.missing, found.uncovered) == ({}, ())
    assert exact(at(theirs, ours)) == exact(ours)
    assert ours
    assert [name for name in {"a", *made} - seen if has(theirs, name)] == []
