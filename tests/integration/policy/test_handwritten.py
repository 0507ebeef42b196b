"""Policies written by hand give what their authors expect, and nearly all of them in ZEN too."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.integration.policy.differential.compare import said_by_us, said_by_zen, same
from tests.integration.policy.differential.hosts import FUNCTIONS
from tests.integration.policy.differential.prepare import Prepared, Refusal

FOLDER = Path(__file__).parent / "handwritten"
POLICIES = {path.stem: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))}
#: A rule's result as what both engines say.
RESULTS = {"hit": True, "no_hit": False, "not_evaluable": None}


def expected(case: dict[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = case["values"]
    return values | {rule: RESULTS[result] for rule, result in case["rules"].items()}


def ours(prepared: Prepared, case: dict[str, Any]) -> dict[str, Any]:
    inputs = {name: number(value) for name, value in case["inputs"].items()}
    return said_by_us(prepared.ours.evaluate(inputs, FUNCTIONS))


def number(value: Any) -> Any:
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
        assert {key: found[key] for key in expected(case)} == {
            key: number(value) for key, value in expected(case).items()
        }


@pytest.mark.parametrize("name", POLICIES)
def test_zen_agrees_unless_the_policy_says_why_not(name: str) -> None:
    prepared = prepare(name)

    agreed = all(agrees(prepared, case) for case in POLICIES[name]["cases"])

    assert agreed is ("differs" not in POLICIES[name])


def test_few_policies_differ_and_each_says_why() -> None:
    reasons = [policy["differs"] for policy in POLICIES.values() if "differs" in policy]

    assert len(reasons) <= 4
    assert all(reasons)
