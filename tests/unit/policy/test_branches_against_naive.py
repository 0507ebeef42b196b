"""Policies with switches equal the obvious interpreter, and missing data only ever hides."""

from typing import Any

from hypothesis import given

from decision_engine.policy.compile import compile_policy
from tests.unit.policy.random_branches import branched
from tests.unit.policy.random_policies import Sample, inputs
from tests.unit.policy.test_against_naive import COMPLETE, blocked, compare, known


@given(branched(), inputs())
def test_branches_equal_the_obvious_interpreter(sample: Sample, values: dict[str, Any]) -> None:
    policy = compile_policy(sample.policy, sample.models)

    compare(policy, sample, values)
    compare(policy, sample, COMPLETE | known(values))


@given(branched(), inputs())
def test_both_variants_agree_on_branches(sample: Sample, values: dict[str, Any]) -> None:
    policy = compile_policy(sample.policy, sample.models)
    complete = COMPLETE | known(values)

    settled = policy.settle(policy.start(complete, {}))

    assert policy.evaluate(complete, {}) == policy._partly_known(settled)


@given(branched(), inputs())
def test_a_missing_input_never_creates_an_approval_in_branches(
    sample: Sample, values: dict[str, Any]
) -> None:
    policy = compile_policy(sample.policy, sample.models)
    before = policy.evaluate(values, {})

    for name in values:
        after = policy.evaluate({**values, name: None}, {})
        assert blocked(after) >= blocked(before), name


@given(branched(null_tests=False), inputs())
def test_one_more_missing_input_hides_answers_and_changes_none(
    sample: Sample, values: dict[str, Any]
) -> None:
    policy = compile_policy(sample.policy, sample.models)
    before = policy.evaluate(values, {})

    for name in values:
        after = policy.evaluate({**values, name: None}, {})
        for one, other in zip(before.results, after.results, strict=True):
            assert other.result in (one.result, "not_evaluable"), name
        for key, value in after.values.items():
            assert value in (before.values[key], None), name
