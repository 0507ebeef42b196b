"""Graphs whose meaning ZEN and this engine share: first tables, switches, sub-decisions."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest
import zen

from decision_engine.policy.compile import compile_policy
from tests.unit.policy.build import (
    Json,
    decision,
    expressions,
    graph,
    raw,
    rules,
    subgraph,
    switch,
    table,
    using,
)

PROPERTIES: Json = {
    "a": {"type": "number", "x-scale": 2},
    "b": {"type": "number", "x-scale": 2},
    "s": {"type": "string", "enum": ["x", "y", "z"]},
    "f": {"type": "boolean"},
}
INPUTS: list[dict[str, Any]] = [
    {"a": Decimal(a), "b": Decimal(b), "s": s, "f": f}
    for a, b, s, f in [
        ("0", "0", "x", False),
        ("1.50", "3", "y", True),
        ("2", "2", "z", False),
        ("3", "-1.25", "x", True),
        ("7", "10", "y", False),
    ]
]


@dataclass(frozen=True)
class Case:
    """A graph and the graphs that it uses; ZEN gets those as documents of their own."""

    nodes: list[Json]
    ways: list[str]
    decisions: dict[str, Json] = field(default_factory=dict)


def first(identity: str = "t") -> Json:
    rows = [["low", "< 2", "", "1", '"low"'], ["yes", "", "f", "b + 1", '"yes"']]
    return table(identity, ["a", ""], ["o", "word"], [*rows, ["else", "", "", "0", '"else"']])


ONE, TWO = expressions("one", {"x": "a + 1"}), expressions("two", {"x": "b * 2", "y": "a"})
BY_A = switch("s", ("yes", "a > 1"), ("more", "a > 2"), ("no", ""))
BOTH = switch("s", ("yes", "a > 1"), ("more", "f"), ("no", ""), policy="collect")
THREE = expressions("three", {"z": "7"})
MORE = expressions("more", {"m": "a - b"})
FORK = ["in>s", "s:yes>one", "s:more>more", "s:no>three"]
JOIN = ["one>j", "more>j", "three>j", "j>out"]
AFTER = expressions("j", {"last": "b + 1"})
KYC = subgraph([expressions("e", {"w": "a * 2"}), first()], ["in>e", "e>t", "t>out"], PROPERTIES)
SWITCHED = subgraph(
    [switch("s", ("yes", "f"), ("no", "")), ONE, TWO],
    ["in>s", "s:yes>one", "s:no>two", "one>out", "two>out"],
    PROPERTIES,
)
OUTER = subgraph([decision("i", "kyc", "in_kyc")], ["in>i", "i>out"], PROPERTIES)

CASES = {
    "a first table": Case([first()], ["in>t", "t>out"]),
    "two tables, the second reads the first": Case(
        [first(), table("u", ["word"], ["v"], [["a", '"low"', "o + 1"], ["b", "", "b"]])],
        ["in>t", "t>u", "u>out"],
    ),
    "a table under a path": Case(
        [table("t", ["s"], ["o"], [["x", '"x"', "1"], ["r", '"y", "z"', "2"]], outputPath="p.q")],
        ["in>t", "t>out"],
    ),
    "a switch by first": Case([BY_A, ONE, MORE, THREE, AFTER], [*FORK, *JOIN]),
    "a switch by collect": Case([BOTH, ONE, MORE, THREE, AFTER], [*FORK, *JOIN]),
    "two branches make one name, a node after them reads it": Case(
        [switch("s", ("yes", "a > 1"), ("no", "")), ONE, TWO, expressions("j", {"k": "x + 1"})],
        ["in>s", "s:yes>one", "s:no>two", "one>j", "two>j", "j>out"],
    ),
    "a way that leads straight on": Case(
        [switch("s", ("yes", "f"), ("no", "")), ONE, AFTER],
        ["in>s", "s:yes>one", "s:no>j", "one>j", "j>out"],
    ),
    "two statements that lead to one node": Case(
        [switch("s", ("yes", "a > 2"), ("also", 's == "x"'), ("no", "")), ONE, THREE],
        ["in>s", "s:yes>one", "s:also>one", "s:no>three", "one>out", "three>out"],
    ),
    "a switch in a branch": Case(
        [
            switch("s", ("yes", "a > 1"), ("no", "")),
            switch("t", ("deep", "b > 2"), ("rest", "")),
            ONE,
            TWO,
            THREE,
        ],
        [
            *("in>s", "s:yes>t", "s:no>three", "t:deep>one", "t:rest>two"),
            *("one>out", "two>out", "three>out"),
        ],
    ),
    "a switch that reads a table": Case(
        [first(), switch("s", ("yes", 'word == "low"'), ("no", "")), ONE, TWO],
        ["in>t", "t>s", "s:yes>one", "s:no>two", "one>out", "two>out"],
    ),
    "a node that is reached beside a switch": Case(
        [switch("s", ("yes", "f"), ("no", "")), ONE, THREE, MORE, AFTER],
        ["in>s", "in>more", "s:yes>one", "s:no>three", "one>j", "more>j", "three>out", "j>out"],
    ),
    "a decision": Case([decision("d", "kyc")], ["in>d", "d>out"], {"kyc": KYC}),
    "a decision under a path, and what reads it": Case(
        [decision("d", "kyc", "k"), expressions("j", {"v": "k.w + k.o"})],
        ["in>d", "d>j", "j>out"],
        {"kyc": KYC},
    ),
    "a decision with a switch": Case(
        [decision("d", "fork", "k"), AFTER], ["in>d", "d>j", "j>out"], {"fork": SWITCHED}
    ),
    "a decision inside a decision": Case(
        [decision("d", "outer", "o")], ["in>d", "d>out"], {"outer": OUTER, "kyc": KYC}
    ),
    "a decision in a branch": Case(
        [switch("s", ("yes", "f"), ("no", "")), decision("d", "kyc"), AFTER],
        ["in>s", "s:yes>d", "s:no>j", "d>j", "j>out"],
        {"kyc": KYC},
    ),
}


def document(case: Case) -> Json:
    made = graph(case.nodes, case.ways, PROPERTIES)
    return using(made, **case.decisions) if case.decisions else made


def numbers(values: Any) -> Any:
    if isinstance(values, dict):
        return {name: numbers(value) for name, value in values.items()}
    if isinstance(values, int | float) and not isinstance(values, bool):
        return Decimal(str(values)).normalize()
    return values


def nested(flat: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in flat.items():
        place = found
        *parts, last = name.split(".")
        for part in parts:
            place = place.setdefault(part, {})
        place[last] = value.normalize() if isinstance(value, Decimal) else value
    return found


def by_zen(case: Case, values: dict[str, Any]) -> Any:
    policy = document(case)
    others = {
        key: {"contentType": policy["contentType"], **each} for key, each in case.decisions.items()
    }
    content = {"policy": policy, **others}
    engine = zen.ZenEngine({"loader": {"type": "static", "content": content}})
    plain = {n: float(v) if isinstance(v, Decimal) else v for n, v in values.items()}
    return numbers(engine.evaluate("policy", plain)["result"])


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("values", INPUTS)
def test_the_values_are_those_of_zen(name: str, values: dict[str, Any]) -> None:
    case = CASES[name]

    found = compile_policy(raw(document(case)), {}).evaluate(values, {})

    assert (found.missing, found.uncovered) == ({}, ())
    made = {each: value for each, value in found.values.items() if value is not None}
    expected = by_zen(case, values)
    assert made
    assert nested(made) == without_inputs(expected)


def without_inputs(result: Any) -> Any:
    """ZEN passes the inputs through, into every decision under a path too."""
    if not isinstance(result, dict):
        return result
    return {n: without_inputs(v) for n, v in result.items() if n not in PROPERTIES}


@pytest.mark.parametrize("values", INPUTS)
def test_the_rules_of_a_branch_are_those_that_zen_lists(values: dict[str, Any]) -> None:
    low = rules(("low", "b > 1", "decline"), identity="low", outputPath="low")
    high = rules(("high", "b > 2", "refer"), identity="high", outputPath="high")
    ways = ["in>s", "s:yes>low", "s:no>high", "low>out", "high>out"]
    case = Case([switch("s", ("yes", "a > 1"), ("no", "")), low, high], ways)

    found = compile_policy(raw(document(case)), {}).evaluate(values, {})

    listed = by_zen(case, values)
    for result in found.results:
        expected = "not_reached"
        if result.rule_id in listed:
            expected = "hit" if listed[result.rule_id] else "no_hit"
        assert result.result == expected


def test_where_zen_gives_nothing_at_all_the_policy_is_uncovered() -> None:
    case = Case([switch("s", ("yes", "a > 1")), ONE], ["in>s", "s:yes>one", "one>out"])
    values = INPUTS[0]

    assert by_zen(case, values) == {}
    found = compile_policy(raw(document(case)), {}).evaluate(values, {})
    assert found.uncovered == ("S", "OUT")
