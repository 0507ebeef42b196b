"""Switches: what is reached, what is not, and what nobody knows."""

from decimal import Decimal
from typing import Any

import pytest

from decision_engine.policy.compile import CompiledPolicy, compile_policy
from decision_engine.policy.evaluation import Evaluation, unpack
from decision_engine.policy.scorecard import Scorecard
from tests.unit.policy.build import (
    Json,
    custom,
    expressions,
    graph,
    model,
    ranges,
    raw,
    rules,
    switch,
    table,
)

D = Decimal
LOW = rules(("low", "b > 1", "decline"), identity="low")
HIGH = rules(("high", "b > 2", "refer"), identity="high")
WAYS = ["in>s", "s:yes>low", "s:no>high", "low>out", "high>out"]
CARD = Scorecard.parse(raw(model(ranges("w", 0, "5", 9, missing_points=3))))


def made(nodes: list[Json], ways: list[str]) -> CompiledPolicy:
    return compile_policy(raw(graph(nodes, ways)), {"m": CARD})


def results(found: Evaluation) -> dict[str, tuple[str, tuple[str, ...]]]:
    assert unpack(found.bits, len(found.results)) == tuple(r.result for r in found.results)
    return {r.rule_id: (r.result, r.missing) for r in found.results}


def two_ways(policy: str = "first", other: str = "") -> CompiledPolicy:
    return made([switch("s", ("yes", "a > 1"), ("no", other), policy=policy), LOW, HIGH], WAYS)


@pytest.mark.parametrize(
    ("policy", "other", "a", "expected"),
    [
        ("first", "", "2", ("hit", "not_reached")),
        ("first", "", "1", ("not_reached", "hit")),
        ("first", "", None, ("not_evaluable", "not_evaluable")),
        ("first", "f", None, ("not_evaluable", "not_evaluable")),
        ("collect", "", "2", ("hit", "hit")),
        ("collect", "", "1", ("not_reached", "hit")),
        ("collect", "", None, ("not_evaluable", "hit")),
        ("collect", "f", None, ("not_evaluable", "hit")),
        ("collect", "not f", None, ("not_evaluable", "not_reached")),
    ],
)
def test_the_rules_of_a_branch(
    policy: str, other: str, a: str | None, expected: tuple[str, str]
) -> None:
    values = {"a": a and D(a), "b": D(3), "f": True}

    found = two_ways(policy, other).evaluate(values, {})

    blamed = {"not_evaluable": ("a",)}
    assert results(found) == {
        name: (result, blamed.get(result, ()))
        for name, result in zip(("low", "high"), expected, strict=True)
    }
    asked = {r.consequence for r in found.results if r.result == "not_reached"}
    assert asked <= {None}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"a": D(2), "f": False}, ()),
        ({"a": D(1), "f": True}, ()),
        ({"a": D(1), "f": False}, ("S", "OUT")),
        ({"a": None, "f": False}, ("S", "OUT")),
        ({"a": None, "f": True}, ("OUT",)),
        ({"a": D(2), "f": None}, ()),
    ],
)
def test_a_switch_by_first_that_may_take_no_way_is_uncovered(
    values: dict[str, Any], expected: tuple[str, ...]
) -> None:
    assert two_ways(other="f").evaluate({**values, "b": D(0)}, {}).uncovered == expected


def test_a_policy_by_collect_whose_output_is_not_reached_is_uncovered() -> None:
    policy = two_ways("collect", "f")

    def uncovered(a: Any, f: Any) -> tuple[str, ...]:
        return policy.evaluate({"a": a, "b": D(0), "f": f}, {}).uncovered

    assert uncovered(D(1), f=False) == ("OUT",)
    assert uncovered(D(1), f=None) == ("OUT",)
    assert uncovered(D(1), f=True) == uncovered(D(2), f=None) == ()


def test_what_comes_after_all_branches_is_reached_whichever_was_taken() -> None:
    ways = [*WAYS[:3], "low>end", "high>end", "end>out"]
    end = rules(("end", "b > 9", "decline"), identity="end")
    policy = made([switch("s", ("yes", "a > 1"), ("no", "")), LOW, HIGH, end], ways)

    found = policy.evaluate({"b": D(0)}, {})

    assert results(found)["end"] == ("no_hit", ())
    assert (results(found)["low"], found.uncovered) == (("not_evaluable", ("a",)), ())


SHARED = ["in>s", "s:yes>one", "s:no>two", "one>end", "two>end", "end>out"]
BRANCHES = [switch("s", ("yes", "a > 1"), ("no", "")), expressions("one", {"x": "a + 1", "y": "1"})]


def shared(two: Json, condition: str, **options: Any) -> CompiledPolicy:
    end = rules(("end", condition, "decline"), identity="end", **options)
    return made([*BRANCHES, two, end], SHARED)


def test_two_branches_make_one_value() -> None:
    policy = shared(expressions("two", {"x": "b * 10"}), "x > 4")

    def found(a: Any) -> tuple[Any, str]:
        evaluation = policy.evaluate({"a": a, "b": D(1)}, {})
        return evaluation.values["x"], evaluation.results[0].result

    assert found(D(2)) == (D(3), "no_hit")
    assert found(D(0)) == (D(10), "hit")
    assert found(None) == (None, "not_evaluable")


def test_a_table_writes_names_that_another_branch_made_in_another_order() -> None:
    two = table("two", ["b", ""], ["y", "z", "x"], [["k", "", "f or true", "7", "8", "9"]])
    policy = shared(two, "x > 4")

    assert policy.evaluate({"a": D(2), "b": D(1), "f": True}, {}).values == {
        "x": D(3),
        "y": D(1),
        "z": None,
    }
    assert policy.evaluate({"a": D(0), "b": D(1), "f": True}, {}).values == {
        "x": D(9),
        "y": D(7),
        "z": D(8),
    }
    assert policy.evaluate({"a": D(0), "f": True}, {}).values["z"] == D(8)


def test_a_value_that_no_branch_made_is_missing_only_for_those_who_ask() -> None:
    two = expressions("two", {"z": "1"})
    asked = shared(two, "z > 0").evaluate({"a": D(2), "b": D(1)}, {})
    unasked = shared(two, "b > 0").evaluate({"a": D(2), "b": D(1)}, {})

    assert (asked.values["z"], asked.missing) == (None, {"z": ()})
    assert results(asked)["end"] == ("not_evaluable", ())
    assert (unasked.values["z"], unasked.missing) == (None, {})
    open_ = shared(two, "b > 0").evaluate({"b": D(1)}, {})
    assert open_.missing == dict.fromkeys(("x", "y", "z"), ("a",))
    assert results(unasked)["end"] == ("hit", ())


def test_a_silent_rule_is_not_silent_about_a_value_that_no_branch_made() -> None:
    nodes = [
        *BRANCHES,
        expressions("two", {"z": "b"}),
        rules(
            ("end", "z > 0 and b > 0", "decline", "no_hit_if_missing"),
            ("cover", "a > 9", "refer"),
            ("other", "b > 9", "refer"),
            identity="end",
        ),
    ]
    policy = made(nodes, SHARED)

    assert policy.evaluate({"a": D(2), "b": D(1)}, {}).results[0].consequence == "refer"
    assert policy.evaluate({"a": D(0), "b": D(1)}, {}).results[0].result == "hit"
    silent = policy.evaluate({"a": None, "b": D(1)}, {}).results
    assert [(r.result, r.consequence) for r in silent[:2]] == [
        ("no_hit", None),
        ("not_evaluable", "refer"),
    ]


def test_a_missing_bin_is_not_for_a_value_that_no_branch_made() -> None:
    ways = [*SHARED[:-1], "end>card", "card>out"]
    nodes = [
        switch("s", ("yes", "a > 1"), ("no", "")),
        expressions("one", {"w": "b"}),
        expressions("two", {"v": "1"}),
        rules(("cover", "a > 9", "refer"), ("other", "b > 9", "refer"), identity="end"),
        custom("card", "scorecard", {"model": "m"}),
    ]
    policy = made(nodes, ways)

    def score(a: Any, b: Any) -> Any:
        return policy.evaluate({"a": a, "b": b}, {}).values["score.raw"]

    assert score(D(2), D(9)) == D(509)
    assert score(D(2), None) == D(503)
    assert score(D(0), D(9)) is None


def test_a_switch_inside_a_branch() -> None:
    nodes = [
        switch("s", ("yes", "a > 1"), ("no", "")),
        switch("t", ("deep", "n > 1"), ("rest", "")),
        LOW,
        HIGH,
    ]
    ways = ["in>s", "s:yes>t", "s:no>high", "t:deep>low", "t:rest>out", "low>out", "high>out"]
    policy = made(nodes, ways)

    def found(**values: Any) -> list[str]:
        shown = results(policy.evaluate({"b": D(3), **values}, {}))
        return [shown[rule][0] for rule in ("low", "high")]

    assert found(a=D(2), n=D(2)) == ["hit", "not_reached"]
    assert found(a=D(2), n=D(1)) == ["not_reached", "not_reached"]
    assert found(a=D(1), n=D(2)) == ["not_reached", "hit"]
    assert found(a=D(1)) == ["not_reached", "hit"]
    assert found(a=D(2)) == ["not_evaluable", "not_reached"]
    assert found(n=D(1)) == ["not_reached", "not_evaluable"]


def test_an_inner_switch_that_may_be_reached_and_may_take_no_way_is_uncovered() -> None:
    nodes = [switch("s", ("yes", "a > 1"), ("no", "")), switch("t", ("deep", "f"))]
    policy = made(nodes, ["in>s", "in>out", "s:yes>t", "s:no>out", "t:deep>out"])

    assert policy.evaluate({"a": None, "f": False}, {}).uncovered == ("T",)
    assert policy.evaluate({"a": D(2), "f": False}, {}).uncovered == ("T",)
    assert policy.evaluate({"a": D(1), "f": False}, {}).uncovered == ()
    assert policy.evaluate({"a": D(2), "f": True}, {}).uncovered == ()


def test_a_policy_without_a_switch_has_the_plain_steps() -> None:
    policy = made([LOW], ["in>low", "low>out"])

    assert [type(step).__name__ for step in policy.steps] == ["RuleStep"]
    assert (policy.flow.gates, policy.flow.makers) == ({}, {})


@pytest.mark.parametrize("b", ["7", None])
def test_a_table_that_shares_its_second_name_writes_both(b: str | None) -> None:
    """The shared name has its place already: the table's two stand apart, in both variants."""
    shared = expressions("one", {"x": "1"})
    both = table("two", [""], ["z", "x"], [["r", "", "2", "3"]])
    ways = ["in>s", "s:yes>one", "s:no>two", "one>k", "two>k", "k>out"]
    reader = rules(("k", "x > 2 and b > 5", "refer"), identity="k")
    policy = made([switch("s", ("yes", "a > 1"), ("no", "")), shared, both, reader], ways)

    found = policy.evaluate({"a": D(1), "b": None if b is None else D(b)}, {})

    assert (found.values["z"], found.values["x"]) == (2, 3)
    assert results(found)["k"][0] == ("hit" if b else "not_evaluable")
