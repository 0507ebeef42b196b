"""Freshness at scaled counts; `make prove` plays 100,000 histories."""

import pytest

from tests.unit.decide.freshness import check_freshness


@pytest.mark.parametrize("part", range(4))
def test_no_read_is_older_than_what_was_acknowledged_two_seconds_before(part: int) -> None:
    seen = check_freshness(250, part)

    assert {"redis", "dynamodb", "aurora"} <= set(seen)
