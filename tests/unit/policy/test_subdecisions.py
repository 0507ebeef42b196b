"""Sub-decisions: their nodes stand in the document that uses them, under names of their own."""

from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from decision_engine.policy.check import check
from decision_engine.policy.compile import CompiledPolicy, compile_policy
from decision_engine.policy.parse import parse
from decision_engine.policy.scorecard import Scorecard
from decision_engine.policy.trace import trace
from tests.unit.policy.branch_checks import by_rule
from tests.unit.policy.build import (
    SCHEMA,
    Json,
    custom,
    decision,
    expressions,
    function,
    graph,
    meant,
    model,
    ranges,
    raw,
    rules,
    subgraph,
    switch,
    table,
    using,
)

D = Decimal
CARD = Scorecard.parse(raw(model(ranges("w", 0, "5", 9), ranges("b", 0, "5", 9))))
AB = {name: SCHEMA[name] for name in "ab"}
DOUBLE = subgraph([expressions("e", {"w": "a * 2"})], ["in>e", "e>out"], AB)


def compiled(policy: Json) -> CompiledPolicy:
    return compile_policy(raw(policy), {"m": CARD})


def said(policy: Json) -> list[str]:
    found = check(parse(raw(policy)), {"m": CARD})
    return [f"{i.severity} {i.pointer}: {i.sentence}" for i in meant(found)]


def line(*nodes: Json, **decisions: Any) -> Json:
    ids = ["in", *(each["id"] for each in nodes), "out"]
    ways = [f"{one}>{two}" for one, two in pairwise(ids)]
    return using(graph(list(nodes), ways), **decisions)


def test_a_decision_makes_its_values_here() -> None:
    policy = compiled(line(decision("d", "k"), expressions("f", {"v": "w + 1"}), k=DOUBLE))

    assert policy.evaluate({"a": D(3)}, {}).values == {"w": D(6), "v": D(7)}
    assert [(n.id, n.name) for n in policy.nodes][1:4] == [
        ("d/in", "d/IN"),
        ("d/e", "d/E"),
        ("d/out", "d/OUT"),
    ]


def test_one_decision_twice_under_two_paths() -> None:
    nodes = [decision("d", "k", "one"), decision("g", "k", "two.deep")]
    policy = compiled(line(*nodes, k=DOUBLE))

    assert policy.evaluate({"a": D(3)}, {}).values == {"one.w": D(6), "two.deep.w": D(6)}
    assert said(line(decision("d", "k"), decision("g", "k"), k=DOUBLE)) == [
        'error /g/e/w: the name "w" is made twice'
    ]


def test_exclusive_branches_may_use_one_decision() -> None:
    nodes = [switch("s", ("yes", "f"), ("no", "")), decision("d", "k"), decision("g", "k")]
    ways = ["in>s", "s:yes>d", "s:no>g", "d>out", "g>out"]
    policy = compiled(using(graph(nodes, ways), k=DOUBLE))

    assert policy.evaluate({"a": D(3), "f": False}, {}).values == {"w": D(6)}


EVERYTHING = subgraph(
    [
        expressions("e", {"w": "a * 2", "x": "$.w + 1"}),
        custom("c", "scorecard", {"model": "m"}),
        table("t", ["w", ""], ["o"], [["k", "> 1", "x > w", "w + x"], ["l", "", "", "0"]]),
        function({"q": "o + score.raw"}, {"v": {"type": "number"}}),
        switch("s", ("big", "call.v > 100"), ("rest", "")),
        rules(("rule", "> 3", "o > w and a != null", "decline"), fields=("x", ""), identity="r"),
        rules(("cover", "a > 99", "refer"), identity="cover"),
    ],
    ["in>cover", "cover>e", "e>c", "c>t", "t>fn", "fn>s", "s:big>r", "s:rest>out", "r>out"],
    AB,
)


@pytest.mark.parametrize("path", ["", "p.q"])
def test_every_kind_of_node_stands_under_the_path(path: str) -> None:
    flat = graph(
        EVERYTHING["nodes"][1:-1],
        [edge["id"] for edge in EVERYTHING["edges"]],
    )
    policy, plain = compiled(line(decision("d", "k", path), k=EVERYTHING)), compiled(flat)
    functions: Any = {"call": lambda arguments: {"v": arguments["q"]}}
    prefix = f"{path}." if path else ""

    for values in ({"a": D(3), "b": D(1)}, {"a": D(3)}, {"b": D(1)}, {"a": D(0), "b": D(1)}):
        found, expected = (each.evaluate(values, functions) for each in (policy, plain))
        assert found.values == {prefix + name: v for name, v in expected.values.items()}
        assert found.missing == {prefix + name: v for name, v in expected.missing.items()}
        assert found.losses == expected.losses
        assert by_rule(found) == {f"d/{name}": r for name, r in by_rule(expected).items()}
    results = {e.id: e.conditions for e in trace(policy, {"a": D(3), "b": D(1)}, functions)}
    assert results["d/rule"][0].formula == f"{prefix}x > 3"


def test_a_decision_in_a_branch_that_is_not_taken_is_not_uncovered() -> None:
    # The inner switch takes no way: its decision has no end.
    holed = subgraph([switch("t", ("in", "b > 1"))], ["in>t", "t:in>out"], AB)
    nodes = [switch("s", ("yes", "f"), ("no", "")), decision("d", "k")]
    ways = ["in>s", "in>out", "s:yes>d", "s:no>out", "d>out"]
    policy = compiled(using(graph(nodes, ways), k=holed))

    def uncovered(f: Any, b: Any) -> tuple[str, ...]:
        return policy.evaluate({"f": f, "b": b}, {}).uncovered

    assert uncovered(f=False, b=D(0)) == uncovered(f=False, b=None) == ()
    assert uncovered(f=True, b=D(2)) == ()
    assert uncovered(f=True, b=D(0)) == uncovered(f=None, b=D(0)) == ("d/T", "d/OUT")


def test_a_decision_inside_a_decision() -> None:
    inner_schema = {"w": {"type": "number"}}
    inner = subgraph([expressions("e", {"y": "w + 1"})], ["in>e", "e>out"], inner_schema)
    middle = subgraph(
        [expressions("e", {"w": "a * 2"}), decision("i", "inner", "n")],
        ["in>e", "e>i", "i>out"],
        AB,
    )
    policy = compiled(line(decision("d", "middle", "m"), inner=inner, middle=middle))

    assert policy.evaluate({"a": D(3)}, {}).values == {"m.w": D(6), "m.n.y": D(7)}
    assert "d/i/e" in {node.id for node in policy.nodes}


def nested(depth: int) -> Json:
    graphs = {
        f"k{i}": subgraph([decision("i", f"k{i + 1}")], ["in>i", "i>out"], AB)
        for i in range(depth - 1)
    }
    return line(decision("d", "k0"), **graphs, **{f"k{depth - 1}": DOUBLE})


def test_five_levels_and_no_more() -> None:
    assert compiled(nested(5)).evaluate({"a": D(1)}, {}).values == {"w": D(2)}
    (found,) = [text for text in said(nested(6)) if "deeper" in text]
    assert found == "error /d/i/i/i/i/i: decisions are nested deeper than 5"


def test_a_decision_that_reaches_itself_is_refused() -> None:
    loop = {
        "k": subgraph([decision("i", "l")], ["in>i", "i>out"], AB),
        "l": subgraph([decision("j", "k")], ["in>j", "j>out"], AB),
    }

    assert 'error /d/i/j: the decision "k" reaches itself: k -> l -> k' in said(
        line(decision("d", "k"), **loop)
    )


def test_limits_count_the_sum() -> None:
    many = subgraph([expressions(f"e{i}", {f"w{i}": "a"}) for i in range(99)], [], AB)
    nodes = [decision("d", "k", "one"), decision("g", "k", "two")]

    assert "error : a policy has at most 200 nodes" in said(line(*nodes, k=many))
    bomb = {
        f"k{i}": subgraph([decision(f"d{j}", f"k{i + 1}", f"p{j}") for j in range(40)], [], AB)
        for i in range(5)
    }
    assert said(line(decision("d", "k0"), **bomb, k5=DOUBLE))[0] == (
        "error : a policy has at most 200 nodes"
    )


def changed(properties: Json) -> Json:
    return subgraph([expressions("e", {"w": "1"})], ["in>e", "e>out"], properties)


@pytest.mark.parametrize(
    ("name", "schema", "what"),
    [
        ("a", {"type": "string"}, "the type string"),
        ("a", {"type": "number", "x-scale": 1}, "at most 1 decimals"),
        ("a", {"type": "number", "x-maxAgeDays": 9}, "at most 9 days of age"),
        ("a", {"type": "number", "minimum": 1}, "a minimum of 1"),
        ("b", {"type": "number", "minimum": 0}, "a minimum of 0"),
        ("n", {"type": "number", "maximum": 9}, "a maximum of 9"),
        ("b", {"type": "number", "maximum": 9}, "a maximum of 9"),
        ("s", {"type": "string", "enum": ["x", "y"]}, "no value but x, y"),
        ("t", {"type": "string", "enum": ["x", "y"]}, "no value but x, y"),
    ],
)
def test_an_input_is_at_least_as_strict_outside(name: str, schema: Json, what: str) -> None:
    assert said(line(decision("d", "k"), k=changed({name: schema}))) == [
        f'error /d/in/{name}: the decision expects "{name}" with {what}'
    ]


@pytest.mark.parametrize(
    ("name", "schema"),
    [
        ("a", {"type": "number"}),
        ("a", {"type": "number", "x-scale": 3, "minimum": -1}),
        ("n", {"type": "number", "maximum": 10}),
        ("s", {"type": "string"}),
        ("s", {"type": "string", "enum": ["x", "y", "z", "q"]}),
        ("f", {"type": "boolean"}),
    ],
)
def test_a_looser_decision_takes_a_stricter_input(name: str, schema: Json) -> None:
    assert said(line(decision("d", "k"), k=changed({name: schema}))) == []


def test_an_input_that_nothing_before_makes() -> None:
    needs = changed({"v": {"type": "number"}})
    before, after = expressions("x", {"v": "a"}), decision("d", "k")
    fault = 'error /d/in/v: the decision reads "v", which nothing before it makes'

    assert said(line(before, after, k=needs)) == []
    assert said(line(after, before, k=needs)) == [fault]
    assert said(line(after, k=needs)) == [fault]
    aside = using(graph([before, after], ["in>x", "in>d", "x>out", "d>out"]), k=needs)
    assert said(aside) == [fault]


def test_a_decision_reads_only_what_it_declares() -> None:
    strays = subgraph([expressions("e", {"w": "b + 1"})], ["in>e", "e>out"], {"a": SCHEMA["a"]})
    deeper = subgraph([decision("i", "k")], ["in>i", "i>out"], {"b": SCHEMA["b"]})
    scored = subgraph([custom("c", "scorecard", {"model": "m"})], ["in>c", "c>out"], AB)

    assert said(line(decision("d", "k"), k=strays)) == ['error /d/e/w: unknown field "b"']
    assert 'error /d/i/in/a: unknown field "a"' in said(
        line(decision("d", "l"), k=DOUBLE, l=deeper)
    )
    # The document has a w, but the decision does not know it.
    outer = expressions("x", {"w": "a"})
    assert 'error /d/c/w: unknown field "d/c/w"' in said(line(outer, decision("d", "k"), k=scored))


def test_a_name_is_an_input_or_made() -> None:
    both = subgraph([expressions("e", {"a": "b"})], ["in>e", "e>out"], AB)

    assert said(line(decision("d", "k", "p"), k=both)) == [
        'error /d/e/a: the name "a" is made twice'
    ]


def broken(graph_: Json, **changes: Any) -> Json:
    return {**graph_, **changes}


@pytest.mark.parametrize(
    ("policy", "sentence"),
    [
        (line(decision("d", "other"), k=DOUBLE), '/d: x-decisions has no decision "other"'),
        (line(decision("d", "k"), k=[]), '/x-decisions: the decision "k" must be an object'),
        (
            line(decision("d", "k"), k=broken(DOUBLE, x=1)),
            '/x-decisions: the decision "k" has the unknown field "x"',
        ),
        (
            line(decision("d", "k"), k=broken(DOUBLE, nodes=DOUBLE["nodes"][1:])),
            '/d: the decision "k" needs exactly one inputNode and one outputNode',
        ),
        (
            line(decision("d", "k"), k=subgraph([expressions("e", {"w": "a +"})], [], AB)),
            "/d/e/w: syntax",
        ),
        (
            line(decision("d", "k"), k=broken(DOUBLE, edges=[])),
            "/d/e: the node is unreachable: no path",
        ),
        (
            using(graph([decision("d", "k")], ["in>d", "d>out", "in>d/e"]), k=DOUBLE),
            ': an edge names "d/e", a node inside a decision',
        ),
        (line(decision("d", "k", passThrough="no"), k=DOUBLE), "/d: passThrough must be true or"),
        (line(decision("d", ""), k=DOUBLE), '/d: a decision node needs "key", a text'),
        (line(decision("d", "k", x=1), k=DOUBLE), '/d: a decision node has the unknown field "x"'),
    ],
)
def test_a_decision_is_refused_where_it_is_wrong(policy: Json, sentence: str) -> None:
    found = said(policy)

    assert any(text.startswith(f"error {sentence}") for text in found), found


def test_x_decisions_is_an_object() -> None:
    policy = {**line(rules(("k", "a > 1", "refer"))), "x-decisions": []}

    assert said(policy) == ["error /x-decisions: x-decisions must be an object"]


def test_a_decision_that_nothing_uses_is_a_warning() -> None:
    assert said(line(rules(("k", "a > 1", "refer")), k=DOUBLE)) == [
        'warning /x-decisions: nothing uses the decision "k"'
    ]


def test_a_rule_in_a_decision_covers() -> None:
    cover = subgraph([rules(("cover", "a > 9", "refer"))], ["in>r", "r>out"], AB)
    null_test = expressions("x", {"v": "a == null"})

    assert said(line(decision("d", "k"), null_test, k=cover)) == []
