"""Strategies for policies with switches: branches in branches, shared names, and a join."""

from typing import Any

from hypothesis import strategies as st

from tests.unit.policy.build import Json, expressions, graph, raw, rules, switch, table
from tests.unit.policy.random_policies import PROPERTIES, Sample, boolean_exprs, number_exprs

BASE = ("a", "b", "n", "d.one")


def conditions(names: tuple[str, ...], *, null_tests: bool) -> st.SearchStrategy[str]:
    return allowed(boolean_exprs(names, 1), null_tests=null_tests)


def allowed(texts: st.SearchStrategy[str], *, null_tests: bool) -> st.SearchStrategy[str]:
    """Numbers have null tests too, in what chooses between two of them."""
    return texts if null_tests else texts.filter(lambda text: "null" not in text)


@st.composite
def branched(draw: st.DrawFn, *, null_tests: bool = True) -> Sample:
    """
    A trunk, a switch of two or three ways, one of which has a switch of its own, and a join.

    By `first` both ways make `x`; the ways of the inner switch always both make `y`.
    """

    def condition(*names: str) -> str:
        return draw(conditions((*BASE, *names), null_tests=null_tests))

    def number(*names: str) -> str:
        return draw(allowed(number_exprs(names, 1), null_tests=null_tests))

    def rule(identity: str, *names: str) -> tuple[str, str, str, str]:
        on_missing = draw(st.sampled_from(["refer", "decline", "no_hit_if_missing"]))
        silent = null_tests or on_missing != "no_hit_if_missing"
        effect = draw(st.sampled_from(["decline", "refer", "reduce"]))
        return identity, condition(*names), effect, on_missing if silent else "refer"

    policy = draw(st.sampled_from(["first", "collect"]))
    shared = "x" if policy == "first" else "x.other"
    with_else = draw(st.booleans())
    ways = ["in>e", "e>cover", "cover>s", "s:zero>a", "a>t", "t:c>c", "t:d>d", "c>r0", "d>r0"]
    ways += ["r0>join", "s:one>b", "b>r1", "r1>join", "join>out"]
    ways += ["s:else>join"] * with_else + ["cover>join"] * draw(st.booleans())
    made = "x.own" if policy == "collect" else "x"
    statements = [("zero", condition()), ("one", condition())] + [("else", "")] * with_else
    inner = draw(st.sampled_from([[("c", condition(made)), ("d", "")], [("c", ""), ("d", "")]]))
    inner_policy = "first" if inner[0][1] else "collect"
    other = "y" if inner_policy == "first" else "y.other"
    one = "y" if inner_policy == "first" else "y.own"
    both = ("z", shared, one)
    nodes: list[Json] = [
        expressions("e", {"d.one": number(*BASE[:3]), "d.yes": condition_of(draw)}),
        rules(*covers(), identity="cover"),
        switch("s", *statements, policy=policy),
        expressions("a", {made: number(*BASE)}),
        switch("t", *inner, policy=inner_policy),
        expressions("c", {one: number(*BASE, made)}),
        expressions("d", {other: number(*BASE, made)}),
        rules(rule("in-zero", made, one), identity="r0"),
        shared_table(draw, shared),
        rules(rule("in-one", "z"), identity="r1"),
        rules(rule("at-end", *both), rule("after", "d.one"), identity="join"),
    ]
    return Sample(raw(graph(nodes, ways, PROPERTIES)), {})


def condition_of(draw: st.DrawFn) -> str:
    return draw(st.sampled_from(["f", "g", "f and g", "a > b"]))


def covers() -> list[tuple[str, str, str]]:
    """Every input is covered, so that null tests and silent rules are allowed anywhere."""
    rest = [(f"no-{name}", f"{name} > 90", "refer") for name in ("a", "b", "n")]
    return [
        *rest,
        ("no-s", 's == "x"', "refer"),
        ("no-f", "f", "refer"),
        ("no-g", "g", "refer"),
    ]


def shared_table(draw: st.DrawFn, shared: str) -> Json:
    """Its second output has the place of another branch: they do not stand side by side."""
    policy: Any = draw(st.sampled_from(["first", "unique", "priority"]))
    number = number_exprs(BASE, 0)
    cells = st.tuples(
        conditions(BASE, null_tests=False), st.sampled_from(["", "f"]), number, number
    )
    rows = [[f"b{i}", *draw(cells)] for i in range(draw(st.integers(1, 3)))]
    # Two fields: whether such a table covers everything is not asked.
    rows.append(["never", "f and g and not f", "", "0", "0"])
    outputs = ["z", shared]
    if policy == "priority":
        outputs.append("priority")
        rows = [[*row, draw(st.sampled_from("01"))] for row in rows]
    return table("b", ["", ""], outputs, rows, hitPolicy=policy)
