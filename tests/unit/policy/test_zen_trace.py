"""The trace for the visual editor has the shape, keys and values of the ZEN engine's own."""

import json
from decimal import Decimal
from typing import Any

import pytest
import zen

from decision_engine.policy.compile import build, compile_policy
from decision_engine.policy.parse import parse
from decision_engine.policy.scorecard import Scorecard
from decision_engine.policy.values import Value, entry_of
from decision_engine.policy.zen_trace import zen_trace
from tests.unit.policy.build import (
    Json,
    custom,
    decision,
    document,
    expressions,
    function,
    graph,
    model,
    raw,
    rules,
    subgraph,
    switch,
    table,
    using,
)

POLICY = document(
    expressions("e", {"cap.a": "0.25 * a", "b": "$.cap.a + 1"}, outputPath="made"),
    expressions("plain", {"flat": "a - b"}),
    rules(
        ("over", ">= 3", "", "decline"),
        ("any", "", "made.cap.a > 0", "refer", "decline"),
        ("never", ">= 10", "", "refer"),
        fields=("n", ""),
        outputPath="rules.hard",
    ),
    table(
        "band",
        ["a", ""],
        ["name", "limit"],
        [
            ["low", "< 100", "", '"low"', "1"],
            ["prime", "", 's == "x"', '"prime"', "a * 2"],
            ["rest", "", "", '"high"', "a + 1.5"],
        ],
        outputPath="band",
    ),
)


def shape(value: Any) -> Any:
    """Return numbers as exact decimals and no times, so that two traces can be compared."""
    if isinstance(value, dict):
        return {name: shape(item) for name, item in value.items() if name != "performance"}
    if isinstance(value, list):
        return [shape(item) for item in value]
    numeric = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
    return Decimal(str(value)).normalize() if numeric else value


def by_zen(policy: Json, inputs: dict[str, Any]) -> Any:
    engine = zen.ZenEngine({"loader": {"type": "static", "content": {"p": policy}}})
    return engine.evaluate("p", inputs, {"trace": True})["trace"]


def ours(policy: Json, inputs: dict[str, Value | None]) -> dict[str, Json]:
    return zen_trace(raw(policy), build(parse(raw(policy)), {}), inputs, {})


@pytest.mark.parametrize(
    ("a", "n", "s"), [(50, 0, "y"), (500, 3, "y"), (500, 10, "x"), (99.99, 4, "z"), (100, 2, "x")]
)
def test_it_is_what_zen_gives_for_the_same_policy_and_inputs(a: float, n: int, s: str) -> None:
    rest: dict[str, Any] = {"b": 2, "n": n, "s": s, "t": "text", "f": True}
    exact = {**rest, "a": Decimal(str(a)), "b": Decimal(2), "n": Decimal(n)}

    expected, found = by_zen(POLICY, {"a": a, **rest}), ours(POLICY, exact)

    assert shape(found) == shape(expected)
    assert {tuple(sorted(node)) for node in found.values()} == {
        tuple(sorted(node)) for node in expected.values()
    }
    assert all(node["performance"] is None for node in found.values())


def test_what_a_node_reads_hides_and_repeats_is_shown_as_zen_does() -> None:
    fields: Json = {"type": "object", "properties": {"x": {"type": "number"}}}
    many: Json = {"type": "array", "items": fields, "maxItems": 3}
    loop = {"executionMode": "loop", "inputField": "l", "outputPath": "p"}
    policy = document(
        expressions("e", {"k": "x + 1", "j": "$.k * 2"}, **loop),
        table("v", ["x"], ["y"], [["one", "> 3", "x * 2"], ["two", "", "0"]], inputField="o"),
        expressions("h", {"z": "y + 1"}, passThrough=False, outputPath="q"),
        properties={"o": fields, "l": many},
    )
    expected = by_zen(policy, {"o": {"x": 5}, "l": [{"x": 1}, {"x": 2}]})
    five, items = Decimal(5), tuple(entry_of(("x",), Decimal(n)) for n in (1, 2))
    found = ours(policy, {"o.x": five, "l": items})

    for node in ("e", "v", "h"):
        assert shape(found[node]["traceData"]) == shape(expected[node]["traceData"])
    for place in (found["h"]["output"], found["out"]["input"]):
        assert shape(place) == shape(expected["h"]["output"])
    missing = ours(policy, {"o.x": five})
    assert missing["e"]["traceData"] is None


def test_what_is_missing_is_null_and_stops_a_table_without_a_row() -> None:
    found = ours(POLICY, {"b": Decimal(2), "n": Decimal(3), "s": "x"})

    assert found["in"]["output"]["a"] is None
    assert found["e"]["traceData"] == {"cap.a": {"result": None}, "b": {"result": None}}
    assert [row["rule"]["_id"] for row in found["r"]["traceData"]] == ["over"]
    assert found["band"]["traceData"] is None
    assert found["out"]["input"]["band"] == {"name": None, "limit": None}


def test_no_true_row_is_null() -> None:
    rows = [["one", "f == true", "1"], ["two", "f == true and a > 1", "2"], ["three", "b > 5", "3"]]
    policy = document(table("v", [""], ["x"], rows))

    found = ours(policy, {"f": False, "a": Decimal(1), "b": Decimal(5)})

    assert found["v"]["traceData"] is None
    assert by_zen(policy, {"f": False, "a": 1, "b": 5})["v"]["traceData"] is None


def test_scorecards_functions_and_rules_without_a_path_keep_the_context() -> None:
    card = Scorecard.parse(raw(model()))
    policy = document(
        custom("card", "scorecard", {"model": "m"}),
        function({"p": "a"}, {"q": {"type": "number", "x-scale": 2}}),
        rules(("over", "score.value > 0", "refer"), outputPath=None),
    )
    compiled = compile_policy(raw(policy), {"m": card})

    found = zen_trace(
        raw(policy), compiled, {"a": Decimal(5)}, {"call": lambda given: {"q": given["p"]}}
    )

    assert found["card"]["traceData"] is None
    assert found["fn"]["output"]["call"] == {"q": Decimal("5.00")}
    assert found["out"]["input"]["score"]["value"] == Decimal(500)
    assert [row["index"] for row in found["r"]["traceData"]] == [0]
    assert json.dumps(found, default=str)


def test_switches_decisions_and_unique_tables_are_shown_too() -> None:
    rows = [["one", "a > 1", "1"], ["two", "a <= 1", "2"]]
    policy = using(
        graph(
            [
                table("v", [""], ["x"], rows, hitPolicy="unique"),
                switch("w", ("big", "x > 1"), ("else", "")),
                expressions("b", {"y": "1"}),
                table("c", [""], ["y"], [["only", "", "2"]]),
                decision("d", "inner", "d"),
            ],
            ["in>v", "v>w", "w:big>b", "w:else>c", "b>d", "c>d", "d>out"],
        ),
        inner=subgraph(
            [expressions("e", {"z": "a + 1"})], ["in>e", "e>out"], {"a": {"type": "number"}}
        ),
    )

    found = ours(policy, {"a": Decimal(5)})

    assert found["v"]["traceData"]["rule"]["_id"] == "one"
    assert found["w"]["traceData"] == {"statements": [{"id": "else"}]}
    assert found["c"]["traceData"]["index"] == 0
    assert found["d/e"]["traceData"] == {"d.z": {"result": 6}}
    assert ours(policy, {"a": Decimal(0)})["c"]["traceData"] is None
    unknown = ours(policy, {})
    assert unknown["v"]["traceData"] is unknown["c"]["traceData"] is None
