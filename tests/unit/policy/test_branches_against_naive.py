"""A few random policies with switches; tests/integration/policy has many."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.policy.branch_checks import (
    check_inside,
    check_meaning,
    check_monotone,
    check_no_approval,
)
from tests.unit.policy.random_branches import branched
from tests.unit.policy.random_policies import Sample, inputs


@settings(max_examples=10)
@given(
    branched(),
    branched(null_tests=False),
    st.sampled_from([("", ""), ("p", ""), ("", "about"), ("p", "about")]),
    inputs(),
)
def test_policies_with_branches(
    sample: Sample, plain: Sample, places: tuple[str, str], values: dict[str, Any]
) -> None:
    check_meaning(sample, values)
    check_no_approval(sample, values)
    check_inside(sample, *places, values)
    check_monotone(plain, values)
