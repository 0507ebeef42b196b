"""Policies written by hand give what their authors expect, and nearly all of them in ZEN too."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from decision_engine.trial import flat
from tests.integration.policy.differential.compare import said_by_us, said_by_zen, same
from tests.integration.policy.differential.coverage import features
from tests.integration.policy.differential.hosts import FUNCTIONS
from tests.integration.policy.differential.prepare import Prepared, Refusal

FOLDER = Path(__file__).parent / "handwritten"
POLICIES = {path.stem: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))}
#: A rule's result as what both engines say.
RESULTS = {"hit": True, "no_hit": False, "not_evaluable": None, "not_reached": None}


def expected(case: dict[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = case["values"]
    return values | {rule: RESULTS[result] for rule, result in case["rules"].items()}


def ours(prepared: Prepared, case: dict[str, Any]) -> dict[str, Any]:
    return said_by_us(prepared.ours.evaluate(given(case), FUNCTIONS))


def given(case: dict[str, Any]) -> dict[str, Any]:
    return {name: exact(value) for name, value in flat(case["inputs"]).items()}


def exact(value: Any) -> Any:
    """What was read from JSON, with exact numbers."""
    if isinstance(value, dict):
        return {key: exact(item) for key, item in value.items()}
    if isinstance(value, list):
        return tuple(exact(item) for item in value)
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    return Decimal(str(value)) if plain else value


def agrees(prepared: Prepared, case: dict[str, Any]) -> bool:
    result = prepared.guarded.ask(case["inputs"])
    if isinstance(result, Refusal):
        return False
    theirs = said_by_zen(prepared, result)
    return all(same(said, theirs[key]) for key, said in ours(prepared, case).items())


def prepare(name: str) -> Prepared:
    return Prepared(POLICIES[name]["policy"], POLICIES[name]["models"])


@pytest.mark.parametrize("name", POLICIES)
def test_a_policy_gives_what_its_author_expects(name: str) -> None:
    prepared = prepare(name)

    for case in POLICIES[name]["cases"]:
        found = ours(prepared, case)
        assert {key: found[key] for key in expected(case)} == exact(expected(case))


def test_not_reached_is_what_the_author_calls_it() -> None:
    for name, policy in POLICIES.items():
        for case in policy["cases"]:
            results = prepare(name).ours.evaluate(given(case), FUNCTIONS).results
            named = {r.rule_id: r.result for r in results if r.rule_id in case["rules"]}
            assert named == case["rules"], name


def test_the_policies_use_every_part_of_the_language() -> None:
    used: set[str] = set()
    for name, policy in POLICIES.items():
        prepared = prepare(name)
        for case in policy["cases"]:
            ours = prepared.ours
            run = ours.settle(ours.start(given(case), FUNCTIONS))
            prepared.watch(run.facts, used)

    assert features() - used == set()
    assert len(POLICIES) >= 40


@pytest.mark.parametrize("name", POLICIES)
def test_zen_agrees_unless_the_policy_says_why_not(name: str) -> None:
    prepared = prepare(name)

    agreed = all(agrees(prepared, case) for case in POLICIES[name]["cases"])

    assert agreed is ("differs" not in POLICIES[name])


def test_few_policies_differ_and_each_says_why() -> None:
    reasons = [policy["differs"] for policy in POLICIES.values() if "differs" in policy]

    assert len(reasons) <= 4
    assert all(reasons)
