"""`creditctl db back-fill-index`: progress, what is left, and how a run goes on."""

import json

import pytest

from domain.errors import TransientError
from tests.unit.cli.conftest import Terminal
from tests.unit.cli.fake_wiring import FakeWiring


def test_a_whole_run_that_finds_everybody_says_that_an_old_version_may_go(run: Terminal) -> None:
    result = run("db", "back-fill-index", "--json")

    assert result.exit_code == 0
    assert json.loads(result.stdout) == {
        "customers": 203, "missing": 3, "erased": 0, "unknown": 0, "unread": 0,
        "old_versions_may_go": True,
    }  # fmt: skip
    assert "--after c-2" in result.stderr


def test_a_run_that_began_in_the_middle_knows_nothing_of_those_before(run: Terminal) -> None:
    result = run("db", "back-fill-index", "--after", "", "--json")
    assert json.loads(result.stdout)["old_versions_may_go"] is True

    later = run("db", "back-fill-index", "--after", "c-1")
    assert "Keep old versions" in later.stdout
    assert "may be taken out" not in later.stdout


@pytest.mark.parametrize("why", ["erased", "unknown"])
def test_somebody_who_cannot_be_found_keeps_the_old_version(
    run: Terminal, wiring: FakeWiring, why: str
) -> None:
    wiring.not_found[why] = 2
    result = run("db", "back-fill-index")

    assert result.exit_code == 1
    assert "2 persons cannot be found" in result.stdout
    assert "Keep old versions" in result.stdout


def test_a_database_that_is_away_says_how_to_go_on(run: Terminal, wiring: FakeWiring) -> None:
    wiring.failure = TransientError("the database is away: go on with --after c-9")
    result = run("db", "back-fill-index")

    assert result.exit_code == 3
    assert "--after c-9" in result.stderr
