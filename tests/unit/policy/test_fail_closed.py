"""A knock-out cell of the shipped policy that is no condition is never published."""

import json
from dataclasses import replace
from typing import Any

import pytest

from adapters.bootstrap.shipped import personal_loan
from decision_engine.exposure import NO_EXPOSURE
from decision_engine.policy.findings import PolicyError
from decision_engine.rulebook import build_rulebook
from domain.decision import Outcome
from tests.unit.decide.world import case, good_profile

SHIPPED = json.loads(personal_loan().policy)
CELLS = [
    (node["id"], rule["_id"], column["id"])
    for node in SHIPPED["nodes"]
    if node.get("content", {}).get("hitPolicy") == "collect"
    for rule in node["content"]["rules"]
    for column in node["content"]["inputs"]
    if rule[column["id"]]
]


def changed(cell: tuple[str, str, str], text: str) -> bytes:
    """The shipped policy with one cell rewritten."""
    node_id, rule_id, column = cell
    policy: Any = json.loads(personal_loan().policy)
    (node,) = [node for node in policy["nodes"] if node["id"] == node_id]
    (rule,) = [rule for rule in node["content"]["rules"] if rule["_id"] == rule_id]
    rule[column] = text
    return json.dumps(policy).encode()


def outcome(policy: bytes) -> Outcome:
    rulebook = build_rulebook(replace(personal_loan(), policy=policy), "2026.1")
    return replace(case(good_profile()), rulebook=rulebook).assess(NO_EXPOSURE).outcome


def test_the_policy_has_cells_to_damage() -> None:
    assert len(CELLS) >= 7


def test_with_whole_cells_the_case_is_approved() -> None:
    assert outcome(json.dumps(SHIPPED).encode()) is Outcome.APPROVED


@pytest.mark.parametrize("text", ["> > 3", "[1..", "> nobody.knows"])
@pytest.mark.parametrize("cell", CELLS, ids="/".join)
def test_a_cell_that_is_no_condition_is_never_published(
    cell: tuple[str, str, str], text: str
) -> None:
    with pytest.raises(PolicyError) as refused:
        outcome(changed(cell, text))

    assert any(item.row == cell[1] for item in refused.value.findings)
