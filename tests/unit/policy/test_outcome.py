"""Outcomes that a policy does not cover: nobody approved, nobody refused, a case without answer."""

import json
from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decision_engine.policy.check import check
from decision_engine.policy.compile import build
from decision_engine.policy.evaluation import Evaluation
from decision_engine.policy.parse import parse
from decision_engine.policy.scorecard import Scorecard
from tests.unit.policy.build import (
    Json,
    custom,
    decision,
    document,
    expressions,
    function,
    graph,
    model,
    raw,
    rules,
    subgraph,
    switch,
    table,
    using,
)
from tests.unit.policy.test_regions import PROPERTIES, VALUES, conditions

D = Decimal
NOBODY = "nobody can be approved"
PERSON = "nobody, unless a person waives it, can be approved"
NO_RULE = "no rule declines or refers: whoever has all inputs is approved; add a rule table"
CONDITION = "give it a condition, or remove it"
TOPICS = ("be approved", "hits for everybody", "no rule declines", "true for", "perhaps no")
MORE = ("leads here", "made only behind")


def said(policy: Json) -> list[str]:
    found = check(parse(raw(policy)), {"m": Scorecard.parse(raw(model()))})
    return [
        f"{i.severity} {i.pointer}: {i.sentence}"
        for i in found
        if i.severity == "error" or any(topic in i.sentence for topic in TOPICS + MORE)
    ]


def stands(place: str, who: str, *names: str) -> str:
    listed = ", ".join(f'"{name}"' for name in names)
    these = f"whatever the inputs are, one of these rules hits: {listed}"
    return f"{place}: {who}: {these}; let a case pass them all"


def plain(*nodes: Json) -> Json:
    return document(*nodes, properties=PROPERTIES)


# Nobody is approved.


@pytest.mark.parametrize("effect", ["decline", "reduce"])
@pytest.mark.parametrize("condition", ["p >= -2", "f or not f", "true", 's in ["x", "y", "z"]'])
def test_a_rule_that_stands_against_everybody_is_an_error(condition: str, effect: str) -> None:
    found = said(plain(rules(("k", condition, effect), ("l", "q > 4", "refer"))))

    assert found == [
        f'error /r/k: {NOBODY}: this rule hits for everybody ("{effect}"); {CONDITION}'
    ]


def test_rules_that_together_stand_against_everybody_are_an_error() -> None:
    found = said(plain(rules(("high", "p > 2", "decline"), ("low", "p <= 2", "reduce"))))

    assert found == [stands("error /r", NOBODY, "high", "low")]


def test_rules_of_several_tables_count_together_though_their_columns_have_one_name() -> None:
    one = rules(("high", "> 2", "decline"), fields=("p",), identity="one")
    two = rules(("low", "<= 2", "decline"), fields=("p",), identity="two", outputPath="other")
    other = rules(("low", "<= 2", "decline"), fields=("q",), identity="two", outputPath="other")

    assert [text.partition(":")[0] for text in said(plain(one, two))] == ["error "]
    assert said(plain(one, other)) == []


@pytest.mark.parametrize(
    "listed",
    [
        [("high", "p > 2", "decline"), ("low", "p < 2", "decline")],
        [("high", "p > 2", "decline"), ("low", "p <= 2 and f", "reduce")],
        [("high", "p > q", "decline"), ("low", "p <= q", "decline")],
        [("high", "p == null", "refer"), ("low", "p > 2", "decline")],
    ],
)
def test_rules_that_let_one_case_pass_are_fine(listed: list[tuple[str, str, str]]) -> None:
    assert said(plain(rules(*listed))) == []


def test_what_a_person_may_waive_is_a_warning() -> None:
    listed = (("high", "p > 2", "decline"), ("low", "p <= 2", "refer"))

    assert said(plain(rules(*listed))) == [stands("warning /r", PERSON, "high", "low")]
    alone = said(plain(rules(("k", "true", "refer"))))
    assert [text.partition(" (")[0] for text in alone] == [
        "warning /r/k: this rule hits for everybody"
    ]


def test_where_data_is_missing_a_silent_rule_does_not_stand_against_anybody() -> None:
    there = (("high", "p > 2", "decline"), ("low", "p <= 2", "decline"))
    silent = [(*row, "no_hit_if_missing") for row in there]
    cover = ("cover", "p == null", "refer")

    assert [text.partition(":")[0] for text in said(plain(rules(*there, cover)))] == ["error /r"]
    assert [text.partition(":")[0] for text in said(plain(rules(*silent, cover)))] == ["warning /r"]


def test_what_cannot_be_judged_without_data_stands_against_a_case_too() -> None:
    there = (("high", "p > 2", "decline"), ("low", "p <= 2", "decline"))
    asks = ("k", "p == null and q > 2", "decline")

    assert said(plain(rules(*there, asks))) == [stands("error /r", NOBODY, "high", "low")]


def test_a_derived_value_may_be_anything_that_its_kind_allows() -> None:
    made = expressions("e", {"d": "p + q"})
    split = rules(("high", "d > 2", "decline"), ("low", "d <= 2", "decline"))
    score = custom("c", "scorecard", {"model": "m"})
    scored = rules(("no", "score.value >= 0", "decline"))

    assert [text.partition(":")[0] for text in said(plain(made, split))] == ["error /r"]
    assert [text.partition(":")[0] for text in said(document(score, scored))] == ["error /r/no"]
    assert said(plain(made, rules(("high", "d > 2", "decline")))) == []


SWITCH = switch("s", ("yes", "f"), ("no", ""))
ENDS = ["in>s", "s:yes>one", "s:no>two", "one>out", "two>out"]


def branch(identity: str, condition: str, effect: str = "decline") -> Json:
    return rules((f"rule-{identity}", condition, effect), identity=identity, outputPath=identity)


def branched(*nodes: Json, ways: list[str] | None = None) -> list[str]:
    return said(graph(list(nodes), ways or ENDS, PROPERTIES))


def test_branches_that_all_stand_against_everybody_are_an_error() -> None:
    found = branched(SWITCH, branch("one", "p >= -2"), branch("two", "true"))

    assert found[-1] == stands("error ", NOBODY, "rule-one", "rule-two")


def test_a_branch_in_which_everybody_is_declined_is_none() -> None:
    for other in (branch("two", "q > 2"), expressions("two", {"k": "1"})):
        found = branched(SWITCH, branch("one", "p >= -2"), other)
        assert [text.partition(" (")[0] for text in found] == [
            "warning /one/rule-one: this rule hits for everybody"
        ]


def final(found: Evaluation) -> bool:
    """Whether something stands against approval that no reviewer may waive."""
    return any(
        r.result == "not_evaluable" or (r.result == "hit" and r.effect != "refer")
        for r in found.results
    )


ASKED = [
    {"p": p, "q": D(q), "s": s, "f": f}
    for p, q, s, f in product(map(D, VALUES["p"]), VALUES["q"], VALUES["s"], (True, False))
]


@settings(max_examples=15)
@given(st.data())
def test_where_nobody_can_be_approved_nobody_is(data: st.DataObject) -> None:
    effects = st.sampled_from(["decline", "decline", "reduce", "refer"])
    silent = st.sampled_from(["refer", "decline", "no_hit_if_missing"])
    known = conditions.filter(lambda text: "null" not in text)
    lines = [(f"k{i}", *data.draw(st.tuples(known, effects, silent))) for i in range(3)]
    opposite = (f"not ({lines[0][1]})", *data.draw(st.tuples(effects, silent)))
    made = plain(rules(*lines, ("last", *opposite)))
    found = said(made)
    policy = build(parse(raw(made)), {})
    if any(text.startswith("error") and NOBODY in text for text in found):
        for case in ASKED:
            assert final(policy.evaluate(case, {}))
            for name in case:
                assert final(policy.evaluate({**case, name: None}, {}))
    elif not any(part in str([*lines, opposite]) for part in ("p > q", "p + 1", "no_hit")):
        assert not all(
            final(policy.evaluate({**case, **lack}, {}))
            for case in ASKED
            for lack in ({}, *({name: None} for name in case))
        )


# Nobody is refused.


def test_a_policy_without_a_rule_that_refuses_is_a_warning() -> None:
    assert said(plain(expressions("e", {"d": "p"}))) == [f"warning : {NO_RULE}"]
    assert said(plain(rules(("k", "p > 2", "reduce")))) == [f"warning : {NO_RULE}"]


@pytest.mark.parametrize("effect", ["decline", "refer"])
def test_one_rule_that_refuses_is_enough(effect: str) -> None:
    assert said(plain(rules(("k", "p > 2", effect)))) == []
    inside = subgraph([rules(("k", "p > 2", effect))], ["in>r", "r>out"], PROPERTIES)
    around = graph([decision("d", "k")], ["in>d", "d>out"], PROPERTIES)
    assert said(using(around, k=inside)) == []


# A case without an answer.

TAIL = rules(("tail", "q > 2", "refer"), identity="tail")
REFERRED = "then the case is referred; add a statement with an empty condition, for all others"


def open_switch(*truths: str, policy: str = "first") -> list[str]:
    names = [f"w{i}" for i in range(len(truths))]
    listed = switch("s", *zip(names, truths, strict=True), policy=policy)
    ways = ["in>s", *(f"s:{name}>tail" for name in names), "tail>out"]
    return branched(listed, TAIL, ways=ways)


@pytest.mark.parametrize(
    ("truths", "example"),
    [
        (["f"], "f = false"),
        (['s == "x"', 's == "y"'], "s = z"),
        (["p < 1", "p > 1"], "p = 1"),
        (["p < 1", "f"], "p = 1, f = false"),
    ],
)
def test_a_switch_without_a_way_for_a_case_is_a_warning(truths: list[str], example: str) -> None:
    assert open_switch(*truths) == [f"warning /s: no statement is true for {example}: {REFERRED}"]
    assert open_switch(*truths, policy="collect") == [
        f"warning /out: no branch leads here for {example}: {REFERRED}"
    ]


@pytest.mark.parametrize("policy", ["first", "collect"])
@pytest.mark.parametrize("truths", [["f", ""], ["p < 1", "p >= 1"], ["f", "not f"]])
def test_a_switch_with_a_way_for_every_case_is_fine(truths: list[str], policy: str) -> None:
    assert open_switch(*truths, policy=policy) == []


def test_of_a_condition_that_is_not_known_the_finding_says_perhaps() -> None:
    assert open_switch("p > q") == [f"warning /s: perhaps no statement is true: {REFERRED}"]


def test_a_switch_in_a_branch_needs_ways_only_for_what_comes_there() -> None:
    inner = switch("i", ("a", "p > 2 and q > 0"), ("b", "q <= 0"))
    ways = ["in>s", "s:yes>i", "i:a>tail", "i:b>tail", "s:no>tail", "tail>out"]

    assert branched(switch("s", ("yes", "p > 2"), ("no", "")), inner, TAIL, ways=ways) == []
    assert branched(SWITCH, inner, TAIL, ways=ways) == [
        f"warning /i: no statement is true for f = true, p = -2, q = 1: {REFERRED}"
    ]


def test_the_end_of_a_decision_is_asked_for_only_where_it_begins() -> None:
    inside = subgraph(
        [switch("i", ("a", "p > 2"), policy="collect"), TAIL],
        ["in>i", "i:a>tail", "tail>out"],
        PROPERTIES,
    )
    ways = ["in>s", "s:yes>d", "d>out", "s:no>out"]

    def around(condition: str) -> list[str]:
        outer = switch("s", ("yes", condition), ("no", ""))
        return said(using(graph([outer, decision("d", "k")], ways, PROPERTIES), k=inside))

    assert around("p > 3") == []
    assert around("p > 1") == [
        f"warning {place}: no branch leads here for p = 2: {REFERRED}" for place in ("/d/out",)
    ]


# A value that a branch makes, and what reads it elsewhere.

MADE = expressions("one", {"x": "p"})
BEHIND = 'x is made only behind "yes" of the switch "s": for f = false it is missing'
REMEDY = "make it in every branch, or read it only behind those that make it"
JOIN = ["in>s", "s:yes>one", "one>end", "s:no>end", "end>out"]


def reads(end: Json, *more: Json) -> list[str]:
    return branched(
        SWITCH, MADE, end, *more, ways=JOIN if not more else [*JOIN[:-1], "end>more", "more>out"]
    )


def reader(condition: str) -> Json:
    return rules(("end", condition, "refer"), identity="end")


@pytest.mark.parametrize(
    ("end", "place"),
    [
        (reader("x > 2"), "end/end/condition"),
        (rules(("end", "> 2", "refer"), fields=("x",), identity="end"), "end/end/x"),
        (reader("f or x > 2"), "end/end/condition"),
        (reader("q > 3 and x > 2"), "end/end/condition"),
        (expressions("end", {"y": "q > 3 ? x : 0"}), "end/y"),
        (expressions("end", {"y": "x + 1"}), "end/y"),
        (table("end", ["q"], ["o"], [["k", "> 3", "1"], ["l", "", "x"]]), "end/l"),
        (table("end", ["x"], ["o"], [["k", "> 3", "1"], ["l", "", "2"]]), "end/k/x"),
    ],
)
def test_what_a_branch_makes_and_another_way_reads_is_a_warning(end: Json, place: str) -> None:
    found = [text for text in reads(end) if "made only" in text]
    lead = BEHIND if "q" not in json.dumps(end) else BEHIND.partition(":")[0]

    assert len(found) == 1
    assert found[0].startswith(f"warning /{place}: {lead}")
    assert found[0].endswith(REMEDY)


@pytest.mark.parametrize(
    "end",
    [
        reader("f and x > 2"),
        reader("not f or x > 2"),
        reader("q > 2"),
        expressions("end", {"y": "f ? x : 0"}),
        expressions("end", {"y": "1 + (f ? x : 0)"}),
        table("end", ["f"], ["o"], [["k", "false", "1"], ["l", "", "x"]]),
        table("end", ["f", "x"], ["o"], [["k", "true", "> 1", "1"], ["l", "", "", "0"]]),
    ],
)
def test_what_is_read_only_where_it_is_made_is_fine(end: Json) -> None:
    assert [text for text in reads(end) if "made only" in text] == []


def test_a_name_that_every_branch_makes_is_fine() -> None:
    two = expressions("two", {"x": "q"})
    ways = [*ENDS[:3], "one>end", "two>end", "end>out"]

    assert branched(SWITCH, MADE, two, reader("x > 2"), ways=ways) == []
    asks = switch("s", ("yes", "p > 2"), ("no", "p <= 2"))
    assert branched(asks, MADE, two, reader("x > 2"), ways=ways) == []


def test_a_case_that_is_declined_all_the_same_needs_no_value() -> None:
    more = rules(("stop", "not f", "decline"), identity="more", outputPath="more")

    assert reads(reader("x > 2"), more) == []


def test_calls_scorecards_and_switches_read_too() -> None:
    call = function({"v": "x"}, {"w": {"type": "number"}})
    asks = switch("end", ("k", "x > 2"), ("l", ""))
    ways = [*JOIN[:-1], "end:k>out", "end:l>out"]
    called = [*JOIN[:2], "one>fn", "s:no>fn", "fn>out"]

    assert f"warning /fn/v: {BEHIND}; {REMEDY}" in branched(SWITCH, MADE, call, ways=called)
    assert f"warning /end/k/condition: {BEHIND}; {REMEDY}" in branched(
        SWITCH, MADE, asks, ways=ways
    )
    card = custom("end", "scorecard", {"model": "m"})
    made = graph([SWITCH, expressions("one", {"a": "p"}), card], JOIN, PROPERTIES)
    assert f"warning /end/a: {BEHIND.replace('x is', 'a is')}; {REMEDY}" in said(made)


plain_tests = conditions.filter(
    lambda text: not any(part in text for part in ("null", "p > q", "p + 1"))
)


@settings(max_examples=15)
@given(
    one=plain_tests,
    two=plain_tests,
    guard=plain_tests,
    guarded=st.booleans(),
    otherwise=st.booleans(),
)
def test_what_is_found_is_what_happens(
    *, one: str, two: str, guard: str, guarded: bool, otherwise: bool
) -> None:
    listed = [("yes", one), ("also", two), *([("no", "")] if otherwise else [])]
    end = reader(f"({guard}) and x > 2" if guarded else "x > 2")
    ways = ["in>s", "s:yes>one", "one>end", "s:also>end", "end>out", "s:no>end"]
    made = graph([switch("s", *listed), MADE, end], ways[: None if otherwise else -1], PROPERTIES)
    found = [text for text in said(made) if text.startswith("warning")]
    policy = build(parse(raw(made)), {})

    answers = [policy.evaluate(case, {}) for case in ASKED]
    holes = [answer for answer in answers if answer.uncovered]
    unread = [
        answer
        for answer in answers
        if not answer.uncovered and answer.results[0].result == "not_evaluable"
    ]
    assert any("no statement is true for" in text for text in found) is bool(holes)
    assert any("made only behind" in text for text in found) is bool(unread)
