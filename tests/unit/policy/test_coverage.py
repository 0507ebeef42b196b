"""Value tables about one field: a value without a row is found, with an example."""

import pytest

from decision_engine.policy.check import check
from decision_engine.policy.parse import parse
from decision_engine.policy.scorecard import Scorecard
from tests.unit.policy.build import Json, custom, document, expressions, model, raw, table


def said(*nodes: Json, properties: Json | None = None) -> list[tuple[str, str]]:
    models = {"m": Scorecard.parse(raw(model()))}
    found = check(parse(raw(document(*nodes, properties=properties))), models)
    return [(i.severity, i.sentence) for i in found if "no expression reads" not in i.sentence]


def rows(*cells: str) -> list[list[str]]:
    return [[f"r{i}", cell, str(i)] for i, cell in enumerate(cells)]


@pytest.mark.parametrize(
    ("field", "cells", "example"),
    [
        ("a", ("< 10", ">= 10"), None),
        ("a", ("< 10", "> 10"), "a = 10.00"),
        ("a", ("<= 10", ">= 10.01"), None),
        ("a", ("<= 10", ">= 10.02"), "a = 10.01"),
        ("a", ("[1..10]", "> 10"), "a = 0.00"),
        ("a", ("[0..10]",), "a = 10.01"),
        ("a", ("[0..10)", "[10..20)", ">= 20"), None),
        ("a", ("[0..10)", "(10..20)", ">= 20"), "a = 10.00"),
        ("a", ("< 10", ""), None),
        ("a", ("not in [3]", "3"), None),
        ("a", ("not in [3]", "3.001"), "a = 3.00"),
        ("n", ("<= 5", ">= 6"), None),
        ("n", ("<= 5", ">= 7"), "n = 6"),
        ("n", ("<= 4.5", ">= 4.9"), None),
        ("n", ("< 4.5", "> 5.5"), "n = 5"),
        ("n", ("[0..10]",), None),
        ("n", ("[0..9]",), "n = 10"),
        ("n", ("0, 1, 2, 3, 4, 5", "6, 7, 8, 9, 10"), None),
        ("n", ("0, 1, 2, 3, 5", "6, 7, 8, 9, 10"), "n = 4"),
        ("s", ('"x"', '["y", "z"]'), None),
        ("s", ('"x"', '"y"'), "s = z"),
        ("t", ('"x"', '!= "x"'), None),
        ("t", ('"x"', '"y"'), "t = (any other text)"),
        ("f", ("true", "false"), None),
        ("f", ("true",), "f = false"),
        ("score.value", ("< 500", "[500..700)", ">= 700"), None),
        ("score.value", ("[0..500)", "[500..1000)"), "score.value = 1000"),
        ("score.pd", ("< 0.02", "[0.02..1]"), None),
        ("score.pd", ("< 0.02", "(0.02..1]"), "score.pd = 0.020000"),
        ("d", ("< 1", "> 1"), "d = 1"),
        ("d", ("[0..1)", ">= 2", "< 0"), "d = 1"),
        ("d", ("<= 1", ">= 2"), "d = 1.5"),
        ("w", ('"one"', '"two"'), None),
        ("w", ('"one"',), "w = two"),
    ],
)
def test_gaps(field: str, cells: tuple[str, ...], example: str | None) -> None:
    nodes = [
        expressions("e", {"d": "a + b"}),
        custom("c", "scorecard", {"model": "m"}),
        table("v", [""], ["w"], [["k", "a > b", '"one"'], ["l", "", '"two"']]),
        table("x", [field], ["o"], rows(*cells)),
    ]
    if field != "w":
        nodes.pop(2)

    errors = [sentence for severity, sentence in said(*nodes) if severity == "error"]

    assert errors == ([] if example is None else [f"no row for {example}"])


def test_overlaps_are_warnings_with_an_example() -> None:
    overlapping = table("x", ["a"], ["o"], rows("< 10", "< 20", ">= 15", ""))

    assert said(overlapping) == [
        ("warning", 'overlaps row "r0" at a = 0.00; the first wins'),
        ("warning", 'overlaps row "r1" at a = 15.00; the first wins'),
    ]


def test_overlaps_that_say_the_same_are_none() -> None:
    equal = table("x", ["a"], ["o"], [["k", "< 10", "1"], ["l", "< 20", "1"], ["m", "", "2"]])

    assert said(equal) == []


def test_tables_about_more_than_one_field_are_left_alone() -> None:
    assert said(table("x", ["a", "b"], ["o"], [["k", "> 1", "< 1", "1"]])) == []
    assert said(table("x", [""], ["o"], [["k", "a + 1 > 1", "1"]])) == []
    assert said(table("x", [""], ["o"], [["k", "abs(a) > 1 and a > 2", "1"]])) == []


def test_tables_about_nothing() -> None:
    assert said(table("x", ["a"], ["o"], rows(""))) == []
    assert said(table("x", [""], ["o"], rows("1 > 2"))) == [
        ("warning", "the table reads no field and has no row for everything")
    ]
