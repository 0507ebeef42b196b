"""Value tables: gaps, rows that are never reached and overlaps, each with an example."""

import pytest

from decision_engine.policy.check import check
from decision_engine.policy.check.coverage import check_coverage
from decision_engine.policy.document import ValueTable
from decision_engine.policy.findings import Notes
from decision_engine.policy.parse import parse
from decision_engine.policy.scorecard import Scorecard
from tests.unit.policy.build import (
    Json,
    custom,
    document,
    expressions,
    meant,
    model,
    raw,
    rules,
    table,
)

ADD = ": add a row for it, or a last row with empty cells"
NEVER = "no value makes this cell true: correct it, or remove the row"
WINS = "; the first wins: if it should not, let them exclude one another"
UNSURE = (
    "gaps cannot be found: conditions that compare more than one name with literals "
    "are not checked; add a last row with empty cells"
)
ENDS = "is never reached: where it is true, the table ends at"
NULLS = rules(("cover", "a >= 5", "refer"))


def said(*nodes: Json, properties: Json | None = None) -> list[tuple[str, str, str]]:
    models = {"m": Scorecard.parse(raw(model()))}
    found = check(parse(raw(document(*nodes, properties=properties))), models)
    return [(i.severity, i.pointer, i.sentence) for i in meant(found)]


def errors(*nodes: Json) -> list[str]:
    return [sentence for severity, _, sentence in said(*nodes) if severity == "error"]


def rows(*cells: str) -> list[list[str]]:
    return [[f"r{i}", cell, str(i)] for i, cell in enumerate(cells)]


def wide(*lines: str) -> list[list[str]]:
    """Rows of more columns: the cells of a line stand between bars."""
    return [[f"r{i}", *line.split("|"), str(i)] for i, line in enumerate(lines)]


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
        ("a", ("not in [3]",), "a = 3.00"),
        ("b", ("> 5",), "b = 4.99"),
        ("b", (">= -5.005",), "b = -5.01"),
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
        ("d", ("<= 1.000000000001", ">= 1.000000000002"), None),
        ("d", ("<= 1",), "d = 1.1"),
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

    assert errors(*nodes) == ([] if example is None else [f"no row for {example}{ADD}"])


@pytest.mark.parametrize(
    ("fields", "lines", "example"),
    [
        (["a", "s"], ["< 10|", '>= 10|"x"', '>= 10|"y", "z"'], None),
        (["a", "s"], ["< 10|", '>= 10|"x"', '> 10|"y", "z"'], "a = 10.00, s = y"),
        (["a", "b", "f"], ["<5|<5|", ">= 5||true", ">=5||false", "|>5|"], "a = 0.00, b = 5.00, f"),
        (["", "n"], ["f|", "not f|< 5", "|> 5"], "f = false, n = 5"),
        (["", "n"], ["f and a > 2 or n > 3|", "not (f or a <= 2)|", "|<= 3"], None),
        (["", ""], ["3 < a|", "2 > a|not f", "a in [2..3]|", "f == true|"], None),
        (["", "f"], ["a != null and a > 3|", "a != null and a <= 3|"], "a = null:"),
        (["", "f"], ["a == null|", "not (a == null) and a > 3|", "a <= 3|"], None),
        (["", "f"], ["a > 3 or a == null|", "not (a > 3)|"], None),
    ],
)
def test_gaps_of_more_columns(fields: list[str], lines: list[str], example: str | None) -> None:
    found = errors(NULLS, table("x", fields, ["o"], wide(*lines)))

    assert len(found) == (example is not None)
    assert all(sentence.startswith(f"no row for {example}") for sentence in found)


def test_overlaps_are_warnings_with_an_example() -> None:
    overlapping = table("x", ["a"], ["o"], rows("< 10", "< 20", ">= 15", ""))

    assert said(overlapping) == [
        ("warning", "/x/r1", f'overlaps row "r0" at a = 0.00{WINS}'),
        ("warning", "/x/r2", f'overlaps row "r1" at a = 15.00{WINS}'),
    ]
    crossing = table("x", ["a", "s"], ["o"], wide('< 10|"x"', ' > 5|"x", "y"', "|"))
    assert said(crossing) == [("warning", "/x/r1", f'overlaps row "r0" at a = 5.01, s = x{WINS}')]


def test_overlaps_that_say_the_same_are_none() -> None:
    equal = table("x", ["a"], ["o"], [["k", "< 10", "1"], ["l", "< 20", "1"], ["m", "", "2"]])

    assert said(equal) == []


def unique(*cells: str) -> list[tuple[str, str, str]]:
    lines = [[*row[:2], "1"] for row in rows(*cells)]
    policy = parse(raw(document(table("x", ["a"], ["o"], lines, hitPolicy="unique"))))
    (node,) = [node for node in policy.nodes if isinstance(node, ValueTable)]
    notes = Notes()
    fields = {item.name: item for item in policy.inputs}
    check_coverage(node, fields, notes)
    return [(i.severity, i.pointer, i.sentence) for i in notes.found]


def test_in_a_unique_table_every_overlap_is_an_error() -> None:
    only = "in a unique table only one row may be true"

    assert unique("< 10", ">= 10") == []
    assert unique("< 10", ">= 9.99") == [("error", "/r1", f'overlaps row "r0" at a = 9.99: {only}')]
    assert ("error", "/r1", f'overlaps row "r0" at a = 0.00: {only}') in unique("< 10", "")
    assert ("error", "/r1", f'overlaps row "r0" at a = 0.00: {only}') in unique("", "< 10")


@pytest.mark.parametrize(
    ("cells", "found"),
    [
        (("> 5 and < 3", ""), [("/x/r0/a", NEVER)]),
        (("< 0", ""), [("/x/r0/a", NEVER)]),
        (("3.001", ""), [("/x/r0/a", NEVER)]),
        (("< 9", "< 9", ""), [("/x/r1", "row {0}")]),
        (("< 9", ">= 5", "[1..20]", ""), [("/x/r2", "rows {0}, {1}")]),
        (("", "< 9"), [("/x/r1", "row {0}")]),
        (
            ("0", "1", "2", "3", ">= 1", "> 3.5 or in [1..3]", ""),
            [("/x/r5", "rows {1}, {2}, {3} and 1 more")],
        ),
        (
            ("[0..1]", "(1..2]", "(2..3]", "(3..4]", "(4..5]", "<= 5", ""),
            [("/x/r5", "rows {0}, {1}, {2} and 2 more")],
        ),
    ],
)
def test_rows_that_are_never_reached(cells: tuple[str, ...], found: list[tuple[str, str]]) -> None:
    result = said(table("x", ["a"], ["o"], rows(*cells)))
    names = [f'"r{i}"' for i in range(len(cells))]

    for pointer, sentence in found:
        if sentence != NEVER:
            sentence = f"{ENDS} {sentence.format(*names)}; move it up, or remove it"  # noqa: PLW2901
        assert ("error", pointer, sentence) in result
    assert len([item for item in result if item[0] == "error"]) == len(found)


def test_a_row_that_cannot_be_evaluated_ends_the_table() -> None:
    found = errors(NULLS, table("x", [""], ["o"], rows("a > 3", "a <= 3", "a == null")))

    assert found == [f'{ENDS} row "r0"; move it up, or remove it']


def test_a_last_row_for_everything_may_stand_there_in_vain() -> None:
    assert said(table("x", ["a"], ["o"], rows("< 3", ">= 3", ""))) == []
    assert errors(table("x", ["a"], ["o"], rows("< 3", "", ""))) == [
        f'{ENDS} rows "r0", "r1"; move it up, or remove it'
    ]


def test_cells_that_exclude_one_another() -> None:
    assert said(table("x", ["a", ""], ["o"], wide("< 3|a > 3", "|"))) == [
        (
            "error",
            "/x/r0",
            "the cells of this row exclude one another, it can never be true: correct or remove it",
        )
    ]
    null = table("x", ["", "a"], ["o"], wide("a == null|> 3", "|"))
    assert [pointer for _, pointer, _ in said(NULLS, null)] == ["/x/r0"]


def test_conditions_of_another_form_are_checked_as_far_as_they_can_be() -> None:
    assert said(table("x", ["a", "b"], ["o"], wide("> 1|< a", "<= 1|"))) == [
        ("warning", "/x", UNSURE)
    ]
    assert said(table("x", ["a", "b"], ["o"], wide("> 1|< a", "|"))) == []
    assert errors(table("x", ["a", "b"], ["o"], wide("> 1|< a", "< 1|"))) == [
        f"no row for a = 1.00{ADD}"
    ]
    assert errors(table("x", [""], ["o"], rows("a + 1 > 1 and a < 5", "a > 5 and a > b"))) == [
        f"no row for a = 5.00{ADD}"
    ]
    assert errors(table("x", [""], ["o"], rows("a > 5", "a > 6 and a > b", ""))) == [
        f'{ENDS} row "r0"; move it up, or remove it'
    ]
    assert said(table("x", [""], ["o"], rows("abs(a) > 1", "f ? a > 1 : a > 2"))) == [
        ("warning", "/x", UNSURE)
    ]
    assert said(table("x", [""], ["o"], rows("a in [1, b]", "a in [1..b]", ""))) == []


def test_tables_about_nothing() -> None:
    assert said(table("x", ["a"], ["o"], rows(""))) == []
    assert said(table("x", [""], ["o"], rows("1 > 2 or 2 > 1"))) == []
    assert errors(table("x", [""], ["o"], rows("1 > 2"))) == [f"no row for any input{ADD}", NEVER]


def test_a_schema_without_values_says_no_more_than_that() -> None:
    empty = {"q": {"type": "number", "minimum": 5, "maximum": 1}}
    found = said(table("x", ["q"], ["o"], rows("> 3", "")), properties=empty)

    assert found == [("error", "/x/r0/q", NEVER)]


def test_of_very_many_faults_some_are_shown() -> None:
    cascade = said(table("x", ["a"], ["o"], rows(*(f"< {i + 1}" for i in range(50)), "")))
    never = said(table("x", ["a"], ["o"], rows(*["< 0"] * 25, *["> 1"] * 25, "")))

    assert len(cascade) == 21
    assert cascade[-1] == ("warning", "/x", "29 more rows overlap earlier ones")
    assert [sentence for _, pointer, sentence in never if pointer == "/x"] == [
        "9 more rows can never answer"
    ]


def test_a_table_that_is_too_tangled_is_not_checked_completely() -> None:
    starts = [(i, i * 7919 % 1000) for i in range(999)]
    tangled = [f"[{i}..{i + 1000}]|[{j}..{j + 500}]" for i, j in starts]
    lines = wide(*tangled, "> 1 and < 1|", "|")
    found = said(table("x", ["a", "b"], ["o"], lines))

    assert ("error", "/x/r999/a", NEVER) in found
    assert found[-1] == (
        "warning",
        "/x",
        "too large to check completely: 1001 rows x 2 columns; split the table",
    )
