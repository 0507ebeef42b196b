"""Division by what can be zero: a warning when it can, none when it is proven that it cannot."""

from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decision_engine.policy.check import check, estimate
from decision_engine.policy.parse import parse
from decision_engine.policy.scorecard import Scorecard
from tests.unit.policy.build import (
    Json,
    compiled,
    custom,
    document,
    expressions,
    function,
    graph,
    model,
    raw,
    rules,
    switch,
    table,
)

PROPERTIES: Json = {
    "p": {"type": "integer", "minimum": -2, "maximum": 3},
    "q": {"type": "integer", "minimum": 0, "maximum": 3},
    "r": {"type": "integer", "minimum": 1, "maximum": 4},
    "w": {"type": "number", "minimum": -1, "maximum": 1},
    "any": {"type": "number"},
    "s": {"type": "string"},
    "l": {"type": "array", "maxItems": 3, "items": {"type": "integer", "minimum": 1}},
    "z": {"type": "array", "maxItems": 3, "items": {"type": "integer", "minimum": -5}},
    "o": {
        "type": "array",
        "maxItems": 3,
        "items": {
            "type": "object",
            "properties": {
                "x": {"type": "number", "minimum": 2},
                "y": {"type": "number"},
            },
        },
    },
}


def said(*nodes: Json) -> list[tuple[str, str]]:
    return found(document(*nodes, properties=PROPERTIES))


def found(policy: Json) -> list[tuple[str, str]]:
    models = {"m": Scorecard.parse(raw(model()))}
    return [
        (item.pointer, item.sentence.removeprefix("the divisor ").partition(" can be zero")[0])
        for item in check(parse(raw(policy)), models)
        if "zero" in item.sentence or item.severity == "error"
    ]


def divisors(value: str) -> list[str]:
    return [divisor for _, divisor in said(expressions("e", {"k": value}))]


def test_the_warning_says_where_what_and_what_to_do() -> None:
    policy = document(expressions("e", {"k": "round(r / q, 2)"}), properties=PROPERTIES)
    (warning,) = [i for i in check(parse(raw(policy)), {}) if "zero" in i.sentence]

    assert (warning.severity, warning.pointer) == ("warning", "/e/k")
    assert warning.sentence == (
        "the divisor q can be zero: then the value is missing; test it before (q != 0), "
        "or let the schema exclude it (minimum, maximum)"
    )


@pytest.mark.parametrize(
    ("value", "divisor"),
    [
        ("1 / q", "q"),
        ("1 % p", "p"),
        ("round(1 / any, 2)", "any"),
        ("1 / (q - r)", "q - r"),
        ("1 / (r - 1)", "r - 1"),
        ("1 / (r % 2)", "r % 2"),
        ("1 / (q * r)", "q * r"),
        ("1 / abs(p)", "abs(p)"),
        ("1 / floor(w)", "floor(w)"),
        ("1 / trunc(r / 2, 1)", "trunc(r / 2, 1)"),
        ("1 / round(r / 10)", "round(r / 10, 0)"),
        ("1 / round(r * 0.1)", "round(r * 0.1, 0)"),
        ("1 / len(l)", "len(l)"),
        ("1 / len(s)", "len(s)"),
        ("1 / sum(l)", "sum(l)"),
        ("1 / sum(z)", "sum(z)"),
        ("1 / (sum(z) + 1)", "sum(z) + 1"),
        ("1 / sum([p, r])", "sum([p, r])"),
        ("1 / min(z)", "min(z)"),
        ("1 / min([p, r])", "min([p, r])"),
        ("1 / avg([p, -3])", "avg([p, -3])"),
        ("1 / avg([-1, 1])", "avg([-1, 1])"),
        ("1 / max(map(z, # + 1))", "max(map(z, # + 1))"),
        ("1 / max(flatMap(l, [#]))", "max(flatMap(l, [#]))"),
        ("1 / count(l, # > 1)", "count(l, # > 1)"),
        ("1 / l[0]", "l[0]"),
        ("1 / number(s)", "number(s)"),
        ("1 / p ^ 2", "p ^ 2"),
        ("1 / (q > 1 ? q : 0)", "(q > 1) ? q : 0"),
        ("q >= 0 ? 1 / q : 1", "q"),
        ("q < 1 ? 1 / q : 1", "q"),
        ("q == 0 ? 1 / q : 1", "q"),
        ("q != 1 ? 1 / q : 1", "q"),
        ("q != r ? 1 / q : 1", "q"),
        ("q in [0..2] ? 1 / q : 1", "q"),
        ("q in [0, 2] ? 1 / q : 1", "q"),
        ("p > 0 or q > 0 ? 1 / q : 1", "q"),
        ('s == "x" ? 1 / q : 1', "q"),
        ("q > 0 ? (1 / q > 1 ? 1 : 2) : 1 / q", "q"),
        ("some(z, # > 0 or 1 / # < 1) ? 1 : 0", "#"),
        ("sum(map(o, 1 / #.y))", "#.y"),
        ("all(z, # != 0 and some(z, 1 / # > 1)) ? 1 : 2", "#"),
        ("all(z, # != 0 and some(map(z, # + 1), 1 / # > 1)) ? 1 : 2", "#"),
    ],
)
def test_a_divisor_that_can_be_zero_is_named(value: str, divisor: str) -> None:
    assert divisors(value) == [divisor]


@pytest.mark.parametrize(
    "value",
    [
        "1 / r",
        "1 % r",
        "round(1 / (q + 1), 2)",
        "1 / (-1 - q)",
        "1 / (r * r)",
        "1 / (abs(p) + 0.01)",
        "1 / (abs(p - 4))",
        "1 / ceil(r / 10 + 1)",
        "1 / (q / r + 1)",
        "1 / (q / (q + 1) + 1)",
        "1 / (r / r)",
        "1 / r ^ 3",
        "1 / len([p, q])",
        "1 / (len(s) + 1)",
        "1 / (len(l) + 1)",
        "1 / (len(l) - 4)",
        "1 / sum([r, q])",
        "1 / max([q, 1])",
        "1 / min([r, 2])",
        "1 / avg([r, 2])",
        "1 / min(l)",
        "1 / (sum(l) + 1)",
        "1 / min(map(l, # + 1))",
        "1 / max(filter(z, # != 0))",
        "1 / (count(z, # > 1) + 1)",
        "1 / (q > 1 ? q : 1)",
        "q > 0 ? 1 / q : 1",
        "q >= 1 ? 1 / q : 1",
        "q != 0 ? 1 / q : 1",
        "q != 0 ? 1 / (q - 0.5) : 1",
        "0 != q ? 1 / q : 1",
        "0 < q ? 1 / q : 1",
        "0 < any ? 1 / (any + 1) : 1",
        "any > 0 ? 1 / (any + q) : 1",
        "any > w ? 1 / (w - any - 1) : 1",
        "not (q == 0) ? 1 / q : 1",
        "q == 0 ? 1 : 1 / q",
        "q == 0 or p == 0 ? 1 : 1 / q + 1 / p",
        "p < 0 or p > 0 ? 1 / p : 1",
        "p in [1..3] ? 1 / p : 1",
        "p in (0..3) ? 1 / p : 1",
        "p in [-1, 2] ? 1 / p : 1",
        "p not in [-1..1] ? 1 / p : 1",
        "p not in [0, 1] ? 1 / p : 1",
        "q > 0 and 1 / q < 1 ? 1 : 2",
        "q == 0 or 1 / q < 1 ? 1 : 2",
        "q - r > 0 ? 1 / (q - r) : 1",
        "q > r ? 1 / (q - r) + 1 / (r - q) : 1",
        "q != r ? 1 / (q - r) : 1",
        "q > r ? 1 / q : 1",
        "len(l) > 0 ? 1 / len(l) : 1",
        "q > 0 ? (p > 0 ? 1 / q / p : 2) : 1",
        "some(z, # != 0 and 1 / # < 1) ? 1 : 0",
        "sum(map(filter(z, # > 0), 1 / #))",
        "sum(map([1, 2], 1 / #))",
        "sum(map(o, 1 / #.x))",
        "sum(map(filter(o, #.y > 0), 1 / #.y))",
        "any > 0 ? 1 / any : 1",
    ],
)
def test_a_divisor_that_cannot_be_zero_is_none_of_our_business(value: str) -> None:
    assert divisors(value) == []


def test_later_nodes_know_what_earlier_ones_made() -> None:
    made = expressions("e", {"one": "r + 1", "two": "q * r", "text": "s"})
    use = expressions("u", {"k": "1 / one", "k2": "1 / two"})

    assert said(made, use) == [("/u/k2", "two")]
    assert said(expressions("e", {"one": "q + 1", "k": "1 / $.one", "k2": "1 / q"})) == [
        ("/e/k2", "q")
    ]


def test_the_outputs_of_tables_functions_and_scorecards_are_known() -> None:
    rows = [["x", "> 1", "2", '"a"'], ["y", "", "r", '"b"']]
    outputs = table("t", ["q"], ["rate", "word"], rows)
    zero = table("t", ["q"], ["rate"], [["x", "> 1", "2"], ["y", "", "0"]])
    called = function({"x": "1 / q"}, {"v": {"type": "number"}})

    assert said(outputs, expressions("u", {"k": "1 / rate"})) == []
    assert said(zero, expressions("u", {"k": "1 / rate"})) == [("/u/k", "rate")]
    assert said(called, expressions("u", {"k": "1 / call.v"})) == [
        ("/fn/x", "q"),
        ("/u/k", "call.v"),
    ]
    score = custom("c", "scorecard", {"model": "m"})
    use = expressions("u", {"k": "1 / score.value", "k2": "1 / (score.value + 1)"})
    assert found(document(score, use)) == [("/u/k", "score.value")]


def test_the_other_cells_of_a_row_stand_guard() -> None:
    guarded = rules(("x", "> 0", "1 / q > 0.5", "decline"), fields=("q", ""))
    after = rules(("x", "1 / q > 0.5", "> 0", "decline"), fields=("", "q"))
    bare = rules(("x", "> 0", "1 / q > 0.5", "decline"), fields=("r", ""))

    assert said(guarded) == said(after) == []
    assert said(bare) == [("/r/x/condition", "q")]
    # No cell stands guard over itself.
    itself = rules(("x", "q > 0 * (1 / q)", "decline"))
    assert said(itself) == [("/r/x/condition", "q")]


def test_a_row_stands_guard_over_its_outputs_and_over_the_rows_that_follow() -> None:
    def values(*rows: list[str], policy: str = "first") -> list[tuple[str, str]]:
        return said(table("t", ["q"], ["v"], list(rows), hitPolicy=policy))

    assert values(["x", "> 0", "1 / q"], ["y", "", "0"]) == []
    assert values(["x", "0", "0"], ["y", "", "1 / q"]) == []
    assert values(["x", "1", "0"], ["y", "", "1 / q"]) == [("/t/y/v", "q")]
    # Of a unique table every row is tried, whatever the others are.
    assert values(["x", "0", "0"], ["y", "> 0", "1 / q"], policy="unique") == []
    full = [["x", "q == 0", "0"], ["y", "q > 0 and 1 / q > 2", "1"], ["z", "", "2"]]
    bare = [["x", "q == 0", "0"], ["y", "1 / q > 0.5", "1"], ["z", "", "2"]]
    assert said(table("t", [""], ["v"], full, hitPolicy="first")) == []
    assert said(table("t", [""], ["v"], bare, hitPolicy="first")) == []
    assert ("/t/y/condition", "q") in said(table("t", [""], ["v"], bare, hitPolicy="unique"))


def test_by_priority_the_rows_before_are_those_with_smaller_numbers() -> None:
    def values(guard: str) -> list[tuple[str, str]]:
        rows = [["x", "< 3", "1 / q", "2"], ["y", "0", "0", guard], ["z", "", "1", "4"]]
        return said(table("t", ["q"], ["v", "priority"], rows, hitPolicy="priority"))

    assert values("1") == []
    assert ("/t/x/v", "q") in values("2")


@pytest.mark.parametrize(("policy", "expected"), [("first", []), ("collect", ["q"])])
def test_the_statements_of_a_first_switch_stand_guard_in_order(
    policy: str, expected: list[str]
) -> None:
    nodes = [
        switch("s", ("a", "q == 0"), ("b", "1 / q > 0.5"), ("c", ""), policy=policy),
        expressions("x", {"k": "1"}),
        expressions("y", {"k2": "2"}),
    ]
    ways = ["in>s", "s:a>x", "s:b>y", "s:c>y", "x>out", "y>out"]

    assert [divisor for _, divisor in found(graph(nodes, ways, PROPERTIES))] == expected


def test_a_name_of_two_branches_is_what_both_make() -> None:
    def shared(one: str, two: str) -> list[tuple[str, str]]:
        nodes = [
            switch("s", ("a", "q == 0"), ("c", "")),
            expressions("x", {"k": one}),
            expressions("y", {"k": two}),
            expressions("u", {"v": "1 / k"}),
        ]
        ways = ["in>s", "s:a>x", "s:c>y", "x>u", "y>u", "u>out"]
        return found(graph(nodes, ways, PROPERTIES))

    assert shared("1", "2") == []
    assert shared("0", "2") == shared("1", "0") == [("/u/v", "k")]


def test_a_node_with_very_many_says_how_many() -> None:
    many = said(expressions("e", {f"k{i}": f"1 / (q - {i % 2})" for i in range(23)}))

    assert len(many) == 21
    assert many[-1] == ("/e", "3 more divisors")


def test_what_is_too_large_to_estimate_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    value = "1 / (r + r + r)"
    assert said(expressions("e", {"k": value})) == []
    monkeypatch.setattr(estimate, "MOST_STEPS", 3)

    (sentence,) = said(expressions("e", {"k": value}))
    assert sentence[1].startswith("too large to check completely")


def test_nested_ternaries_cost_bounded_work() -> None:
    value = "q"
    for _ in range(25):
        value = f"({value} > 1 ? 1 : 2)"

    assert divisors(f"1 / {value}") == []
    assert divisors(f"q + {value} > 9 ? 1 / q : 1") == ["q"]


def test_many_facts_are_not_copied_over_and_over() -> None:
    tests = " and ".join(f"q + {i} > {i}" for i in range(100))

    assert divisors(f"{tests} and q > 0 ? 1 / q : 1") == ["q"]
    assert divisors(f"q > 0 and {tests} ? 1 / q : 1") == []


numbers = st.sampled_from(["p", "q", "r", "1", "-2", "0.5", "0"])
deep = st.recursive(
    numbers,
    lambda inner: st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from("+-*/%"), inner),
        st.builds("{}({})".format, st.sampled_from(["abs", "floor", "ceil", "trunc"]), inner),
        st.builds("{}([{}, {}])".format, st.sampled_from(["min", "max", "sum"]), inner, inner),
        st.builds("round({}, 0)".format, inner),
        st.builds(
            "({} {} {} ? {} : {})".format,
            inner,
            st.sampled_from(["<", ">=", "==", "!="]),
            inner,
            inner,
            inner,
        ),
    ),
    max_leaves=6,
)


@given(deep)
def test_without_a_warning_no_input_divides_by_zero(value: str) -> None:
    node = expressions("e", {"k": value})
    inputs = {name: PROPERTIES[name] for name in "pqr"}
    policy = document(node, properties=inputs)
    if found(policy):
        return
    made = compiled(node, properties=inputs)
    for p, q, r in product(range(-2, 4), range(4), range(1, 5)):
        facts = {"p": Decimal(p), "q": Decimal(q), "r": Decimal(r)}
        assert made.evaluate(facts, {}).values["k"] is not None
