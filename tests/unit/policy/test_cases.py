"""A small loan policy as data, with its scorecard, its reasons and its cases."""

import tomllib
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from decision_engine.policy.check import check
from decision_engine.policy.compile import CompiledPolicy, compile_policy
from decision_engine.policy.evaluation import Evaluation
from decision_engine.policy.parse import parse
from decision_engine.policy.reason_table import ReasonTable, check_codes
from decision_engine.policy.reasons import State, rank_reasons
from decision_engine.policy.scorecard import Scorecard
from decision_engine.policy.trace import trace
from tests.unit.policy.build import CASES

CARD = Scorecard.parse((CASES / "scorecard.json").read_bytes())
REASONS = ReasonTable.parse((CASES / "reasons.json").read_bytes())
LOAN = compile_policy((CASES / "loan.json").read_bytes(), {CARD.id: CARD})
DATA = tomllib.loads((CASES / "loan.toml").read_text(encoding="utf-8"))


def price(arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    assert arguments["pd"] < 1
    return {"instalment": Decimal("447.30"), "monthly_rate": Decimal("0.0250")}


def inputs_of(policy: CompiledPolicy, texts: Mapping[str, str]) -> dict[str, Any]:
    kinds = {item.name: item.kind for item in policy.inputs}
    read = {name: Decimal(t) if kinds[name] == "number" and t else t for name, t in texts.items()}
    return {name: value or None if value == "" else value for name, value in read.items()}


def evaluated(case: Mapping[str, Any]) -> tuple[dict[str, Any], Evaluation]:
    inputs = inputs_of(LOAN, {**DATA["base"], **case.get("change", {})})
    return inputs, LOAN.evaluate(inputs, {"price": price})


def outcome_of(evaluation: Evaluation) -> str:
    """How a caller reads the results: decline, then refer, then reduce, then approve."""
    asked = {result.consequence for result in evaluation.results}
    order = (("decline", "DECLINED"), ("refer", "REFERRED"), ("reduce", "COUNTER_OFFER"))
    return next((outcome for what, outcome in order if what in asked), "APPROVED")


def test_the_policy_divides_by_an_income_that_can_be_zero_and_has_no_other_finding() -> None:
    document = parse((CASES / "loan.json").read_bytes())

    (warning,) = check(document, {CARD.id: CARD})
    assert (warning.severity, warning.pointer) == ("warning", "/capacity/capacity.dti")
    assert "the divisor profile.income can be zero" in warning.sentence
    assert check_codes(LOAN, REASONS) == []


@pytest.mark.parametrize("case", DATA["case"], ids=lambda case: case["name"])
def test_case(case: dict[str, Any]) -> None:
    inputs, found = evaluated(case)
    states: dict[str, State] = dict.fromkeys(case.get("stale", ()), "stale")
    ranked = rank_reasons(found, REASONS, case["outcome"], states)

    assert [r.rule_id for r in found.results if r.result == "hit"] == case["hits"]
    assert {
        r.rule_id: list(r.missing) for r in found.results if r.result == "not_evaluable"
    } == case.get("not_evaluable", {})
    assert str(found.values["score.value"] or "") == case["score"]
    assert (found.values["band.name"] or "") == case["band"]
    assert [f"{item.code} {item.attribute}".strip() for item in ranked] == case["reasons"]
    distances = {
        entry.id: entry.conditions[-1].distance
        for entry in trace(LOAN, inputs, {"price": price})
        if entry.id in case.get("distance", {})
    }
    assert distances == case.get("distance", {})


@pytest.mark.parametrize("case", DATA["case"], ids=lambda case: case["name"])
def test_outcome(case: dict[str, Any]) -> None:
    _, found = evaluated(case)

    assert outcome_of(found) == case["outcome"]


def test_without_any_one_input_an_approval_is_lost_and_the_reason_names_it() -> None:
    for name in (item.name for item in LOAN.reads):
        _, found = evaluated({"change": {name: ""}})
        ranked = rank_reasons(found, REASONS, "REFERRED")
        assert outcome_of(found) == "REFERRED"
        assert ("R94", name) in [(item.code, item.attribute) for item in ranked]
