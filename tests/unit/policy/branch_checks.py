"""What must hold of every policy with branches and of every input, for tests of any length."""

import json
from typing import Any

from decision_engine.policy.compile import CompiledPolicy, build
from decision_engine.policy.evaluation import Evaluation
from decision_engine.policy.parse import parse
from tests.unit.policy.build import decision, graph, raw, using
from tests.unit.policy.random_policies import PROPERTIES, Sample
from tests.unit.policy.test_against_naive import COMPLETE, blocked, compare, known


def check_meaning(sample: Sample, values: dict[str, Any]) -> None:
    """It equals the obvious interpreter, and its fast variant equals its slow one."""
    policy = build(parse(sample.policy), sample.models)
    complete = COMPLETE | known(values)

    compare(policy, sample, values)
    compare(policy, sample, complete)
    settled = policy.settle(policy.start(complete, {}))
    assert policy.evaluate(complete, {}) == policy._partly_known(settled)


def check_no_approval(sample: Sample, values: dict[str, Any]) -> None:
    """One more missing input never lets through what was stopped."""
    policy = build(parse(sample.policy), sample.models)
    before = policy.evaluate(values, {})

    for name in values:
        after = policy.evaluate({**values, name: None}, {})
        assert blocked(after) >= blocked(before), name


def check_monotone(sample: Sample, values: dict[str, Any]) -> None:
    """Without null tests, one more missing input hides answers and changes none."""
    policy = build(parse(sample.policy), sample.models)
    before = policy.evaluate(values, {})

    for name in values:
        after = policy.evaluate({**values, name: None}, {})
        for one, other in zip(before.results, after.results, strict=True):
            assert other.result in (one.result, "not_evaluable"), name
        for key, value in after.values.items():
            assert value in (before.values[key], None), name


def check_inside(sample: Sample, path: str, source: str, values: dict[str, Any]) -> None:
    """Inside a decision, about an object too, it decides as it does alone, under other names."""
    alone = json.loads(sample.policy)
    inside = {"nodes": alone["nodes"], "edges": alone["edges"]}
    place = decision("d", "k", path, inputField=source)
    fields = {source: {"type": "object", "properties": PROPERTIES}} if source else PROPERTIES
    around = using(graph([place], ["in>d", "d>out"], fields), k=inside)
    policies = build(parse(sample.policy), {}), build(parse(raw(around)), {})
    prefixes = f"{path}." if path else "", f"{source}." if source else ""

    for given in (values, COMPLETE | known(values)):
        _compare_inside(policies, prefixes, given)


def _compare_inside(
    policies: tuple[CompiledPolicy, CompiledPolicy],
    prefixes: tuple[str, str],
    values: dict[str, Any],
) -> None:
    prefix, source = prefixes
    given = {source + name: value for name, value in values.items()}
    expected, found = policies[0].evaluate(values, {}), policies[1].evaluate(given, {})
    assert found.values == {prefix + name: v for name, v in expected.values.items()}
    assert found.missing == {
        prefix + name: tuple(source + each for each in inputs)
        for name, inputs in expected.missing.items()
    }
    assert by_rule(found) == {
        f"d/{name}": (result, tuple(source + each for each in inputs))
        for name, (result, inputs) in by_rule(expected).items()
    }
    uncovered = {f"d/{name}" for name in expected.uncovered}
    assert set(found.uncovered) - {"OUT"} == uncovered
    assert ("OUT" in found.uncovered) == ("d/OUT" in uncovered)


def by_rule(found: Evaluation) -> dict[str, tuple[str, tuple[str, ...]]]:
    return {r.rule_id: (r.result, r.missing) for r in found.results}
