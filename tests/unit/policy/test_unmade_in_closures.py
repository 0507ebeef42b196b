"""A closure that reads what no branch made: no input explains it, so no rule is silent about it."""

from decimal import Decimal

import pytest

from decision_engine.policy.compile import CompiledPolicy, compile_policy
from tests.unit.policy.build import expressions, graph, raw, rules, switch

D = Decimal
PROPERTIES = {
    "l": {"type": "array", "items": {"type": "number", "x-scale": 2}},
    "a": {"type": "number", "x-scale": 2},
    "f": {"type": "boolean"},
}


def silent(condition: str) -> CompiledPolicy:
    """A silent rule behind two branches, of which one makes `v`; other rules cover the inputs."""
    nodes = [
        switch("s", ("yes", "f"), ("no", "")),
        expressions("one", {"v": "a"}),
        rules(
            ("silent", condition, "decline", "no_hit_if_missing"),
            ("list", "len(l) > 100", "refer"),
            ("number", "a > 100", "refer"),
            ("flag", "f == null", "refer"),
        ),
    ]
    ways = ["in>s", "s:yes>one", "s:no>r", "one>r", "r>out"]
    return compile_policy(raw(graph(nodes, ways, PROPERTIES)), {})


@pytest.mark.parametrize(
    "condition",
    [
        "some(l, # > v)",
        "sum(map(l, # + v)) > 1",
        "some(l, some([2], # > v))",
        "count(l, # > v) > 0",
    ],
)
def test_a_silent_rule_is_not_silent_about_it(condition: str) -> None:
    policy = silent(condition)

    found = policy.evaluate({"l": (D(5),), "a": D(1), "f": False}, {}).results[0]
    assert (found.result, found.missing) == ("not_evaluable", ())
    # Liveness: made, it decides; and of an empty list the closure does not read it.
    assert policy.evaluate({"l": (D(5),), "a": D(1), "f": True}, {}).results[0].result == "hit"
    assert policy.evaluate({"l": (), "a": D(1), "f": False}, {}).results[0].result == "no_hit"


def test_what_has_no_value_for_an_element_is_still_blamed_on_the_list() -> None:
    policy = silent("some(l, 1 / # > 0)")

    found = policy.evaluate({"l": (D(0),), "a": D(1), "f": False}, {}).results[0]
    assert found.missing == ("l",)
