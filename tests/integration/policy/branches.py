"""Many random policies with branches, by a seed."""

from collections.abc import Callable, Mapping
from typing import Any

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from tests.unit.policy.branch_checks import (
    check_inside,
    check_meaning,
    check_monotone,
    check_no_approval,
)
from tests.unit.policy.random_branches import branched
from tests.unit.policy.random_policies import inputs

POLICIES: Mapping[str, tuple[Callable[..., None], tuple[st.SearchStrategy[Any], ...]]] = {
    "meaning": (check_meaning, (branched(), inputs())),
    "no_approval": (check_no_approval, (branched(), inputs())),
    "monotone": (check_monotone, (branched(null_tests=False), inputs())),
    "inside": (
        check_inside,
        (branched(), st.sampled_from(["", "p"]), st.sampled_from(["", "about"]), inputs()),
    ),
}


def check_branches(count: int, number: int) -> dict[str, int]:
    """Check each promise on `count` policies; return how many were tried, by promise."""
    return {
        name: _tried(check, strategies, count, number)
        for name, (check, strategies) in POLICIES.items()
    }


def _tried(
    check: Callable[..., None],
    strategies: tuple[st.SearchStrategy[Any], ...],
    count: int,
    number: int,
) -> int:
    tried = 0

    def attempt(drawn: tuple[Any, ...]) -> None:
        nonlocal tried
        check(*drawn)
        tried += 1

    options = settings(
        max_examples=count, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    seed(number)(options(given(st.tuples(*strategies))(attempt)))()
    return tried
