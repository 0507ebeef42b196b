"""Our engine says what ZEN says, on thousands of generated policies, or it is told why not."""

import json
import sys
from collections.abc import Callable

import pytest

from tests.integration.policy.differential.campaign import Report, run, summary
from tests.integration.policy.differential.checks import check_differential
from tests.integration.policy.differential.excuses import KINDS
from tests.integration.policy.differential.faults import FAULTS, Fault

PAIRS = 5_000
SEED = 1
FOUND_WITHIN = 2_000


@pytest.fixture
def tell(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Figures are shown although the test passes: they are what a reader wants to see."""

    def write(text: str) -> None:
        with capsys.disabled():
            sys.stdout.write(f"\n{text}\n")

    return write


def test_5000_pairs_agree_with_the_reference(tell: Callable[[str], None]) -> None:
    measured = check_differential(PAIRS, SEED)

    tell(json.dumps(measured, indent=1))


def test_a_part_of_the_language_that_no_policy_uses_is_a_gap() -> None:
    assert "Compare operator=<" in Report(SEED).gaps(1)


def test_there_are_at_most_twelve_kinds_of_excuse() -> None:
    assert len(KINDS) <= 12


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_found_within_2000_pairs(
    name: str, monkeypatch: pytest.MonkeyPatch, tell: Callable[[str], None]
) -> None:
    fault: Fault = FAULTS[name]
    fault(monkeypatch)

    report = run(SEED, FOUND_WITHIN, stop=True)

    tell(f"{name}: found after {report.pairs} pairs")
    assert report.unexplained, summary(report)
