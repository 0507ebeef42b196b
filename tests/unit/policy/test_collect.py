"""Tables that collect: every true row adds an object, and one unknown row hides the list."""

import json
from decimal import Decimal
from itertools import product
from typing import Any

import pytest
import zen

from decision_engine.policy.document import ValueTable
from decision_engine.policy.findings import PolicyError
from decision_engine.policy.render import text_of
from decision_engine.policy.trace import trace
from decision_engine.policy.values import Entry, Value
from decision_engine.policy.zen_trace import zen_trace
from tests.unit.policy.build import Json, compiled, document, expressions, raw, rules, table

FLAGS: Json = {name: {"type": "boolean"} for name in "pqr"} | {
    "a": {"type": "number", "x-scale": 2}
}
ROWS = [["one", "p", '"x"', "1"], ["two", "q", '"y"', "a * 2"], ["three", "r", '"z"', "3"]]
TRUTHS = (True, False, None)


def collecting(rows: list[list[str]], **content: Any) -> Json:
    shared = {"hitPolicy": "collect", "outputPath": "found", **content}
    return table("t", [""], ["kind", "points"], rows, **shared)


POLICY = document(
    collecting(ROWS),
    expressions("e", {"total": "sum(map(found, #.points))", "worst": 'some(found, #.kind == "z")'}),
    properties=FLAGS,
)
COMPILED = compiled(
    collecting(ROWS),
    expressions("e", {"total": "sum(map(found, #.points))", "worst": 'some(found, #.kind == "z")'}),
    properties=FLAGS,
)


def inputs(
    flags: tuple[bool | None, ...], a: Decimal | None = Decimal(1)
) -> dict[str, Value | None]:
    return {**dict(zip("pqr", flags, strict=True)), "a": a}


def objects(value: object) -> list[dict[str, Any]]:
    assert isinstance(value, tuple)
    return [dict(item.fields) for item in value if isinstance(item, Entry)]


def by_zen(policy: Json, given: Json) -> Any:
    engine = zen.ZenEngine({"loader": {"type": "static", "content": {"p": policy}}})
    return engine.evaluate("p", json.dumps(given))["result"]


@pytest.mark.parametrize("flags", list(product(TRUTHS, repeat=3)))
def test_every_true_row_is_collected_unless_one_is_not_known(
    flags: tuple[bool | None, ...],
) -> None:
    found = COMPILED.evaluate(inputs(flags), {})

    made = [("x", 1), ("y", 2), ("z", 3)]
    if None in flags:
        assert found.values["found"] is found.values["total"] is None
        unknown = tuple(name for name, flag in zip("pqr", flags, strict=True) if flag is None)
        assert found.missing["found"] == unknown
        return
    expected = [row for row, flag in zip(made, flags, strict=True) if flag]
    assert [tuple(each.values()) for each in objects(found.values["found"])] == expected
    assert found.values["total"] == sum(points for _, points in expected)
    assert found.uncovered == ()
    zen_found = by_zen(POLICY, {**dict(zip("pqr", flags, strict=True)), "a": 1})
    assert zen_found["found"] == [{"kind": kind, "points": points} for kind, points in expected]
    assert zen_found["total"] == found.values["total"]
    assert zen_found["worst"] is found.values["worst"]


def test_a_value_that_is_missing_hides_the_list_only_where_its_row_is_true() -> None:
    hidden = COMPILED.evaluate(inputs((True, True, False), a=None), {})
    shown = COMPILED.evaluate(inputs((True, False, False), a=None), {})

    assert hidden.values["found"] is None
    assert hidden.missing["found"] == ("a",)
    assert shown.values["total"] == 1


@pytest.mark.parametrize("flags", list(product((True, False), repeat=3)))
def test_both_variants_agree(flags: tuple[bool, ...]) -> None:
    settled = COMPILED._partly_known(COMPILED.settle(COMPILED.start(inputs(flags), {})))

    assert COMPILED.evaluate(inputs(flags), {}) == settled


def test_the_trace_names_every_row_that_is_not_false() -> None:
    entries = trace(COMPILED, inputs((True, None, False)), {})

    rows = [(entry.id, entry.result, entry.missing) for entry in entries if entry.kind == "row"]
    assert rows == [("one", "hit", ()), ("two", "not_evaluable", ("q",))]


def test_the_trace_of_the_editor_lists_the_true_rows() -> None:
    found = zen_trace(raw(POLICY), COMPILED, inputs((True, False, True)), {})

    assert [row["rule"]["_id"] for row in found["t"]["traceData"]] == ["one", "three"]


def test_a_large_table_is_searched_by_an_index() -> None:
    rows = [[f"r{i}", f"a >= {i}", f'"c{i}"', f"{i}"] for i in range(40)]
    policy = compiled(collecting(rows), properties=FLAGS)

    found = policy.evaluate(inputs((True, True, True), a=Decimal("2.50")), {})

    assert [each["kind"] for each in objects(found.values["found"])] == ["c0", "c1", "c2"]


def test_a_row_that_can_never_be_true_is_refused() -> None:
    with pytest.raises(PolicyError, match="no value makes this cell true"):
        compiled(collecting([["one", "a > 5 and a < 3", '"x"', "1"]]), properties=FLAGS)


@pytest.mark.parametrize(
    ("node", "sentence"),
    [
        (collecting(ROWS, outputPath=None), "needs an outputPath"),
        (collecting([[f"r{i}", "p", '"x"', "1"] for i in range(1_001)]), "at most 1000 rows"),
        (collecting([["one", "p", '"x"', "[1]"]]), "must be one value, found a list of number"),
        (
            collecting([["one", "p", '"x"', "1"], ["two", "q", "2", "1"]]),
            "the rows of an output have one type",
        ),
        (collecting([["one", "p", "zz", "1"]]), 'unknown field "zz"'),
        (
            table("t", [""], ["a.b"], [["1", "p", "1"]], hitPolicy="collect", outputPath="x"),
            '"a.b" is no name of a field',
        ),
    ],
)
def test_what_cannot_be_collected_is_refused(node: Json, sentence: str) -> None:
    with pytest.raises(PolicyError) as refused:
        compiled(node, properties=FLAGS)
    assert sentence in str(refused.value)


def test_an_unknown_row_is_told_by_the_rule_that_reads_the_list() -> None:
    rule = rules(("k", "sum(map(found, #.points)) > 2", "decline"))
    policy = compiled(collecting(ROWS), rule, properties=FLAGS)

    (unknown,) = policy.evaluate(inputs((True, None, False)), {}).results
    (known,) = policy.evaluate(inputs((True, True, False)), {}).results

    assert (unknown.result, unknown.missing) == ("not_evaluable", ("q",))
    assert known.result == "hit"


def test_an_object_is_written_as_what_it_is() -> None:
    (node,) = [each for each in COMPILED.nodes if isinstance(each, ValueTable)]

    assert text_of(node.rows[1].outputs[0]) == '{kind: "y", points: a * 2}'
