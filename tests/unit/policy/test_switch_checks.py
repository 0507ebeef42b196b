"""What is refused of switches, what the checks know of branches, and what a trace tells."""

from decimal import Decimal
from typing import Any

import pytest

from decision_engine.policy.check import check
from decision_engine.policy.compile import compile_policy
from decision_engine.policy.parse import parse
from decision_engine.policy.trace import trace
from decision_engine.policy_texts import texts_of
from tests.unit.policy.build import (
    Json,
    custom,
    expressions,
    graph,
    node,
    raw,
    rules,
    switch,
    table,
)

D = Decimal
SWITCH = switch("s", ("yes", "a > 1"), ("no", ""))
ENDS = ["in>s", "s:yes>one", "s:no>two", "one>end", "two>end", "end>out"]
ONE = expressions("one", {"x": "a"})
TWO = expressions("two", {"x": "b"})
END = rules(("end", "x > 1", "refer"), identity="end")


def said(nodes: list[Json], ways: list[str], severity: str = "error") -> list[str]:
    found = check(parse(raw(graph(nodes, ways))), {})
    return [f"{i.pointer}: {i.sentence}" for i in found if i.severity == severity]


def statements(*listed: Json, **content: Any) -> Json:
    return node("s", "switchNode", {"hitPolicy": "first", "statements": list(listed), **content})


def test_two_exclusive_branches_may_make_one_name() -> None:
    assert said([SWITCH, ONE, TWO, END], ENDS) == []


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        (statements(hitPolicy="any"), '/s: the hitPolicy of a switch must be one of: "first", "c'),
        (statements(), "/s: a switch has 1 to 200 statements"),
        (statements(statements={}), "/s: statements must be a list"),
        (statements(x=1), '/s: a switch has the unknown field "x"'),
        (statements({"id": "yes", "condition": "a >"}), "/s/yes/condition: syntax"),
        (statements({"id": "yes"}), "/s/yes/condition: an expression must be a text that is not"),
        (
            statements({"id": "a b", "condition": ""}),
            "/s/a b: a statement needs an id: 1 to 64 let",
        ),
        (statements({"condition": ""}), "/s: a statement needs an id"),
        (statements({"id": "k", "condition": "", "z": 1}), "/s/k: a statement has the unknown fie"),
        (
            statements({"id": "k", "condition": "f", "isDefault": True}),
            "/s/k: the statement for everything else has no condition",
        ),
        (
            switch("s", ("yes", "f"), ("yes", "a > 1")),
            '/s: the statement id "yes" is used 2 times',
        ),
        (
            switch("s", ("yes", ""), ("no", "f")),
            "/s/yes: the else of a switch by first is its last statement",
        ),
        (switch("s", ("yes", "f"), ("no", ""), ("more", "f")), "/s/no: the else of a switch by"),
        (switch("s", ("yes", "f"), ("no", "g"), ("more", "f")), "/s/more: no edge leaves this st"),
        (switch("s", ("yes", "f")), '/s: an edge leaves by "no", which is no statement of this'),
    ],
)
def test_a_switch_is_refused(changed: Json, sentence: str) -> None:
    found = said([changed, ONE, TWO, END], ENDS)

    assert any(text.startswith(sentence) for text in found), found


def test_the_kinds_of_conditions_are_checked() -> None:
    found = said([switch("s", ("yes", "a"), ("no", "")), ONE, TWO, END], ENDS)

    assert found == ["/s/yes/condition: a condition needs a boolean, found a number"]


def test_an_edge_that_leaves_a_switch_needs_its_handle() -> None:
    ways = ["in>s", "s>one", *ENDS[2:]]

    assert '/s: an edge leaves by "", which is no statement of this switch' in said(
        [SWITCH, ONE, TWO, END], ways
    )


def test_one_node_may_be_the_next_of_two_statements() -> None:
    ways = ["in>s", "s:yes>one", "s:no>one", "one>end", "end>out"]

    assert said([SWITCH, ONE, END], ways) == []
    twice = "two edges join the same nodes"
    assert said([SWITCH, ONE, END], [*ways, "s:no>one"]) == [f": {twice}"]


@pytest.mark.parametrize(
    ("nodes", "ways"),
    [
        # Both may be taken.
        ([switch("s", ("yes", "f"), ("no", ""), policy="collect"), ONE, TWO, END], ENDS),
        # The second is reached either way.
        ([SWITCH, ONE, TWO, END], [*ENDS, "one>two"]),
        ([SWITCH, ONE, TWO, END], [*ENDS, "in>two"]),
    ],
)
def test_a_name_made_by_two_that_may_both_run_is_refused(
    nodes: list[Json], ways: list[str]
) -> None:
    assert any('the name "x" is made twice' in text for text in said(nodes, ways))


def test_a_name_of_two_branches_has_one_kind() -> None:
    two = expressions("two", {"x": "f"})

    assert said([SWITCH, ONE, two, END], ENDS) == [
        '/two/x: "x" is a number in another branch, found a boolean'
    ]


def test_what_is_known_of_a_shared_name_holds_for_both_makers() -> None:
    words = [expressions("one", {"x": '"p"'}), expressions("two", {"x": '"q"'})]
    made = table("v", ["x"], ["o"], [["k", '"p"', "1"]])
    end = rules(("end", "o > 1", "refer"), identity="end")
    ways = [*ENDS[:3], "one>v", "two>v", "v>end", "end>out"]

    assert said([SWITCH, *words, made, end], ways) == [
        "/v: no row for x = q: add a row for it, or a last row with empty cells"
    ]
    free = expressions("two", {"x": "t"})
    assert said([SWITCH, words[0], free, made, end], ways) == [
        "/v: no row for x = (any other text): add a row for it, or a last row with empty cells"
    ]


def test_a_shared_number_is_shown_with_the_decimals_of_both_makers() -> None:
    def asks(identity: str, scale: int) -> Json:
        declared = {"x": {"type": "number", "x-scale": scale}}
        config = {"name": "call", "outputPath": "c", "arguments": {}, "outputs": declared}
        return custom(identity, "function", config)

    end = rules(("end", "c.x > 1", "refer"), identity="end")
    functions: Any = {"call": lambda _: {"x": D("1.25")}}
    for scales in ((2, 4), (4, 2)):
        nodes = [SWITCH, asks("one", scales[0]), asks("two", scales[1]), end]
        policy = compile_policy(raw(graph(nodes, ENDS)), {})
        for a in (D(0), D(2)):
            (shown,) = [e.value for e in trace(policy, {"a": a}, functions) if e.value]
            assert shown == "1.2500"


def test_a_node_sees_a_shared_name_only_where_every_maker_is_before_it_or_out_of_the_way() -> None:
    inside = rules(("inside", "x > 1", "refer"), identity="inside")
    nodes = [SWITCH, ONE, TWO, inside, END]
    apart = [*ENDS, "one>inside", "inside>end"]

    assert said(nodes, apart) == []
    assert said(nodes, [*apart, "in>inside"]) == [
        '/inside/inside/condition: "x" is made by a node that does not come before this one'
    ]


def test_a_rule_in_a_branch_covers_nothing() -> None:
    null_test = expressions("one", {"x": "a == null ? 1 : 2"})
    cover = rules(("cover", "a > 9", "refer"), identity="two")
    end = rules(("end", "b > 1", "refer"), identity="end")
    nodes = [SWITCH, null_test, cover, end]
    needed = [text for text in said(nodes, ENDS) if "a null test needs a rule" in text]

    assert [text.partition(":")[0] for text in needed] == ["/one/x"]
    after = rules(("end", "a > 9", "refer"), identity="end")
    assert said([*nodes[:3], after], ENDS) == []


def test_a_null_test_that_chooses_a_way_needs_a_rule_too() -> None:
    asks = switch("s", ("yes", "a == null"), ("no", ""))

    assert [text.partition(":")[0] for text in said([asks, ONE, TWO, END], ENDS)] == [
        "/s/yes/condition"
    ]


def test_a_silent_rule_answers_for_the_inputs_of_the_switch_behind_what_it_reads() -> None:
    end = rules(
        ("end", "x > 1", "refer", "no_hit_if_missing"), ("b", "b > 1", "refer"), identity="end"
    )
    asks = switch("s", ("yes", "n > 1"), ("no", ""))
    one = expressions("one", {"x": "b + 1"})

    found = said([asks, one, TWO, end], ENDS)
    assert [text.partition("whenever")[2] for text in found] == [
        " n is missing: a row about n alone"
    ]


def test_a_rule_about_a_shared_name_covers_what_both_makers_need() -> None:
    def errors(two: str, *, asks: str = "a", swapped: bool = False) -> list[str]:
        branches = [ONE, expressions("two", {"x": two})]
        makers = branches[::-1] if swapped else branches
        nodes = [SWITCH, *makers, expressions("y", {"y": f"{asks} == null"})]
        return said([*nodes, END], [*ENDS[:-2], "end>y", "y>out", "two>end"])

    assert errors("a + 1") == []
    assert len(errors("b + 1")) == 1
    assert errors("b + 1", asks="b") == errors("b + 1", asks="b", swapped=True) != []


def shown(a: Any, nodes: list[Json] | None = None) -> list[tuple[str, ...]]:
    policy = compile_policy(raw(graph(nodes or [SWITCH, ONE, BOX, END], ENDS)), {})
    entries = trace(policy, {"a": a, "b": D(5)}, {})
    return [(e.kind, e.node, e.id, e.result, e.value, *e.missing) for e in entries]


BOX = table("two", ["b"], ["x"], [["small", "< 3", "1"], ["big", ">= 3", "2"]])


def test_the_trace_tells_which_way_was_taken() -> None:
    assert shown(D(2)) == [
        ("branch", "S", "yes", "taken", ""),
        ("branch", "S", "no", "not_taken", ""),
        ("value", "ONE", "x", "present", "2"),
        ("row", "TWO", "", "not_reached", ""),
        ("value", "TWO", "x", "not_reached", ""),
        ("rule", "END", "end", "hit", ""),
    ]


def test_the_trace_of_ways_that_are_not_known() -> None:
    assert shown(None) == [
        ("branch", "S", "yes", "not_evaluable", "", "a"),
        ("branch", "S", "no", "not_evaluable", "", "a"),
        ("value", "ONE", "x", "missing", "", "a"),
        ("row", "TWO", "", "not_evaluable", "", "a"),
        ("value", "TWO", "x", "missing", "", "a"),
        ("rule", "END", "end", "not_evaluable", "", "a"),
    ]


def test_the_trace_of_a_switch_without_a_way_and_of_one_not_reached() -> None:
    inner = switch("one", ("in", "b > 1"))
    ways = ["in>s", "s:yes>one", "s:no>two", "one:in>r", "r>out", "two>out"]
    nodes = [SWITCH, inner, rules(("k", "b > 1", "refer")), TWO]
    policy = compile_policy(raw(graph(nodes, ways)), {})

    def entries(**values: Any) -> list[tuple[str, str, str, int]]:
        found = trace(policy, values, {})
        return [
            (e.node, e.id, e.result, len(e.conditions)) for e in found if e.node in ("ONE", "R")
        ]

    assert entries(a=D(0), b=D(5)) == [
        ("ONE", "in", "not_reached", 0),
        ("R", "k", "not_reached", 0),
    ]
    assert entries(a=D(2), b=D(0)) == [
        ("ONE", "in", "not_taken", 1),
        ("ONE", "", "uncovered", 0),
        ("R", "k", "not_reached", 0),
    ]


def test_another_way_to_a_node_changes_the_texts_of_a_policy() -> None:
    nodes = [SWITCH, ONE, expressions("two", {"y": "b"}), rules(("end", "b > 1", "refer"))]
    straight = ["in>s", "s:yes>one", "s:no>two", "one>r", "two>r", "r>out"]
    crossed = ["in>s", "s:no>one", "s:yes>two", *straight[3:]]
    collect = switch("s", ("yes", "a > 1"), ("no", ""), policy="collect")
    policies = [
        graph(nodes, straight),
        graph(nodes, crossed),
        graph([collect, *nodes[1:]], straight),
    ]

    digests = {texts_of(compile_policy(raw(each), {})).digest for each in policies}

    assert len(digests) == len(policies)
