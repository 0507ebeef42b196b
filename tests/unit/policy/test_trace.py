"""The trace: every condition, its value, threshold and distance, as stable text."""

from decimal import Decimal
from typing import Any

import pytest

from decision_engine.policy.conditions import Condition
from decision_engine.policy.expression_parser import parse_expression
from decision_engine.policy.render import text_of
from decision_engine.policy.scorecard import Scorecard
from decision_engine.policy.trace import TraceEntry, trace, trace_digest
from tests.unit.policy.build import built, compiled, custom, expressions, model, raw, rules, table

D = Decimal
INPUTS: dict[str, Any] = {"a": D("688"), "b": D("1.5"), "n": D(3), "s": "x", "f": True}


def condition(text: str, **changes: Any) -> Condition:
    policy = compiled(
        rules(("k", text, "refer"), ("cover", "n > 9", "refer")),
        expressions("e", {"big": "a * 999999999999999999 * 999999999999999999"}),
    )
    (entry,) = [e for e in trace(policy, {**INPUTS, **changes}, {}) if e.id == "k"]
    (found,) = entry.conditions
    return found


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a >= 720", ("688.00", ">=", "720", "-32", "false")),
        ("a < 720", ("688.00", "<", "720", "-32", "true")),
        ("720 > a", ("688.00", "<", "720", "-32", "true")),
        ("720 <= a", ("688.00", ">=", "720", "-32", "false")),
        ("a >= b", ("688.00", ">=", "1.50", "686.5", "true")),
        ("a > 2 * b", ("688.00", ">", "3", "685", "true")),
        ("a * 2 == 1376", ("1376", "==", "1376", "0", "true")),
        ('s == "x"', ("x", "==", "x", "", "true")),
        ("f == true", ("true", "==", "true", "", "true")),
        ("n in [4..9]", ("3", "in", "[4..9]", "-1", "false")),
        ("n in (3..9)", ("3", "in", "(3..9)", "0", "false")),
        ("n in [1..2.5]", ("3", "in", "[1..2.5]", "0.5", "false")),
        ("n in [1..9]", ("3", "in", "[1..9]", "0", "true")),
        ("n in [1, 2]", ("3", "in", "[1, 2]", "", "false")),
        ("n not in [1, 2]", ("3", "not in", "[1, 2]", "", "true")),
        ("not (a >= 720)", ("688.00", "not >=", "720", "-32", "true")),
        ("n == null", ("3", "==", "null", "", "false")),
        ("n != null", ("3", "!=", "null", "", "true")),
        ("f", ("true", "is", "true", "", "true")),
        ("not f", ("false", "is", "true", "", "false")),
        ("f ? a > 1 : b > 1", ("true", "is", "true", "", "true")),
        ("not (f and a > 1)", ("false", "is", "true", "", "false")),
    ],
)
def test_conditions(text: str, parts: tuple[str, ...]) -> None:
    found = condition(text)

    shown = (found.value, found.operator, found.threshold, found.distance, found.result)
    assert shown == parts


def test_a_condition_names_its_cell_its_formula_and_what_it_reads() -> None:
    found = condition("a + b > 2 * n")

    assert found.cell == "condition"
    assert found.formula == "(a + b) > (2 * n)"
    assert found.attributes == ("a", "b", "n")


@pytest.mark.parametrize(
    ("text", "missing", "parts"),
    [
        ("a >= 720", "a", ("missing", "720", "", "missing")),
        ("b >= a", "a", ("1.50", "missing", "", "missing")),
        ("n in [4..9]", "n", ("missing", "[4..9]", "", "missing")),
        ("b in [n..9]", "n", ("1.50", "[n..9]", "", "missing")),
        ("n == null", "n", ("missing", "null", "", "true")),
        ("f", "f", ("missing", "true", "", "missing")),
    ],
)
def test_missing_values(text: str, missing: str, parts: tuple[str, ...]) -> None:
    found = condition(text, **{missing: None})

    assert (found.value, found.threshold, found.distance, found.result) == parts


def test_a_distance_that_has_no_exact_text_is_left_out() -> None:
    policy = compiled(
        expressions("e", {"big": "a * 999999999999999999 * 999999999999999999 * 999999999"}),
        rules(("k", "big > 0.000000000000000000001", "refer")),
    )
    (entry,) = [e for e in trace(policy, INPUTS, {}) if e.kind == "rule"]

    assert (entry.result, entry.conditions[0].distance) == ("hit", "")


POLICY = built(
    expressions("e", {"d.total": "a + b", "d.word": 's == "x" ? "one" : "two"'}),
    custom("c", "scorecard", {"model": "m"}),
    table("v", ["score.pd", "n"], ["cap"], [["low", "< 0.01", "> 1", "1"], ["high", "", "2", "2"]]),
    rules(("k", "> 9", "f and a > 1", "decline"), fields=("n", "")),
    models=(Scorecard.parse(raw(model())),),
)


def test_the_whole_trace() -> None:
    entries = trace(POLICY, INPUTS, {})

    assert [(e.kind, e.node, e.id, e.result, e.value) for e in entries] == [
        ("value", "E", "d.total", "present", "689.5"),
        ("value", "E", "d.word", "present", "one"),
        ("value", "C", "score.value", "present", "600"),
        ("value", "C", "score.raw", "present", "600"),
        ("value", "C", "score.pd", "present", "0.047619"),
        ("row", "V", "", "uncovered", ""),
        ("value", "V", "cap", "missing", ""),
        ("rule", "R", "k", "no_hit", ""),
    ]
    rule = entries[-1]
    assert (rule.code, rule.effect, rule.missing) == ("C-k", "decline", ())
    assert [(c.cell, c.formula, c.result) for c in rule.conditions] == [
        ("n", "n > 9", "false"),
        ("condition", "f", "true"),
        ("condition", "a > 1", "true"),
    ]


def row(**changes: Any) -> TraceEntry:
    (entry,) = [e for e in trace(POLICY, {**INPUTS, **changes}, {}) if e.kind == "row"]
    return entry


def test_the_row_that_a_value_table_stopped_at() -> None:
    assert (row(n=D(2)).id, row(n=D(2)).result) == ("high", "hit")
    unknown = row(n=None)
    assert (unknown.id, unknown.result, unknown.missing) == ("high", "not_evaluable", ("n",))
    assert [c.result for c in unknown.conditions] == ["missing"]


def test_the_trace_of_missing_data_names_the_inputs() -> None:
    entries = {e.id: e for e in trace(POLICY, {**INPUTS, "a": None, "n": D(10)}, {})}

    assert entries["k"].result == "not_evaluable"
    assert entries["k"].missing == entries["d.total"].missing == ("a",)


def test_the_digest_is_stable_and_tells_changes() -> None:
    one = trace_digest(trace(POLICY, INPUTS, {}))

    assert one == trace_digest(trace(POLICY, {**INPUTS, "b": D("1.50")}, {}))
    assert one != trace_digest(trace(POLICY, {**INPUTS, "b": D("1.51")}, {}))
    assert one == "sha256:a402200941c39b2b6ca39bb5753ec5bfe1f3a355368fb4c9d6784272c4d18a8c"


def test_plain_entries() -> None:
    entry = trace(POLICY, INPUTS, {})[-1].plain()

    assert entry["id"] == "k"
    assert entry["conditions"][0]["threshold"] == "9"


@pytest.mark.parametrize(
    ("text", "rendered"),
    [
        ("a+b*2-1", "(a + (b * 2)) - 1"),
        ("-a", "0 - a"),
        ("abs(-a)", "abs(0 - a)"),
        ("min([a,b])", "min([a, b])"),
        ("round(a)", "round(a, 0)"),
        ("round((a+1)/b,2)", "round((a + 1) / b, 2)"),
        ("s not in ['x','y']", 'not (s in ["x", "y"])'),
        ("s == 'a\"b'", "s == 'a\"b'"),
        ('s == "a\'b"', 's == "a\'b"'),
        ("a in (1..2.50]", "a in (1..2.5]"),
        ("f and (a>1 or b==null)", "f and ((a > 1) or (b == null))"),
        ("not f", "not f"),
        ("b != null", "b != null"),
        ("f?1:2", "f ? 1 : 2"),
        ("$.x + true", "p.x + true"),
    ],
)
def test_rendering(text: str, rendered: str) -> None:
    tree = parse_expression(text, "p.")

    assert text_of(tree) == rendered
    assert parse_expression(rendered).parts or rendered
