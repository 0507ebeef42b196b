"""Evaluation: inputs at the edge, value tables, functions, results, bits, manifests."""

from collections.abc import Mapping
from decimal import Context, Decimal, InvalidOperation, localcontext
from typing import Any

import pytest

from decision_engine.policy.compile import compile_policy
from decision_engine.policy.evaluation import RuleResult, pack, unpack
from decision_engine.policy.values import plain
from domain.canonical import sha256_text
from domain.errors import PermanentError
from tests.unit.policy.build import (
    Json,
    built,
    compiled,
    document,
    expressions,
    function,
    raw,
    rules,
    table,
)

LATE = rules(("late", "n >= 3", "decline"))
NUMBER: Json = {"v": {"type": "number", "x-scale": 2}, "w": {"type": "string"}}
D = Decimal


@pytest.mark.parametrize(
    ("name", "value", "admitted"),
    [
        ("a", D("1.5"), D("1.50")),
        ("a", D("-0.00"), D(0)),
        ("a", D("-0.01"), None),
        ("a", D("1.505"), None),
        ("a", D("1.500"), D("1.50")),
        ("a", D("1E+2"), D(100)),
        ("a", D(10) ** 18, None),
        ("a", D(10) ** 18 - 1, D(10) ** 18 - 1),
        ("a", D("NaN"), None),
        ("a", D("sNaN"), None),
        ("a", D("Infinity"), None),
        ("a", D("1E-999999"), None),
        ("a", D("1E+999999"), None),
        ("a", 3, None),
        ("a", 3.0, None),
        ("a", "3", None),
        ("a", True, None),
        ("a", None, None),
        ("b", D("-10.25"), D("-10.25")),
        ("n", D(10), D(10)),
        ("n", D(11), None),
        ("n", D("2.5"), None),
        ("s", "x", "x"),
        ("s", "q", None),
        ("s", D(1), None),
        ("t", "anything", "anything"),
        ("t", "", ""),
        ("t", 5, None),
        ("f", True, True),
        ("f", False, False),
        ("f", 1, None),
        ("f", "true", None),
    ],
)
@pytest.mark.parametrize("traps", [[InvalidOperation], []])
def test_what_does_not_fit_its_field_is_missing(
    name: str, value: Any, admitted: Any, traps: list[Any]
) -> None:
    policy = compiled(expressions("e", {"v": name}))

    with localcontext(Context(traps=traps)):
        found = policy.evaluate({name: value}, {})

    assert found.values["v"] == admitted
    assert found.missing == ({} if admitted is not None else {"v": (name,)})


def test_inputs_that_nothing_reads_do_not_matter() -> None:
    policy = compiled(LATE)

    assert [item.name for item in policy.reads] == ["n"]
    assert policy.evaluate({"n": D(3), "other": "x"}, {}) == policy.evaluate({"n": D(3)}, {})


def test_results_and_bits_are_in_rule_order() -> None:
    policy = compiled(
        rules(
            ("one", "n >= 3", "decline"),
            ("two", "n >= 9", "refer"),
            ("three", "a > 1", "reduce", "decline"),
            ("four", "true", "refer"),
            ("five", "a > 1 and n > 1", "refer", "no_hit_if_missing"),
            ("six", "a > 1", "refer"),
        )
    )
    found = policy.evaluate({"n": D(3)}, {})

    assert found.results == (
        RuleResult("one", "C-one", "decline", "hit"),
        RuleResult("two", "C-two", "refer", "no_hit"),
        RuleResult("three", "C-three", "reduce", "not_evaluable", ("a",), "decline"),
        RuleResult("four", "C-four", "refer", "hit"),
        RuleResult("five", "C-five", "refer", "no_hit", ("a",), "no_hit_if_missing"),
        RuleResult("six", "C-six", "refer", "not_evaluable", ("a",)),
    )
    consequences = [item.consequence for item in found.results]
    assert consequences == ["decline", None, "decline", "refer", None, "refer"]
    assert found.bits == bytes([0b01001001, 0b00100000])
    assert unpack(found.bits, 6) == tuple(item.result for item in found.results)
    assert [rule.id for rule in policy.rules] == [item.rule_id for item in found.results]


def test_bits() -> None:
    assert pack(b"") == b""
    assert pack(bytes([3])) == bytes([0b11000000])
    assert pack(bytes([0, 1, 2, 3, 1])) == bytes([0b00011011, 0b01000000])
    assert unpack(bytes([0b00011011, 0b01000000]), 5) == (
        *("no_hit", "hit", "not_evaluable", "not_reached"),
        "hit",
    )


BANDS = table(
    "bands",
    ["a", "b"],
    ["band", "cap"],
    [
        ["low", "< 10", "> 1", '"L"', "0.35"],
        ["mid", "< 20", "> 1", '"M"', "b * 2"],
        ["top", "", "> 5", '"T"', "0.10"],
    ],
    outputPath="grid",
)


@pytest.mark.parametrize(
    ("inputs", "band", "cap", "missing", "uncovered"),
    [
        ({"a": D(1), "b": D(2)}, "L", D("0.35"), None, ()),
        ({"a": D(10), "b": D(2)}, "M", D(4), None, ()),
        ({"a": D(20), "b": D(6)}, "T", D("0.10"), None, ()),
        ({"a": D(20), "b": D(2)}, None, None, (), ("BANDS",)),
        ({"a": D(20)}, None, None, ("b",), ()),
        ({"b": D(6)}, None, None, ("a",), ()),
        ({"b": D(1)}, None, None, (), ("BANDS",)),
        ({}, None, None, ("a", "b"), ()),
    ],
)
def test_a_value_table_stops_at_the_first_row_that_is_not_false(
    inputs: Json,
    band: Any,
    cap: Any,
    missing: tuple[str, ...] | None,
    uncovered: tuple[str, ...],
) -> None:
    found = built(BANDS).evaluate(inputs, {})

    assert found.values == {"grid.band": band, "grid.cap": cap}
    names = {} if missing is None else dict.fromkeys(("grid.band", "grid.cap"), missing)
    assert found.missing == names
    assert found.uncovered == uncovered


def test_an_output_can_be_missing_alone() -> None:
    only = table("v", [""], ["x", "y"], [["one", "", "a", "b"]])
    found = compiled(only).evaluate({"a": D(1)}, {})

    assert (found.values, found.missing) == ({"x": 1, "y": None}, {"y": ("b",)})


def test_what_is_missing_carries_its_inputs_through_nodes() -> None:
    policy = compiled(
        expressions("e", {"d.x": "a + b", "d.y": "$.d.x * 2"}),
        expressions("e2", {"z": "d.y > 3 ? 1 : 2"}, outputPath="deep"),
        rules(("r", "deep.z > 0 and n > 0", "refer")),
    )
    found = policy.evaluate({"n": D(1)}, {})

    assert found.results[0].missing == ("a", "b")
    assert found.missing == dict.fromkeys(("d.x", "d.y", "deep.z"), ("a", "b"))
    assert policy.evaluate({"n": D(0)}, {}).results[0].result == "no_hit"


def test_a_node_without_keys_does_nothing() -> None:
    assert compiled(expressions("e", {}), LATE).evaluate({"n": D(3)}, {}).values == {}


class Host:
    """A function of the host that remembers what it was asked."""

    def __init__(self, answer: Mapping[str, Any]) -> None:
        self.answer = answer
        self.calls: list[Mapping[str, Any]] = []

    def __call__(self, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        self.calls.append(arguments)
        return self.answer


PRICED = (
    function({"principal": "a + 1", "segment": "s"}, NUMBER, outputPath="price"),
    rules(("dear", "price.v > 5", "reduce")),
)


def test_a_function_gets_values_and_gives_values() -> None:
    host = Host({"v": D("5.5"), "w": "ok", "more": 1})
    policy = compiled(*PRICED)
    found = policy.evaluate({"a": D(1), "s": "x"}, {"call": host})

    assert host.calls == [{"principal": D(2), "segment": "x"}]
    assert found.values == {"price.v": D("5.50"), "price.w": "ok"}
    assert found.results[0].result == "hit"
    assert policy.functions == ("call",)


def test_a_function_is_not_called_without_an_argument() -> None:
    host = Host({"v": D(1), "w": "ok"})
    found = compiled(*PRICED).evaluate({"s": "x"}, {"call": host})

    assert host.calls == []
    assert found.missing == {"price.v": ("a",), "price.w": ("a",)}
    assert found.results[0].missing == ("a",)


@pytest.mark.parametrize(
    "answer",
    [{"v": None, "w": "ok"}, {"w": "ok"}, {"v": 5, "w": "ok"}, {"v": D("0.001"), "w": "ok"}],
)
def test_an_answer_that_does_not_fit_is_missing_and_stands_in_uncovered(answer: Json) -> None:
    found = compiled(*PRICED).evaluate({"a": D(1), "s": "x"}, {"call": Host(answer)})

    assert found.values == {"price.v": None, "price.w": "ok"}
    assert found.missing == {"price.v": ()}
    assert found.uncovered == ("FN",)
    assert (found.results[0].result, found.results[0].missing) == ("not_evaluable", ())
    assert found.results[0].consequence == "refer"


def test_a_function_that_was_not_given_is_an_error() -> None:
    with pytest.raises(PermanentError, match='the policy calls the function "call", which was not'):
        compiled(*PRICED).evaluate({"a": D(1), "s": "x"}, {})


def test_an_error_of_the_host_comes_through() -> None:
    def broken(_: Mapping[str, Any]) -> Mapping[str, Any]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        compiled(*PRICED).evaluate({"a": D(1), "s": "x"}, {"call": broken})


def test_money_is_compared_exactly() -> None:
    """The brief's case: 1,499.94 and 1,500.01 of 5,000 both print as 30.00 %, one must fail."""
    policy = compiled(rules(("dti", "a > 0.30 * b", "reduce")))

    def result(service: str) -> str:
        return policy.evaluate({"a": D(service), "b": D(5000)}, {}).results[0].result

    assert [result(text) for text in ("1499.94", "1500.00", "1500.01")] == [
        "no_hit",
        "no_hit",
        "hit",
    ]


def test_the_context_of_the_thread_changes_nothing() -> None:
    policy = compiled(expressions("e", {"v": "round(a / 3, 2) + a * b"}))
    inputs = {"a": D("123456.78"), "b": D("98765.43")}
    with localcontext() as context:
        context.prec = 2
        context.clear_traps()
        narrow = policy.evaluate(inputs, {})

    assert narrow == policy.evaluate(inputs, {})


def test_a_compiled_policy_says_what_it_is() -> None:
    text = raw(
        document(LATE, title={"pt-BR": "Um", "en": "One"}, monotone={"n": "lower_is_better"})
    )
    policy = compile_policy(text, {})

    assert policy.hash == sha256_text(text)
    assert (policy.header.id, policy.header.version, policy.header.owner) == ("p", 1, "risk")
    assert policy.header.title == ("Um", "One")
    assert policy.header.monotone == (("n", "lower_is_better"),)
    assert policy.rules[0].description == ""
    assert policy.models == {}


def test_a_policy_cannot_reach_python() -> None:
    """Whatever a policy says, its generated code sees places and constants."""
    strange = "x'; import os; '\" + __import__('os')"
    policy = compiled(
        expressions("e", {"__class__": "t", "v": f't == "{strange.replace(chr(34), "")}"'})
    )

    assert policy.evaluate({"t": "x"}, {}).values == {"__class__": "x", "v": False}


@pytest.mark.parametrize(
    ("value", "scale", "text"),
    [
        (D("1.50"), None, "1.5"),
        (D("1500"), None, "1500"),
        (D("1E+3"), None, "1000"),
        (D("-0.00"), None, "0"),
        (D("-0.00"), 2, "0.00"),
        (D("-1.005"), 2, "-1.00"),
        (D("1.5"), 2, "1.50"),
        (D("0.0000001"), None, "0.0000001"),
        (True, None, "true"),
        (False, None, "false"),
        ("x", None, "x"),
    ],
)
def test_plain_texts(value: Any, scale: int | None, text: str) -> None:
    assert plain(value, scale) == text
