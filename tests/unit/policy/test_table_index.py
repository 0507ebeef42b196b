"""The index of a big table narrows, and never leaves out a row that may be true."""

from collections.abc import Sequence
from decimal import Decimal
from itertools import product
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decision_engine.policy.closures import closure
from decision_engine.policy.expression_parser import parse_expression
from decision_engine.policy.layout import Layout
from decision_engine.policy.spans import Positions, subject_of
from decision_engine.policy.syntax import Expr, Ref, conjunction
from decision_engine.policy.table_index import Finder, row_finder
from decision_engine.policy.unary import parse_unary
from decision_engine.policy.values import Missing
from tests.unit.policy.build import built, rules, table
from tests.unit.policy.naive import Unknown, interpret, number

NAMES: Final = ("a", "b", "s", "f")
WORDS: Final = ('"x"', '"y"', '"z"')
FACTS: Final[dict[str, list[Any]]] = {
    "a": [Decimal(half) / 2 for half in range(-1, 12)],
    "b": [Decimal(half) / 2 for half in range(-1, 12)],
    "s": ["x", "y", "z", "other"],
    "f": [True, False],
}


def layout_of() -> Layout:
    layout = Layout()
    for name in NAMES:
        layout.add(name, frozenset({name}))
    return layout


LAYOUT: Final = layout_of()


def numbers() -> st.SearchStrategy[str]:
    point = st.integers(0, 5).map(str)
    compared = st.tuples(st.sampled_from(["", "== ", "!= ", "< ", "<= ", "> ", ">= "]), point)
    ends = st.tuples(
        st.sampled_from("[("), st.integers(0, 5), st.integers(0, 5), st.sampled_from("])")
    )
    ranges = ends.map(lambda e: f"{e[0]}{e[1]}..{e[2]}{e[3]}")
    lists = st.lists(point, min_size=1, max_size=3).map(", ".join)
    simple = st.one_of(compared.map("".join), ranges, lists.map("in [{}]".format))
    joined = st.tuples(simple, st.sampled_from([" and ", " or ", ", "]), simple).map("".join)
    within = st.one_of(ranges, lists.map("[{}]".format)).map("not in {}".format)
    return st.one_of(
        st.just(""),
        simple,
        simple,
        within,
        joined,
        st.sampled_from(["<= b", "< 2 * b", "> 1 and < 3 or 5"]),
    )


def words() -> st.SearchStrategy[str]:
    word = st.sampled_from(WORDS)
    lists = st.lists(word, min_size=1, max_size=2).map(", ".join)
    return st.one_of(
        st.just(""), word, word.map("!= {}".format), lists, lists.map("not in [{}]".format)
    )


CELLS: Final = st.one_of(
    st.tuples(numbers(), numbers(), words(), st.sampled_from(["", "true", "false"])),
    st.tuples(numbers(), st.just(""), st.just(""), st.just("")),
    st.tuples(st.just(""), numbers(), words(), st.just("")),
)


def row_of(cells: Sequence[str]) -> Expr:
    parts = [parse_unary(text, Ref(n)) for n, text in zip(NAMES, cells, strict=True) if text]
    return conjunction(tuple(parts))


def facts() -> st.SearchStrategy[list[Any]]:
    missing = [Missing(frozenset({name})) for name in NAMES]
    a, b, s, f = (
        st.sampled_from([*FACTS[name], gone, gone])
        for name, gone in zip(NAMES, missing, strict=True)
    )
    return st.tuples(a, b, s, f).map(list)


def results(conditions: Sequence[Expr], values: list[Any]) -> list[Any]:
    return [closure(condition, LAYOUT)(values) for condition in conditions]


def found(finder: Finder | None, conditions: Sequence[Expr], values: list[Any]) -> list[int]:
    return list(range(len(conditions)) if finder is None else finder(values))


@given(
    st.lists(CELLS.map(row_of), min_size=9, max_size=30), st.lists(facts(), min_size=1, max_size=8)
)
def test_the_index_and_looking_through_all_rows_agree(
    conditions: list[Expr], asked: list[list[Any]]
) -> None:
    every = row_finder(conditions, LAYOUT, first=False)
    one = row_finder(conditions, LAYOUT, first=True)

    for values in asked:
        answers = results(conditions, values)
        open_rows = [i for i, answer in enumerate(answers) if answer is not False]
        rows, first = found(every, conditions, values), found(one, conditions, values)

        assert rows == sorted(set(rows))
        assert set(open_rows) <= set(rows)
        assert first == sorted(set(first))
        assert next((i for i in first if answers[i] is not False), None) == next(
            iter(open_rows), None
        )


@given(st.lists(st.one_of(numbers(), words().map("s {}".format)), min_size=1, max_size=4))
def test_the_spans_of_a_condition_are_exactly_where_it_is_true(cells: list[str]) -> None:
    for name in ("a", "s"):
        texts = [
            text.removeprefix("s ") for text in cells if text.startswith("s ") is (name == "s")
        ]
        tests = [parse_unary(text, Ref(name)) for text in texts if text]
        conditions = [test for test in tests if subject_of(test) == name]
        positions = Positions(conditions)
        for condition, value in product(conditions, FACTS[name]):
            place = positions.of(value)
            spans = positions.spans(condition)
            inside = any(first <= place <= last for first, last in spans)
            assert inside is closure(condition, LAYOUT)(at(**{name: value}))


GRID: Final = [
    f'a {low}{end} and s == "{word}"'
    for end, low, word in product(range(6), (">= ", "> ", "< ", "<= ", "== "), "xy")
]


@given(
    st.lists(st.sampled_from(GRID), min_size=20, max_size=30),
    st.none() | st.sampled_from(FACTS["a"]),
    st.sampled_from([None, "x", "y", "other"]),
)
def test_big_tables_say_what_an_obvious_interpreter_says(
    cells: list[str], a: Decimal | None, s: str | None
) -> None:
    properties = {"a": {"type": "number", "x-scale": 1}, "s": {"type": "string"}}
    policy = built(
        rules(*[(f"r{i}", cell, "refer") for i, cell in enumerate(cells)]),
        table(
            "v", [""], ["out"], [[f"v{i}", c, f"{i}"] for i, c in enumerate(cells)], outputPath="v"
        ),
        properties=properties,
    )
    values = {"a": a, "s": s}

    evaluation = policy.evaluate(values, {})
    world = interpret(policy.document, {}, values, {})

    assert {r.rule_id: (r.result, frozenset(r.missing)) for r in evaluation.results} == world.rules
    assert list(evaluation.uncovered) == world.uncovered
    out = world.facts["v.out"]
    assert evaluation.values["v.out"] == (None if isinstance(out, Unknown) else number(out))


def finder_of(cells: Sequence[str], *, first: bool = False) -> Finder:
    conditions = [parse_expression(cell) if cell else conjunction(()) for cell in cells]
    finder = row_finder(conditions, LAYOUT, first=first)
    assert finder is not None
    return finder


def at(**values: Any) -> list[Any]:
    return [values.get(name, Missing(frozenset({name}))) for name in NAMES]


@pytest.mark.parametrize(
    ("cell", "inside"),
    [
        ("a in [{i}..{j})", "0"),
        ("a in ({i}..{j}]", "0.5"),
        ("a == {i}", "0"),
        ('a in [{i}] and s == "x"', "0"),
        ("a >= {i} and {j} > a and b > {i}", "0.99"),
    ],
)
def test_a_value_leaves_a_handful_of_two_hundred_rows(cell: str, inside: str) -> None:
    finder = finder_of([cell.format(i=i, j=i + 1) for i in range(200)])

    for i in (0, 1, 100, 199):
        found = finder(at(a=i + Decimal(inside), s="x", b=Decimal(9999)))
        assert i in found
        assert len(found) <= 8
    assert len(finder(at(s="x", b=Decimal(9999)))) == 200


def test_two_columns_narrow_together_and_one_alone_when_the_other_is_missing() -> None:
    finder = finder_of([f'a == {i} and s == "w{j}"' for i in range(15) for j in range(20)])

    assert list(finder(at(a=Decimal(7), s="w9"))) == [149]
    assert set(finder(at(a=Decimal(7)))) >= set(range(140, 160))
    assert set(finder(at(s="w9"))) >= set(range(9, 300, 20))
    assert len(finder(at(a=Decimal(7)))) + len(finder(at(s="w9"))) < 400


def test_a_name_that_needs_copies_waits_for_one_that_does_not() -> None:
    """Both leave 40 rows; `b`, cut first, would leave no room to cut by `a`."""
    finder = finder_of(
        [
            f"a == {i} and b in [{1000 * j + i}..{1000 * j + i + 1000})"
            for i in range(40)
            for j in range(40)
        ]
    )

    for i, j in ((0, 0), (20, 31), (39, 39)):
        found = finder(at(a=Decimal(i), b=Decimal(1000 * j + i + 500)))
        assert list(found) == [40 * i + j]


def test_rules_about_different_fields_get_an_index_each() -> None:
    finder = finder_of([f"{'ab'[i % 2]} == {i}" for i in range(200)])

    assert list(finder(at(a=Decimal(10), b=Decimal(11)))) == [10, 11]
    assert len(finder(at(a=Decimal(10)))) == 101


def test_a_ladder_needs_one_row_a_step() -> None:
    finder = finder_of([f"a >= {i}" for i in range(300, 0, -1)], first=True)

    assert list(finder(at(a=Decimal(1)))) == [299]
    assert list(finder(at(a=Decimal("150.5")))) == [150]
    assert list(finder(at(a=Decimal(0)))) == []


def test_rows_after_one_for_everything_are_never_looked_at() -> None:
    finder = finder_of([*[f"a == {i}" for i in range(20)], "", *["a == 3"] * 20], first=True)

    assert list(finder(at(a=Decimal(3)))) == [3]
    assert list(finder(at(a=Decimal(30)))) == [20]


@pytest.mark.parametrize(("more", "first"), [("", False), (" and a < b", True)])
def test_ranges_inside_one_another_stay_in_proportion(more: str, *, first: bool) -> None:
    """Every value of the middle is in half of all rows; exact segments would be n x n."""
    count = 400
    cells = [f"a in [{i}..{2 * count - i}]{more}" for i in range(count)]
    finder = finder_of(cells, first=first)

    assert len(finder(at(a=Decimal(count)))) == count
    assert len(finder(at(a=Decimal(0)))) <= count // 2
    assert set(range(51)) <= set(finder(at(a=Decimal(50))))


def test_a_row_that_touches_a_wide_segment_twice_is_found_once() -> None:
    finder = finder_of([f"a not in [{i}..{801 - i}]" for i in range(400)])

    for value in (0, 200, 399, 400, 402):
        found = finder(at(a=Decimal(value)))
        assert list(found) == sorted(set(found))
        assert set(found) >= set(range(value + 1, 400))


@pytest.mark.parametrize(
    "cells",
    [["a == 1"] * 8, ["a < b"] * 100, [f"a != {i}" for i in range(50)], [""] * 50],
    ids=["few", "no literal", "nothing is narrowed", "no cell"],
)
def test_a_table_that_an_index_cannot_narrow_has_none(cells: list[str]) -> None:
    conditions = [parse_expression(cell) if cell else conjunction(()) for cell in cells]

    assert row_finder(conditions, LAYOUT, first=False) is None


def test_a_long_table_without_a_row_for_a_case_gives_no_answer() -> None:
    rows = [[f"v{i}", f"{i}", f"{i}"] for i in range(200)]
    policy = built(table("v", ["a"], ["out"], rows))

    assert policy.evaluate({"a": Decimal(199)}, {}).values == {"out": Decimal(199)}
    found = policy.evaluate({"a": Decimal(200)}, {})
    assert (found.values, found.uncovered) == ({"out": None}, ("V",))
