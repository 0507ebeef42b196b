"""Constructs that could turn missing data into an answer need a rule that covers the input."""

import pytest

from decision_engine.policy.check import check
from decision_engine.policy.parse import parse
from decision_engine.policy.scorecard import Scorecard
from tests.unit.policy.build import (
    Json,
    custom,
    document,
    expressions,
    function,
    model,
    ranges,
    raw,
    rules,
    table,
)

OTHERS = ["others", "", "", "3"]
NULL_TEST = expressions("e", {"v": "a == null or a > 1"})


def errors(*nodes: Json, card: Json | None = None) -> list[str]:
    models = {"m": Scorecard.parse(raw(card or model()))}
    found = check(parse(raw(document(*nodes))), models)
    return [f"{i.pointer}: {i.sentence}" for i in found if i.severity == "error"]


def needs(what: str, name: str = "a") -> str:
    return (
        f"{what} needs a rule that declines or refers whenever {name} is missing: "
        f"a row about {name} alone"
    )


@pytest.mark.parametrize(
    "row",
    [
        ("k", "a >= 90", "decline"),
        ("k", "a >= 90", "refer"),
        ("k", "a >= 90", "decline", "decline"),
        ("k", "a == null", "decline"),
        ("k", "a == null or b > 1", "refer"),
        ("k", "not (a != null)", "refer"),
        ("k", "a + b > 1 and a < 3", "decline"),
        ("k", "a > 1 or (f and b > 1)", "decline"),
        ("k", "a > 1 ? b > 1 : b > 2", "decline"),
        ("k", "f ? a > 1 : a > 2", "decline"),
        ("k", "max([a, n]) > 1", "decline"),
        ("k", "not (a > 1)", "decline"),
        ("k", "a in [1, 2] or false", "decline"),
        ("k", "w > 1", "decline"),
        ("k", "call.v > 1", "decline"),
        ("k", "o > 1", "decline"),
        ("k", "score.value < 500", "decline"),
    ],
)
def test_a_rule_covers(row: tuple[str, ...]) -> None:
    nodes = [
        NULL_TEST,
        expressions("e2", {"w": "a * 2"}),
        function({"q": "a + b"}, {"v": {"type": "number"}}),
        table("t", ["a"], ["o"], [["one", "> 1", "1"], ["two", "", "2"]]),
        custom("c", "scorecard", {"model": "m"}),
        rules(row),
    ]

    assert errors(*nodes) == []


@pytest.mark.parametrize(
    "row",
    [
        ("k", "b >= 90", "decline"),
        ("k", "a >= 90", "reduce"),
        ("k", "a >= 90 and b > 1", "decline"),
        ("k", "a >= 90", "decline", "no_hit_if_missing"),
        ("k", "a != null", "decline"),
        ("k", "f ? a > 1 : b > 2", "decline"),
        ("k", "a == null ? b > 1 : b > 2", "decline"),
        ("k", "not (a == null)", "decline"),
        ("k", "v", "decline"),
        ("k", "o > 1", "decline"),
    ],
)
def test_a_rule_does_not_cover(row: tuple[str, ...]) -> None:
    nodes = [
        NULL_TEST,
        table("t", ["b", "a"], ["o"], [["one", "> 1", "", "1"], ["two", "", "> 1", "2"]]),
        rules(row),
    ]

    assert f"/e/v: {needs('a null test')}" in errors(*nodes)


def test_null_tests_in_every_place_are_seen() -> None:
    nodes = [
        table(
            "t",
            ["a", ""],
            ["o"],
            [["one", "null", "", "1"], ["two", "", "b > 1", "2"], OTHERS],
        ),
        function({"q": "a == null"}, {"v": {"type": "number"}}),
        rules(("k", "a != null and b > 1", "refer")),
    ]

    assert errors(*nodes) == [
        f"/t/one/a: {needs('a null test')}",
        f"/fn/q: {needs('a null test')}",
        f"/r/k/condition: {needs('a null test')}",
    ]


def test_a_missing_bin_needs_a_rule_about_every_input_behind_it() -> None:
    card = model(ranges("w", 0, "5", 9, missing_points=3), ranges("n", 0, "5", 9))
    nodes = [
        expressions("e", {"w": "a + b"}),
        custom("c", "scorecard", {"model": "m"}),
        rules(("k", "a > 9", "refer")),
    ]

    assert errors(*nodes, card=card) == [f"/c/w: {needs('a missing bin', 'b')}"]
    assert errors(*nodes[:2], rules(("k", "a + b > 9", "refer")), card=card) == []
    assert errors(*nodes[:2], rules(("k", "score.pd > 9", "refer")), card=card) != []


def test_no_hit_if_missing_needs_another_rule() -> None:
    silent = ("k", "a > 9 and n > 1", "decline", "no_hit_if_missing")

    assert errors(rules(silent)) == [
        f"/r/k: {needs('no_hit_if_missing')}",
        f"/r/k: {needs('no_hit_if_missing', 'n')}",
    ]
    assert errors(rules(silent, ("l", "a > 1", "refer"), ("m", "n < 1", "refer"))) == []


def test_two_silent_rules_do_not_cover_each_other() -> None:
    silent = [(name, "a > 9", "decline", "no_hit_if_missing") for name in "kl"]

    assert len(errors(rules(*silent))) == 2


def test_what_no_input_is_behind_covers_nothing() -> None:
    card = model(ranges("a", 0, "5", 9, missing_points=3))
    scored = custom("c", "scorecard", {"model": "m"})

    assert errors(scored, rules(("k", "score.raw > 9", "refer")), card=card) != []
    assert errors(NULL_TEST, rules(("k", "true", "refer"))) != []
