"""The compiled engine equals an obvious interpreter, and missing data never helps anybody."""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import given

from decision_engine.policy.compile import CompiledPolicy, build
from decision_engine.policy.evaluation import Evaluation, unpack
from decision_engine.policy.parse import parse
from decision_engine.policy.trace import trace
from tests.unit.policy.naive import Unknown, World, interpret, number
from tests.unit.policy.random_policies import Sample, host, inputs, samples

FUNCTIONS: Mapping[str, Any] = {"call": host}
COMPLETE: dict[str, Any] = {
    "a": Decimal(2),
    "b": Decimal(3),
    "n": Decimal(1),
    "s": "x",
    "l": [Decimal(1), Decimal("2.50")],
    "o": [{"q": Decimal(2), "y": True}],
    "f": True,
    "g": False,
}


def known(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def expected_values(world: World, policy: CompiledPolicy) -> dict[str, Any]:
    facts = {name: world.facts[name] for name in policy.derived}
    return {name: None if isinstance(fact, Unknown) else fact for name, fact in facts.items()}


def blocked(evaluation: Evaluation) -> bool:
    """Nothing that a caller could approve on."""
    asked = {result.consequence for result in evaluation.results}
    return bool(asked & {"decline", "refer"} or evaluation.uncovered or evaluation.missing)


def compare(policy: CompiledPolicy, sample: Sample, values: Mapping[str, Any]) -> None:
    found = policy.evaluate(values, FUNCTIONS)
    world = interpret(policy.document, sample.models, values, FUNCTIONS)

    assert {r.rule_id: (r.result, frozenset(r.missing)) for r in found.results} == world.rules
    assert {name: number(value) for name, value in found.values.items()} == expected_values(
        world, policy
    )
    assert {name: frozenset(names) for name, names in found.missing.items()} == {
        name: world.facts[name].names
        for name in policy.derived
        if isinstance(world.facts[name], Unknown) and name not in world.unasked
    }
    assert list(found.uncovered) == world.uncovered
    assert [(loss.attribute, loss.points, loss.lost) for loss in found.losses] == world.losses
    assert unpack(found.bits, len(found.results)) == tuple(r.result for r in found.results)


@given(samples(), inputs())
def test_the_compiled_policy_equals_the_obvious_interpreter(
    sample: Sample, values: dict[str, Any]
) -> None:
    policy = build(parse(sample.policy), sample.models)

    compare(policy, sample, values)
    compare(policy, sample, COMPLETE | known(values))


@given(samples(), inputs())
def test_both_variants_agree(sample: Sample, values: dict[str, Any]) -> None:
    policy = build(parse(sample.policy), sample.models)
    complete = COMPLETE | known(values)

    settled = policy.settle(policy.start(complete, FUNCTIONS))

    assert policy.evaluate(complete, FUNCTIONS) == policy._partly_known(settled)


@given(samples(), inputs())
def test_a_missing_input_never_creates_an_approval(sample: Sample, values: dict[str, Any]) -> None:
    policy = build(parse(sample.policy), sample.models)
    before = policy.evaluate(values, FUNCTIONS)

    for name in values:
        after = policy.evaluate({**values, name: None}, FUNCTIONS)
        assert blocked(after) >= blocked(before), name


@given(samples(), inputs())
def test_the_trace_tells_the_results_of_the_evaluation(
    sample: Sample, values: dict[str, Any]
) -> None:
    policy = build(parse(sample.policy), sample.models)
    found = policy.evaluate(values, FUNCTIONS)
    entries = trace(policy, values, FUNCTIONS)

    rules = [(entry.id, entry.result, entry.missing) for entry in entries if entry.kind == "rule"]
    assert rules == [(r.rule_id, r.result, r.missing) for r in found.results]
    texts = {entry.id: entry.value for entry in entries if entry.kind == "value"}
    assert {
        name: Fraction(text) for name, text in texts.items() if name.startswith("d.t") and text
    } == {
        name: number(value)
        for name, value in found.values.items()
        if name.startswith("d.t") and value is not None
    }
