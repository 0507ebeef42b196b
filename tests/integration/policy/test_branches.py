"""Random policies with switches, tables by every hit policy and sub-decisions."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.policy.branch_checks import (
    check_inside,
    check_meaning,
    check_monotone,
    check_no_approval,
)
from tests.unit.policy.random_branches import branched
from tests.unit.policy.random_policies import Sample, inputs


@given(branched(), inputs())
def test_branches_equal_the_obvious_interpreter(sample: Sample, values: dict[str, Any]) -> None:
    check_meaning(sample, values)


@given(branched(), inputs())
def test_a_missing_input_never_creates_an_approval(sample: Sample, values: dict[str, Any]) -> None:
    check_no_approval(sample, values)


@given(branched(null_tests=False), inputs())
def test_a_missing_input_hides_answers_and_changes_none(
    sample: Sample, values: dict[str, Any]
) -> None:
    check_monotone(sample, values)


@given(branched(), st.sampled_from(["", "p"]), st.sampled_from(["", "about"]), inputs())
def test_a_policy_decides_inside_a_decision_as_it_does_alone(
    sample: Sample, path: str, source: str, values: dict[str, Any]
) -> None:
    check_inside(sample, path, source, values)
