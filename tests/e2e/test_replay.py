"""A decision can be made again anywhere, from its evidence alone; whatever was changed is named."""

from pathlib import Path

import pytest

from tests.e2e.replays import check_altered_rules, check_replay, check_tampering
from tests.e2e.runs import make_run

SEED = 20260610
CUSTOMERS = 400


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("run") / "data"
    make_run(data, CUSTOMERS, SEED)
    return data


def test_every_decision_is_equal_in_other_surroundings(run: Path) -> None:
    measured = check_replay(run)

    kinds = ("APPROVED", "COUNTER_OFFER", "DECLINED", "REFERRED", "with exposure", "reviewed")
    assert all(measured[kind] for kind in kinds), measured


def test_every_change_behind_a_decision_is_named(run: Path) -> None:
    measured = check_tampering(run, 30, SEED)

    assert measured["decisions"] == 30


def test_an_altered_rule_is_seen_in_exactly_the_decisions_it_touches(run: Path) -> None:
    check_altered_rules(run)
