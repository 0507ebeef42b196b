"""Outcomes that a policy does not cover: nobody approved, nobody refused, a case without answer."""

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
    graph,
    model,
    raw,
    rules,
    subgraph,
    switch,
    using,
)
from tests.unit.policy.test_regions import PROPERTIES, VALUES, conditions

D = Decimal
NOBODY = "nobody can be approved"
PERSON = "nobody, unless a person waives it, can be approved"
NO_RULE = "no rule declines or refers: whoever has all inputs is approved; add a rule table"
CONDITION = "give it a condition, or remove it"
TOPICS = ("be approved", "hits for everybody", "no rule declines", "true for", "perhaps no")
MORE = ("too large", "leads here", "made only behind")


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
