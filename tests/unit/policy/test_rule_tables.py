"""Rule tables: rules that never hit, that always hit, and that stand there twice."""

import pytest

from decision_engine.policy.check import check
from decision_engine.policy.parse import parse
from tests.unit.policy.build import Json, document, expressions, raw, rules, table

PROPERTIES: Json = {
    "p": {"type": "integer", "minimum": -2, "maximum": 4},
    "q": {"type": "integer", "minimum": 0, "maximum": 5},
    "s": {"type": "string", "enum": ["x", "y", "z"]},
    "f": {"type": "boolean"},
}
NEVER = "no value makes this cell true: correct it, or remove the row"


def noted(node: Json) -> list[tuple[str, str, str]]:
    made = expressions("e", {"d": "p + q"})
    found = check(parse(raw(document(made, node, properties=PROPERTIES))), {})
    return [(item.severity, item.pointer, item.sentence) for item in found if item.node == "r"]


def said(*rows: tuple[str, ...], fields: tuple[str, ...] = ("",)) -> list[tuple[str, str, str]]:
    return noted(rules(*rows, fields=fields))


@pytest.mark.parametrize(
    "condition", ["p > 4", "p > 2 and p < 1", "q < 0 or p < -2", "p > 0.2 and p < 0.8", "1 > 2"]
)
def test_a_rule_that_can_never_hit_is_an_error(condition: str) -> None:
    assert said(("k", condition, "decline")) == [("error", "/r/k/condition", NEVER)]


def test_cells_of_a_rule_that_exclude_one_another_are_an_error() -> None:
    found = said(("k", "> 2", "p < 1", "decline"), fields=("p", ""))

    assert [item[:2] for item in found] == [("error", "/r/k")]


@pytest.mark.parametrize(
    "condition",
    ["p >= -2", "p <= 2 or p > 0", 's in ["x", "y", "z"]', "f or not f", "true", "not (q > 5)"],
)
def test_a_rule_that_always_hits_is_a_warning(condition: str) -> None:
    sentence = 'this rule hits for everybody ("refer"): give it a condition, or remove it'

    assert said(("k", condition, "refer")) == [("warning", "/r/k", sentence)]


@pytest.mark.parametrize(
    "condition",
    ["p > -2", "p <= 2 or p > 3", "f and not f or p > 1", "d > 99", "q > p", "d == d or p > 3"],
)
def test_a_rule_that_sometimes_hits_or_may_hit_is_fine(condition: str) -> None:
    assert said(("k", condition, "refer")) == []


def test_doubled_rules_are_a_warning() -> None:
    lines = [
        ["one", "p > 2", '"C"', '"refer"'],
        ["two", "2 < p", '"C"', '"decline"'],
        ["three", "d > 2", '"C"', '"refer"'],
        ["four", "d * 1 > q", '"C"', '"refer"'],
        ["five", "d * 1 > q", '"C"', '"refer"'],
        ["six", "p > 2", '"D"', '"refer"'],
    ]

    assert noted(table("r", [""], ["code", "effect"], lines, outputPath="rules")) == [
        ("warning", "/r/two", 'row "one" gives the same code under the same condition: remove one'),
        (
            "warning",
            "/r/five",
            'row "four" gives the same code under the same condition: remove one',
        ),
    ]


def test_of_very_many_dead_rules_some_are_shown() -> None:
    found = said(*((f"k{i}", f"p > {i + 4}", "refer") for i in range(25)))

    assert len(found) == 21
    assert found[-1] == ("error", "/r", "5 more rules can never hit")


def test_a_condition_of_very_many_boxes_is_bounded() -> None:
    pairs = " and ".join(f"(p == {i % 4} or q == {i % 5} or f)" for i in range(9))

    found = said(("k", f"{pairs} and p > 9", "refer"), ("l", pairs, "refer"))

    assert found == [("error", "/r/k/condition", NEVER)]
