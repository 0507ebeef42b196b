"""`make prove` resumes what held, retries what did not, and writes what it saw."""

import json
from pathlib import Path

from tools.proof_rows import Measured, Row
from tools.prove import Outcome, State, prove, write_report

SEED = 7


def holds(seed: int) -> Measured:
    return {"histories": seed * 100}


def breaks(_: int) -> Measured:
    raise AssertionError("history 3 | lost a decision")


def outcome_of(row: Row) -> Outcome:
    return prove(row, SEED)


HELD = Row(name="held", promise="Nothing is lost.", run=holds)
BROKEN = Row(name="broken", promise="Nothing is doubled.", run=breaks)


def test_a_row_that_raises_did_not_hold() -> None:
    outcome = outcome_of(BROKEN)

    assert (outcome.held, outcome.measured) == (False, {})
    assert outcome.error == "AssertionError: history 3 | lost a decision"


def test_only_what_held_is_resumed_and_only_for_the_same_code_and_seed(tmp_path: Path) -> None:
    file = tmp_path / "state" / "state.json"
    state = State.load(file, SEED, "code-1")
    state.add(outcome_of(HELD))
    state.add(outcome_of(BROKEN))

    assert list(State.load(file, SEED, "code-1").outcomes) == ["held"]
    assert State.load(file, SEED, "code-2").outcomes == {}
    assert State.load(file, SEED + 1, "code-1").outcomes == {}


def test_the_report_says_seed_code_and_each_row(tmp_path: Path) -> None:
    state = State(tmp_path / "state.json", SEED, "0123456789abcdef", {})
    page = write_report(tmp_path, state, [outcome_of(HELD), outcome_of(BROKEN)])

    text = page.read_text()
    assert "Seed 7, code `0123456789abcdef`" in text
    assert "| held | Nothing is lost. | yes |" in text
    assert "| broken | Nothing is doubled. | **no** |" in text
    assert "history 3 / lost" in text
    document = json.loads(page.with_suffix(".json").read_text())
    assert [each["name"] for each in document["outcomes"]] == ["held", "broken"]
    assert document["outcomes"][0]["measured"] == {"histories": 700}
