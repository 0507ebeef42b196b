"""Every construct that a policy may not hold, each with the sentence that refuses it."""

from collections.abc import Callable
from typing import Any

import pytest

from decision_engine.policy.check import check
from decision_engine.policy.compile import compile_policy
from decision_engine.policy.findings import Finding, PolicyError
from decision_engine.policy.parse import parse
from decision_engine.policy.strict_json import load
from tests.unit.policy.build import (
    Json,
    custom,
    document,
    expressions,
    function,
    node,
    raw,
    rules,
    table,
)

RULE = rules(("late", "n >= 3", "decline"))


def findings(value: Any) -> list[Finding]:
    return check(parse(raw(value)), {})


def errors(value: Any) -> list[str]:
    return [item.sentence for item in findings(value) if item.severity == "error"]


def warnings(value: Any) -> list[str]:
    return [item.sentence for item in findings(value) if item.severity == "warning"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b"\xff{}", "the file is not UTF-8 text"),
        (b"{", "the file is not JSON: Expecting property name enclosed in double quotes"),
        (b'{"a": 1, "a": 2}', 'the key "a" stands twice in one object'),
        (b'{"a": NaN}', "NaN is not a number"),
        (b'{"a": -Infinity}', "-Infinity is not a number"),
        (b"[" * 100 + b"]" * 100, "the JSON is nested deeper than 64"),
        (b"[" * 100_000 + b"]" * 100_000, "the JSON is nested deeper than 64"),
        (b"9" * 5000, "a number in the JSON is too long"),
        (b'"\\ud800"', "a text holds half a character (a lone surrogate)"),
        (b'{"\\udfff": 1}', "a text holds half a character (a lone surrogate)"),
        (b" " * (16 * 1024 * 1024 + 1), "the file has more than 16777216 bytes"),
        (b"[]", "a policy is one JSON object"),
    ],
)
def test_bytes_that_are_no_policy(text: bytes, sentence: str) -> None:
    with pytest.raises(PolicyError) as refused:
        parse(text)

    assert refused.value.findings[0].sentence.startswith(sentence)
    assert refused.value.code == "policy-invalid"


def test_json_that_is_fine() -> None:
    assert load('{"a": [1, 2.50, "é", null, true]}'.encode())["a"][2] == "é"


Change = Callable[[Json], Any]


def put(path: str, value: Any) -> Change:
    """Set what stands at `a/0/b`."""

    def change(policy: Json) -> None:
        target: Any = policy
        *parts, last = [int(part) if part.isdigit() else part for part in path.split("/")]
        for part in parts:
            target = target[part]
        target[last] = value

    return change


NODES = "nodes"
CELL = "nodes/1/content/rules/0"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (put("contentType", "x"), 'contentType must be "application/vnd.gorules.decision"'),
        (put("x-other", 1), 'the policy has the unknown field "x-other"'),
        (put("x-policy", []), "x-policy must be an object"),
        (put("x-policy/x", 1), 'x-policy has the unknown field "x"'),
        (put("x-policy/id", " "), 'x-policy needs "id", a text'),
        (put("x-policy/version", 0), "version must be a whole number from 1 to 1000000000"),
        (
            put("x-policy/version", value=True),
            "version must be a whole number from 1 to 1000000000",
        ),
        (put("x-policy/version", "1"), "version must be a whole number from 1 to 1000000000"),
        (put("x-policy/title", {"en": "x"}), 'title must be a text, or an object with "pt-BR"'),
        (put("x-policy/title", {"en": 1, "pt-BR": "x"}), "title must be a text, or an object"),
        (put("x-policy/monotone", {"n": "up"}), 'monotone "n" must be one of: higher_is_better'),
        (put("x-policy/monotone", []), "monotone must be an object"),
        (put("nodes", {}), "nodes must be a list"),
        (put("nodes/1", 7), "each of nodes must be an object"),
        (put("nodes", [{}] * 201), "a policy has at most 200 nodes"),
        (put("edges", [{}] * 1001), "a policy has at most 1000 edges"),
        (put("edges/0/sourceHandle", "s1"), "only an edge that leaves a switch has a sourceHandle"),
        (put("edges/0/sourceHandle", 7), 'an edge needs "sourceHandle", a text'),
        (put("edges/0/targetHandle", "t"), "the targetHandle of an edge must be null"),
        (put("edges/0/color", "red"), 'an edge has the unknown field "color"'),
        (put("edges/0/sourceId", "nobody"), 'an edge names the unknown node "nobody"'),
        (put("nodes/1/id", "in"), 'the node id "in" is used 2 times'),
        (put("nodes/1/name", "IN"), 'the node name "IN" is used 2 times'),
        (put("nodes/1/color", 1), 'the node has the unknown field "color"'),
        (put("nodes/1/id", ""), 'a node needs "id", a text'),
        (put("nodes/0/content/x", 1), 'an input node has the unknown field "x"'),
        (put("nodes/2/content/schema", "{}"), "a schema of the output node is not supported"),
        (put("nodes/1/content/passThrough", 1), "passThrough must be true or false"),
        (put("nodes/1/content/inputField", "a-b"), "inputField must be a dotted name"),
        (put("nodes/1/content/executionMode", "all"), 'executionMode "all" is not supported'),
        (put("nodes/1/content/outputPath", "a-b"), "outputPath must be a dotted name"),
        (put("nodes/1/content/hitPolicy", "first"), 'the hitPolicy of a rule table must be "col'),
        (put("nodes/1/content/hitPolicy", "unique"), 'the hitPolicy of a rule table must be "col'),
        (put("nodes/1/content/hitPolicy", "any"), 'the hitPolicy "any" is not supported'),
        (put("nodes/1/content/x", 1), 'a decision table has the unknown field "x"'),
        (put("nodes/1/content/rules", []), "a table has 1 to 20000 rows"),
        (put("nodes/1/content/rules", [{}] * 20_001), "a table has 1 to 20000 rows"),
        (put("nodes/1/content/inputs", [{"id": "q"}] * 201), "a table has at most 200 columns"),
        (put("nodes/1/content/inputs/0/defaultValue", "1"), "a default value would hide missing"),
        (put("nodes/1/content/inputs/0/x", "1"), 'a column has the unknown field "x"'),
        (put("nodes/1/content/inputs/0/id", "o0"), 'the column id "o0" is used 2 times'),
        (put("nodes/1/content/inputs/0/field", "a +"), "syntax: the expression ends too early"),
        (put("nodes/1/content/outputs/1/field", "code"), "a table needs at least one output"),
        (put("nodes/1/content/outputs/1/field", "other"), 'a rule table needs the output "effect"'),
        (put("nodes/1/content/outputs/0/field", "other"), 'a rule table needs the output "code"'),
        (put("nodes/1/content/outputs/2/field", "x"), 'a rule table has no output "x": only code'),
        (put(f"{CELL}/_id", ""), "a row needs an _id: 1 to 64 letters"),
        (put(f"{CELL}/_id", "a b"), "a row needs an _id: 1 to 64 letters"),
        (put(f"{CELL}/zz", ">1"), 'a row has the unknown field "zz"'),
        (put(f"{CELL}/i0", 5), '"i0" of a row must be a text'),
        (put(f"{CELL}/i0", "n > > 1"), 'syntax: unexpected ">" at 5'),
        (put(f"{CELL}/o0", ""), "the reason code is missing"),
        (put(f"{CELL}/o0", "R05"), "the reason code is missing"),
        (put(f"{CELL}/o0", '"a" + "b"'), "the reason code is missing"),
        (put(f"{CELL}/o1", '"approve"'), 'the effect must be one of: "decline", "refer", "reduce"'),
        (put(f"{CELL}/o1", ""), 'the effect must be one of: "decline", "refer", "reduce"'),
        (put(f"{CELL}/o2", '"approve"'), 'onMissing must be one of: "refer", "decline", "no_hit'),
        (put(f"{CELL}/o2", "refer"), 'onMissing must be one of: "refer", "decline", "no_hit'),
    ],
)
def test_form(change: Change, sentence: str) -> None:
    policy = document(RULE)
    assert errors(policy) == []

    change(policy)

    assert any(found.startswith(sentence) for found in errors(policy)), errors(policy)
    with pytest.raises(PolicyError):
        compile_policy(raw(policy), {})


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("functionNode", "is refused for ever: JavaScript can read clocks, randomness"),
        ("httpNode", "is not known to this version"),
    ],
)
def test_node_kinds_are_refused_by_name(kind: str, sentence: str) -> None:
    (found,) = errors(document(node("x", kind, {}), RULE))

    assert found.startswith(f'the node kind "{kind}" {sentence}')


@pytest.mark.parametrize(
    ("broken", "sentence"),
    [
        (custom("c", "pdModel", {}), 'the custom node kind "pdModel" is not known to this version'),
        (custom("c", "scorecard", {}), 'a scorecard node needs "model", a text'),
        (custom("c", "scorecard", {"model": "m", "x": 1}), "a scorecard node has the unknown fie"),
        (custom("c", "scorecard", {"model": "m"}), 'the scorecard "m" was not given'),
        (function({"a-b": "a"}, {"v": {"type": "number"}}), 'the argument "a-b" is no name'),
        (function({"q": "a +"}, {"v": {"type": "number"}}), "syntax: the expression ends too ear"),
        (function({"q": ""}, {"v": {"type": "number"}}), "an expression must be a text that is n"),
        (function({"q": "a"}, {}), "a function node declares its outputs: name, type and x-scale"),
        (function({"q": "a"}, {"v-w": {"type": "number"}}), 'the output "v-w" is no name'),
        (function({"q": "a"}, {"v": {"type": "date"}}), '"call.v" needs a type: number, integer,'),
        (function({"q": "a"}, {"v": {"type": "number", "x": 1}}), 'the output "v" has the unknown'),
        (function({"q": "a"}, {"v": 1}), 'the output "v" must be an object'),
        (expressions("e", {"a-b": "1"}), "the key of an expression must be a dotted name"),
        (expressions("e", {"v": "1"}, extra=1), 'an expression node has the unknown field "extra"'),
        (expressions("e", {"v": "zz"}), 'unknown field "zz"'),
        (expressions("e", {"v": "1", "w": "v"}), '"v" is made in this node: write it with $.'),
        (expressions("e", {"v": "$.w", "w": "1"}), 'unknown field "w"'),
        (expressions("e", {"v": "$.a"}), '"a" is no earlier key of this node: write it without'),
        (expressions("e", {"a": "1"}), 'the name "a" is made twice'),
        (expressions("e", {"a.x": "1"}), 'the name "a.x" is inside another name, or another insi'),
        (expressions("e", {"p.q.r": "1", "p.q": "1"}), 'the name "p.q" is inside another name'),
        (expressions("e", {"v": 'a + "x"'}), "arithmetic needs a number, found a string"),
        (expressions("e", {"v": "f > 1"}), "the operator > needs a number, found a boolean"),
        (expressions("e", {"v": 's < "y"'}), "the operator < needs a number, found a string"),
        (expressions("e", {"v": 'a == "y"'}), "a number is never equal to a string"),
        (expressions("e", {"v": 'a in [1, "y"]'}), "a number is never equal to a string"),
        (expressions("e", {"v": "s in [1..2]"}), "a range needs a number, found a string"),
        (expressions("e", {"v": "a in [2..1]"}), "the range is empty"),
        (expressions("e", {"v": "a in (2..2]"}), "the range is empty"),
        (expressions("e", {"v": "a and f"}), "and, or, not needs a boolean, found a number"),
        (expressions("e", {"v": "not a"}), "and, or, not needs a boolean, found a number"),
        (expressions("e", {"v": "a ? 1 : 2"}), "the condition of ? : needs a boolean, found a nu"),
        (expressions("e", {"v": 'f ? 1 : "x"'}), "the two sides of ? : must be of one type, foun"),
        (expressions("e", {"v": "round(a / 0, 2)"}), "division by zero"),
        (expressions("e", {"v": "round(a / 0.00, 2)"}), "division by zero"),
        (expressions("e", {"v": 's == "q"'}), '"q" is no value of s: x, y, z'),
        (expressions("e", {"v": '"q" == s'}), '"q" is no value of s: x, y, z'),
        (expressions("e", {"w": '"k"'}), ""),
        (expressions("e", {"v": "zz == null"}), 'only an input can be compared with null, "zz" is'),
        (table("v", ["a"], ["o"], [["1", "", "1"]], hitPolicy="any"), 'the hitPolicy "any" is not'),
        (
            table("v", ["a"], ["o"], [["1", "", "1"]], hitPolicy="collect"),
            "a table that collects needs an",
        ),
        (table("v", ["a"], ["o"], [["1", "", "1"], ["2", "", '"x"']]), "the rows of an output ha"),
        (table("v", ["a"], ["o"], [["1", "", ""]]), "an expression must be a text that is not em"),
        (table("v", ["a"], ["o"], [["1", "> > 1", "1"]]), 'syntax: unexpected ">" at 3'),
        (table("v", ["a"], ["o-p"], [["1", "", "1"]]), "an output must be a dotted name"),
        (table("v", ["a"], ["o"], [["1", "", "1"], ["1", "", "1"]]), 'the row id "1" is used 2 t'),
        (table("v", ["a"], [], [["1", ""]]), "a table needs at least one output"),
        (table("v", [""], ["o"], [["1", "a", "1"]]), "a condition needs a boolean, found a numbe"),
        (table("v", ["zz"], ["o"], [["1", "> 1", "1"]]), 'unknown field "zz"'),
        (table("v", ["a"], ["o"], [["1", "> zz", "1"]]), 'unknown field "zz"'),
        (table("v", ["a"], ["o"], [["1", "", "zz"], ["2", "", "zz"]]), 'unknown field "zz"'),
        (rules(("late", "n >= 3", "decline")), 'the rule id "late" is used 2 times'),
    ],
)
def test_nodes(broken: Json, sentence: str) -> None:
    found = errors(document({**broken, "id": "x", "name": "X"}, RULE))

    if sentence:
        assert any(item.startswith(sentence) for item in found), found
    else:
        assert found == []


def test_a_value_is_seen_only_behind_its_node() -> None:
    """Two branches: what one makes, the other cannot see; what joins them sees both."""
    policy = document(expressions("e", {"v": "1"}), expressions("g", {"w": "v"}), RULE)
    edges = [("in", "e"), ("in", "g"), ("e", "r"), ("g", "r"), ("r", "out")]
    policy["edges"] = [
        {"id": f"{s}{t}", "type": "edge", "sourceId": s, "targetId": t} for s, t in edges
    ]

    assert errors(policy) == ['"v" is made by a node that does not come before this one']
    policy["nodes"][2]["content"]["expressions"][0]["value"] = "2"
    assert errors(policy) == []


@pytest.mark.parametrize(
    ("edges", "sentence"),
    [
        ([("in", "e"), ("e", "g"), ("g", "e"), ("e", "out")], "the node is in a cycle, or behind"),
        ([("in", "e"), ("e", "out"), ("g", "out")], "the node is unreachable: no path from the i"),
        ([("in", "e"), ("e", "out"), ("e", "g")], "the node is lost: no path leads from it to th"),
        ([("in", "e"), ("in", "e"), ("e", "out")], "two edges join the same nodes"),
        ([], "the node is unreachable: no path from the input leads to it"),
    ],
)
def test_paths(edges: list[tuple[str, str]], sentence: str) -> None:
    policy = document(expressions("e", {"v": "1"}), expressions("g", {"w": "2"}))
    policy["edges"] = [
        {"id": f"e{i}", "type": "edge", "sourceId": s, "targetId": t}
        for i, (s, t) in enumerate(edges)
    ]

    assert any(found.startswith(sentence) for found in errors(policy)), errors(policy)


def test_there_is_one_input_and_one_output() -> None:
    policy = document(RULE)
    policy["nodes"] = policy["nodes"][1:2]
    policy["edges"] = []

    assert errors(policy) == [
        "a policy has exactly one inputNode, found 0",
        "a policy has exactly one outputNode, found 0",
    ]


def test_too_many_rows_and_cells() -> None:
    row = {f"i{i}": "" for i in range(20)}
    large = table("v", [], ["o"], [["x", "1"]], rules=[row] * 20_001)
    long = table("w", [], ["p"], [["x", "1"]], rules=[{}] * 30_000)

    found = errors(document(large, long))

    assert {"a policy has at most 50000 rows", "a policy has at most 400000 cells"} < set(found)


def test_a_rule_table_wants_a_path() -> None:
    bare = rules(("late", "n >= 3", "decline"), outputPath=None)

    assert "a rule table needs an outputPath to keep ZEN's context whole" in warnings(
        document(bare)
    )


def test_monotone_names_inputs() -> None:
    policy = document(RULE, monotone={"n": "lower_is_better", "zz": "higher_is_better"})

    assert errors(policy) == ['monotone names "zz", which is no input']


def test_findings_say_where() -> None:
    policy = document(RULE)
    policy["nodes"][1]["content"]["rules"][0]["i0"] = "n >"

    (found,) = [item for item in findings(policy) if item.severity == "error"]

    assert (found.node, found.row, found.cell) == ("r", "late", "condition")
    assert found.pointer == "/r/late/condition"
    with pytest.raises(PolicyError) as refused:
        compile_policy(raw(policy), {})
    assert refused.value.problems[0].pointer == "/r/late/condition"
    assert str(refused.value) == f"/r/late/condition: {found.sentence}"
