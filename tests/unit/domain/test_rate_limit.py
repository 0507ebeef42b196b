"""What a limit may be."""

import pytest

from domain.errors import InvalidInputError
from domain.rate_limit import TOKENS_MAX, Limit


@pytest.mark.parametrize(("rate", "burst"), [(0, 1), (1, 0), (TOKENS_MAX + 1, 1), (1, -1)])
def test_what_is_no_limit_is_refused(rate: int, burst: int) -> None:
    with pytest.raises(InvalidInputError):
        Limit(rate, burst)


def test_the_smallest_and_the_largest_are_limits() -> None:
    assert Limit(1, 1).units < Limit(TOKENS_MAX, TOKENS_MAX).units
