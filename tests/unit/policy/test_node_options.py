"""What nodes may not read, hide and repeat: `inputField`, `passThrough`, `executionMode`."""

from decimal import Decimal
from typing import Any

import pytest

from decision_engine.policy.check import check
from decision_engine.policy.compile import compile_policy
from decision_engine.policy.diff import diff
from decision_engine.policy.document import PolicyDocument
from decision_engine.policy.parse import parse
from decision_engine.policy.scorecard import Scorecard
from tests.unit.policy.build import (
    Json,
    custom,
    decision,
    expressions,
    graph,
    model,
    raw,
    rules,
    subgraph,
    switch,
    table,
    using,
)
from tests.unit.policy.test_options_against_zen import (
    COSTS,
    CUT,
    HIDES,
    LOOP,
    MADE,
    SUB,
    Case,
    row,
)


def said(policy: Json) -> list[str]:
    found = check(parse(raw(policy)), {"m": Scorecard.parse(raw(model()))})
    return [f"{i.pointer}: {i.sentence}" for i in found if i.severity == "error"]


def reads(*nodes: Json, ways: list[str] | None = None, **decisions: Json) -> list[str]:
    case = row(*nodes, **decisions)
    return said(case.document if ways is None else Case(list(nodes), ways, decisions).document)


def hidden(name: str) -> str:
    return f'"{name}" is hidden here: a node between has passThrough false'


# What is hidden.

CUTS = expressions("h", {"y": "a"}, **HIDES)


@pytest.mark.parametrize("value", [False, None, ...])
def test_a_node_that_does_not_say_that_it_passes_on_hides(value: Any) -> None:
    cuts = expressions("h", {"y": "a"})
    if value is ...:
        del cuts["content"]["passThrough"]
    else:
        cuts["content"]["passThrough"] = value

    assert reads(cuts, expressions("j", {"v": "a"})) == [f"/j/v: {hidden('a')}"]
    assert reads(cuts, expressions("j", {"v": "y"})) == []


@pytest.mark.parametrize(
    ("reader", "place"),
    [
        (expressions("j", {"v": "m + 1"}), "/j/v"),
        (expressions("j", {"v": "k"}, inputField="m"), ""),
        (table("j", ["m"], ["v"], [["k", "> 1", "1"], ["l", "", "0"]]), "/j/k/m"),
        (rules(("k", "m > 1", "refer"), identity="j"), "/j/k/condition"),
        (expressions("j", {"v": "m > 1 ? 1 : 0"}), "/j/v"),
    ],
)
def test_what_is_hidden_cannot_be_read(reader: Json, place: str) -> None:
    assert place == "" or reads(MADE, CUTS, reader) == [f"{place}: {hidden('m')}"]
    assert place == "" or reads(MADE, reader) == []


def test_an_input_that_is_hidden_cannot_be_compared_with_null() -> None:
    cover = rules(("cover", "a == null", "refer"), identity="c")
    asks = expressions("j", {"v": "a == null ? 1 : 0"})

    assert reads(cover, asks) == []
    assert reads(cover, CUTS, asks) == [f"/j/v: {hidden('a')}"]


def test_switches_and_scorecards_read_nothing_that_is_hidden() -> None:
    asks = switch("s", ("yes", "m > 1"), ("no", ""))
    ways = ["in>e", "e>h", "h>s", "s:yes>out", "s:no>out"]

    assert reads(MADE, CUTS, asks, ways=ways) == [f"/s/yes/condition: {hidden('m')}"]
    assert reads(CUTS, custom("c", "scorecard", {"model": "m"})) == [f"/c/a: {hidden('a')}"]


def test_where_only_one_way_is_taken_what_one_of_them_hides_is_hidden() -> None:
    asks = switch("s", ("yes", "f"), ("no", ""))
    join = ["in>e", "e>s", "s:yes>h", "s:no>g", "h>j", "g>j", "j>out"]
    other = expressions("g", {"w": "a"})

    def read(name: str, *more: Json) -> list[str]:
        return reads(asks, MADE, CUTS, *more, expressions("j", {"v": name}), ways=join)

    assert read("m", other) == [f"/j/v: {hidden('m')}"]
    # What the branches make themselves is there or not, as without any hiding.
    assert read("y", other) == read("w", other) == []
    inner = ["in>s", "s:yes>e", "e>h", "e>g", "h>j", "g>j", "j>out", "s:no>out"]
    assert reads(asks, MADE, CUTS, other, expressions("j", {"v": "m + y + w"}), ways=inner) == []
    beside = reads(asks, MADE, CUTS, other, expressions("j", {"v": "m"}), ways=[*join, "e>j"])
    assert beside == []


def test_a_decision_sees_what_its_place_sees() -> None:
    assert reads(decision("d", "cut"), CUTS, cut=CUT) == []
    assert reads(CUTS, decision("d", "cut"), cut=CUT) == [
        '/d/in/a: the decision reads "a", which a node between hides (passThrough false)',
        f"/d/i/k: {hidden('a')}",
    ]


def test_a_decision_that_is_broken_inside_is_told_so() -> None:
    broken = {**CUT, "edges": []}
    found = reads(MADE, decision("d", "cut"), cut=broken)

    assert "/d/i: the node is unreachable: no path from the input leads to it" in found


# What is read.


@pytest.mark.parametrize("path", ["a-b", "l[0]", 7])
def test_the_object_that_a_node_reads_is_a_name(path: Any) -> None:
    assert reads(expressions("e", {"k": "1"}, inputField=path)) == [
        "/e: inputField must be a dotted name: letters, digits and _"
    ]


def test_a_node_about_an_object_reads_nothing_else() -> None:
    assert reads(expressions("e", {"k": "a"}, inputField="o")) == ['/e/k: unknown field "o.a"']
    assert reads(table("t", ["a"], ["v"], [["k", "", "1"]], inputField="o")) == []
    assert reads(table("t", ["a"], ["v"], [["k", "1", "1"], ["l", "", "2"]], inputField="o")) == [
        '/t/k/a: unknown field "o.a"'
    ]
    assert reads(expressions("e", {"k": "x"}, inputField="a")) == ['/e/k: unknown field "a.x"']


def test_a_rule_about_an_object_covers_its_inputs() -> None:
    late = rules(("late", "> 3", "decline"), fields=("x",), inputField="o")
    policy = compile_policy(raw(row(late).document), {})

    assert [r.missing for r in policy.evaluate({}, {}).results] == [("o.x",)]
    asks = expressions("e", {"k": "x == null ? 0 : 1"}, inputField="o")
    assert reads(late, asks) == []
    assert len(reads(asks)) == 1


def test_a_decision_about_an_object_still_holds_what_it_was_written_for() -> None:
    strict = subgraph([expressions("i", {"k": "x"})], ["in>i", "i>out"], {"x": {"type": "integer"}})

    assert reads(decision("d", "k", inputField="o"), k=strict) == [
        '/d/in/o.x: the decision expects "o.x" with at most 0 decimals'
    ]
    assert reads(decision("d", "sub", inputField="o.deep"), sub=SUB)[:2] == [
        '/d/in/o.deep.x: the decision reads "o.deep.x", which nothing before it makes',
        '/d/in/o.deep.s: the decision reads "o.deep.s", which nothing before it makes',
    ]


# What is repeated.


@pytest.mark.parametrize(
    ("values", "content", "sentence"),
    [
        (
            {"k": "rest"},
            {"inputField": None},
            "/e: a node that loops needs inputField, a list, and",
        ),
        (
            {"k": "rest"},
            {"outputPath": None},
            "/e: a node that loops needs inputField, a list, and",
        ),
        ({"k": "rest"}, {"inputField": "a"}, "/e/p: map needs a list, found a number"),
        ({"k": "rest"}, {"inputField": "nobody"}, '/e/p: unknown field "nobody"'),
        ({"k": "a"}, {}, '/e/p: there is no field "a" in a'),
        ({"k": "rest", "j": "$.i"}, {}, '/e/p: unknown field "p.i"'),
        ({"k.j": "rest"}, {}, '/e: "k.j" is no name of a field'),
        ({"k": "[rest]"}, {}, '/e/p: "k" of an object in a list must be one value'),
        ({"k": "some([1], # > rest)"}, {}, "/e/p.k: a closure inside a loop can only name its own"),
        ({"k": "rest == null ? 0 : 1"}, {}, "/e/p.k: a field of an element is never null"),
        ({"k": "rest"}, {"executionMode": "batch"}, '/e: executionMode "batch" is not supported'),
    ],
)
def test_a_loop_is_refused(values: dict[str, str], content: Json, sentence: str) -> None:
    found = reads(expressions("e", values, **{**LOOP, **content}))

    assert any(text.startswith(sentence) for text in found), found


def test_a_key_of_a_loop_is_made_once() -> None:
    twice = expressions("e", {"k": "rest", "j": "1"}, **LOOP)
    twice["content"]["expressions"][1]["key"] = "k"

    assert reads(twice) == ["/e: each key of a node that loops is made once"]


def test_keys_that_grow_by_one_another_are_bounded() -> None:
    doubled = {f"k{i}": f"$.k{i - 1} + $.k{i - 1}" if i else "rest" for i in range(40)}
    deeper = {f"k{i}": f"$.k{i - 1} + 1 + 1" if i else "rest" for i in range(45)}

    for values in (doubled, deeper):
        found = reads(expressions("e", values, **LOOP))
        assert "with the earlier keys that it reads this one is too large" in found[0]


def test_all_keys_of_a_loop_together_are_bounded() -> None:
    sums = {f"k{i}": f"sum([{', '.join(['rest'] * 600)}])" for i in range(20)}
    many = {f"k{i}": "rest" for i in range(51)}

    assert (
        "/e: the keys of this node are too large together"
        in reads(expressions("e", sums, **LOOP))[0]
    )
    assert "/e: a node that loops has at most 50 keys" in reads(expressions("e", many, **LOOP))


@pytest.mark.parametrize(
    ("node", "sentence"),
    [
        (table("t", ["rest"], ["v"], [["k", "", "1"]], **LOOP), "a table cannot have the execut"),
        (rules(("k", "rest > 1", "refer"), identity="t", **LOOP), "a table cannot have the execu"),
        (decision("t", "sub", executionMode="loop", inputField="l"), "a decision cannot have the"),
    ],
)
def test_only_expressions_are_repeated(node: Json, sentence: str) -> None:
    assert any(f"/t: {sentence}" in text for text in reads(node, sub=SUB))


def test_a_loop_over_a_list_that_is_missing_is_missing() -> None:
    case = row(expressions("e", COSTS, **LOOP), expressions("j", {"n": "len(p)"}))
    found = compile_policy(raw(case.document), {}).evaluate({"a": Decimal(1)}, {})

    assert found.values["p"] is found.values["n"] is None
    assert found.missing == {"p": ("l",), "n": ("l",)}


# What else knows of options.


def test_a_scorecard_in_a_decision_about_an_object_scores_its_fields() -> None:
    inner = subgraph(
        [custom("c", "scorecard", {"model": "m"})], ["in>c", "c>out"], {"a": {"type": "number"}}
    )
    case = row(decision("d", "k", "card", inputField="o"), k=inner)
    fields = {"o": {"type": "object", "properties": {"a": {"type": "number"}}}}
    document = using(graph(case.nodes, case.ways, fields), **case.decisions)
    policy = compile_policy(raw(document), {"m": Scorecard.parse(raw(model()))})

    assert policy.evaluate({"o.a": Decimal(5)}, {}).values["card.score.value"] == 500
    assert policy.evaluate({}, {}).missing["card.score.value"] == ("o.a",)


def test_a_diff_tells_that_a_node_passes_nothing_on_any_more_and_what_it_reads() -> None:
    def read(node: Json) -> PolicyDocument:
        return parse(raw(row(node).document))

    before = read(expressions("e", {"k": "x"}, inputField="o"))
    hides = read(expressions("e", {"k": "x"}, inputField="o", **HIDES))
    other = read(expressions("e", {"k": "z"}, inputField="o.deep"))

    (change,) = diff(before, hides)
    assert (change.name, change.before, change.after) == ("passes", "true", "false")
    (change,) = diff(before, other)
    assert (change.name, change.before, change.after) == ("k", "o.x", "o.deep.z")
