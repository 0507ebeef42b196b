"""The shipped policy, case by case: tests/cases/policies/personal-loan.toml."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

import pytest

from adapters.bootstrap.shipped import ROOT, personal_loan
from adapters.inbound.cli.policy_cases import GoldenCase, judge, read_cases
from adapters.inbound.cli.policy_runs import Run, Runner
from decision_engine.rulebook import build_rulebook

CASES: Final = read_cases(ROOT / "tests" / "cases" / "policies" / "personal-loan.toml")
APPROVED: Final = [case for case in CASES.cases if case.outcome == "APPROVED"]
#: What no field of the policy takes, whatever its type.
WRONG: Final = (None, True, Decimal("0.0000000000001"), Decimal("1e18"), Decimal("-1e30"))
WRONG_NUMBERS: Final = ("", "five", "NaN", "Infinity", "1e400", "0x10")

RUNNER: Final = Runner(
    rulebook=build_rulebook(personal_loan(), ""), as_of=datetime(2026, 6, 10, 12, tzinfo=UTC)
)


def named(run: Run) -> list[str]:
    return [f"{reason.code} {reason.attribute}".rstrip() for reason in run.reasons]


def with_case(cases: Sequence[GoldenCase]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", cases, ids=[case.name for case in cases])


def changed(case: GoldenCase, name: str, value: Any) -> Mapping[str, Any]:
    return {**case.inputs, name: value}


@with_case(CASES.cases)
def test_the_case_comes_out_as_written(case: GoldenCase) -> None:
    assert judge(RUNNER, case).differences == ()


def test_there_are_cases_for_every_rule_hit_and_not_evaluable() -> None:
    rules = {rule.id for rule in RUNNER.rulebook.compiled.rules}

    assert CASES.on == RUNNER.as_of.date()
    assert len(CASES.cases) >= 30
    assert {rule for case in CASES.cases for rule in case.hit} == rules
    # The smallest and largest amount, term and product come with every request.
    asked = {"amount-minimum", "amount-maximum", "term-range", "product"}
    assert {rule for case in CASES.cases for rule in case.unknown} == rules - asked


@with_case(APPROVED)
def test_a_field_that_is_missing_or_stale_never_approves_and_is_named(case: GoldenCase) -> None:
    for field in RUNNER.rulebook.fields:
        gone = RUNNER.run(changed(case, field.name, None))
        old = RUNNER.run(case.inputs, frozenset({field.name}))

        assert (gone.outcome, old.outcome) == ("REFERRED", "REFERRED")
        assert f"R94 {field.name}" in named(gone)
        assert f"R95 {field.name}" in named(old)
    assert RUNNER.run(case.inputs).outcome == "APPROVED"


@pytest.mark.parametrize("wrong", WRONG, ids=repr)
def test_a_value_that_no_field_takes_is_as_good_as_missing(wrong: Any) -> None:
    for field in RUNNER.rulebook.fields:
        run = RUNNER.run(changed(APPROVED[0], field.name, wrong))

        assert run.outcome == "REFERRED"
        assert named(run) == [f"R94 {field.name}"]


@pytest.mark.parametrize("wrong", WRONG_NUMBERS)
def test_a_text_that_is_no_plain_number_is_as_good_as_missing(wrong: str) -> None:
    for field in RUNNER.rulebook.fields:
        if field.kind == "number":
            run = RUNNER.run(changed(APPROVED[0], field.name, wrong))

            assert run.outcome == "REFERRED"
            assert named(run) == [f"R94 {field.name}"]
