"""Cases without an answer, and values that only branches make: told before they happen."""

import json
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decision_engine.policy.compile import build
from decision_engine.policy.parse import parse
from tests.unit.policy.build import (
    Json,
    custom,
    decision,
    expressions,
    function,
    graph,
    raw,
    rules,
    subgraph,
    switch,
    table,
    using,
)
from tests.unit.policy.test_outcome import ASKED, ENDS, SWITCH, branched, said
from tests.unit.policy.test_regions import PROPERTIES, conditions

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


@pytest.mark.parametrize(
    ("length", "found"),
    [(3, "no statement is true for f = true, q = 0"), (25, "perhaps no statem")],
)
def test_what_stands_behind_very_many_switches_is_not_looked_into(length: int, found: str) -> None:
    chain = [switch(f"s{i}", ("go", "f"), ("rest", "")) for i in range(length)]
    last = switch(f"s{length}", ("yes", "q > 2"))
    ways = ["in>s0", *(f"s{i}:go>s{i + 1}" for i in range(length))]
    ways += [*(f"s{i}:rest>tail" for i in range(length)), f"s{length}:yes>tail", "tail>out"]

    (text, *_) = branched(*chain, last, TAIL, ways=ways)
    assert text.startswith(f"warning /s{length}: {found}")


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
        (expressions("end", {"y": "not (x > 2)"}), "end/y"),
        (expressions("end", {"y": "some([1, 2], # > x)"}), "end/y"),
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
        expressions("end", {"y": "f and x > 2"}),
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


def test_what_is_too_much_to_look_into_is_said_once() -> None:
    def found(size: int) -> list[str]:
        stops = [
            (f"k{i}", f"p > {i % 5} and q < {i % 7} or f and p < {i % 3}", "decline")
            for i in range(20 * size)
        ]
        ends = [expressions(f"e{i}", {f"y.e{i}": "x + 1"}) for i in range(size)]
        line = ["r", *(end["id"] for end in ends), "out"]
        ways = [*JOIN[:2], "one>r", "s:no>r", *(f"{one}>{two}" for one, two in pairwise(line))]
        return branched(SWITCH, MADE, rules(*stops), *ends, ways=ways)

    large = "warning : too large to check completely for cases without an answer; split the policy"
    assert [text for text in found(2) if "too large" in text] == []
    assert [text for text in found(45) if "too large" in text] == [large]


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
