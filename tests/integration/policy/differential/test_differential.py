"""Our engine says what ZEN says, on thousands of generated policies, or it is told why not."""

import json
import sys
from collections.abc import Callable
from decimal import Decimal

import pytest

from decision_engine.policy import closures, codegen, values
from tests.integration.policy.differential.campaign import Report, published, run, summary
from tests.integration.policy.differential.checks import check_differential
from tests.integration.policy.differential.compare import Verdict, judge
from tests.integration.policy.differential.excuses import KINDS
from tests.integration.policy.differential.faults import FAULTS, Fault
from tests.integration.policy.differential.inputs import case

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


FULL = 20261210
#: A condition about null that nothing needs, in a switch; a quotient that ZEN rounds onto a half.
NULL_IN_A_SWITCH, ROUNDED_TWICE = (3999, 16), (4987, 8)


def verdict_of(number: int, index: int) -> Verdict:
    sample, prepared = published(FULL, number)
    one = case((FULL, number, index), sample.inputs, prepared.thresholds, prepared.reads)
    return judge(prepared, one)


def test_a_condition_about_null_that_nothing_needs_does_not_change_the_branch() -> None:
    verdict = verdict_of(*NULL_IN_A_SWITCH)

    assert (verdict.faults, verdict.excuses) == ([], ())


def test_a_quotient_that_zen_rounds_twice_is_excused_by_its_name() -> None:
    verdict = verdict_of(*ROUNDED_TWICE)

    assert (verdict.faults, verdict.excuses) == ([], ("rounded_twice",))


def test_a_quotient_that_we_round_wrongly_is_not_excused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading it as rounded twice would hide the fault: that way it is not used at all."""

    def too_small(dividend: Decimal, divisor: Decimal, digits: int) -> Decimal:
        return values.quotient(dividend, divisor, digits) - values.QUANTA[digits]

    monkeypatch.setattr(closures, "quotient", too_small)
    monkeypatch.setitem(codegen._HELPERS, "quotient", too_small)

    assert verdict_of(*ROUNDED_TWICE).faults


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_found_within_2000_pairs(
    name: str, monkeypatch: pytest.MonkeyPatch, tell: Callable[[str], None]
) -> None:
    fault: Fault = FAULTS[name]
    fault(monkeypatch)

    report = run(SEED, FOUND_WITHIN, stop=True)

    tell(f"{name}: found after {report.pairs} pairs")
    assert report.unexplained, summary(report)
