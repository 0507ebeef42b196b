"""What an offer needs is made in every case that no rule stands against, or publishing says so."""

import json
from itertools import pairwise
from typing import Any

import pytest

from adapters.bootstrap.shipped import personal_loan
from decision_engine.offer_check import check_offers
from decision_engine.policy.compile import compile_policy
from decision_engine.policy.scorecard import Scorecard
from decision_engine.policy_desk import checked
from tests.unit.policy.build import document, edge, expressions, raw, rules, switch

Json = dict[str, Any]
MODELS = {model.id: model for model in map(Scorecard.parse, personal_loan().models)}
LARGE = "application.amount > 40000"
NEEDED = ("price.instalment", "price.monthly_rate", "price.principal")


def said(policy: Json) -> list[str]:
    found = check_offers(compile_policy(raw(policy), MODELS))
    assert all(item.severity == "warning" for item in found)
    return [f"{item.pointer}: {item.sentence}" for item in found]


def loan() -> Json:
    policy: Json = json.loads(personal_loan().policy)
    return policy


def node(policy: Json, identity: str) -> Json:
    return next(each for each in policy["nodes"] if each["id"] == identity)


def without(*keys: str) -> Json:
    policy = loan()
    content = node(policy, "limits")["content"]
    content["expressions"] = [e for e in content["expressions"] if e["key"] not in keys]
    return policy


def priced_behind(condition: str, *extra: Json) -> Json:
    """Large loans take the way past the price, and meet what is extra."""
    policy = loan()
    ways = [edge("limits>sw"), edge("sw:small>price")]
    line = [each["id"] for each in extra]
    past = ["sw:large", *line, "affordability"]
    ways += [edge(f"{one}>{other}") for one, other in pairwise(past)]
    kept = [each for each in policy["edges"] if each["targetId"] != "price"]
    policy["edges"] = [*kept, *ways]
    policy["nodes"] += [switch("sw", ("large", condition), ("small", "")), *extra]
    return policy


def test_the_shipped_policy_makes_what_an_offer_needs() -> None:
    assert said(loan()) == []


def test_a_policy_that_prices_no_loans_is_asked_for_nothing() -> None:
    assert said(document(rules(("k", "a > 1", "refer")))) == []


def test_a_value_that_nothing_makes_is_named() -> None:
    assert said(without("offer.term_step", "offer.minimum_amount")) == [
        f"/{name}: an offer needs this value and no node makes it: nobody can be approved"
        for name in ("offer.minimum_amount", "offer.term_step")
    ]


def test_a_value_that_one_branch_makes_is_named_with_a_case() -> None:
    found = said(priced_behind(LARGE))

    assert [text.partition(":")[0] for text in found] == [f"/{name}" for name in NEEDED]
    for text in found:
        assert 'it is made only behind "small" of the switch "sw": for ' in text
        assert "application.amount = 40000.01" in text
        assert text.endswith("it is missing, and the case is referred; make it in every branch")


def stopping(effect: str) -> Json:
    return rules(("stop", LARGE, effect), identity="stop", outputPath="rules.stop")


@pytest.mark.parametrize("effect", ["decline", "refer"])
def test_where_a_rule_stands_against_the_case_no_offer_is_needed(effect: str) -> None:
    noted = expressions("noted", {"note.large": "1"})

    assert said(priced_behind(LARGE, noted, stopping(effect))) == []


def test_where_a_rule_only_reduces_the_offer_is_needed() -> None:
    assert len(said(priced_behind(LARGE, stopping("reduce")))) == len(NEEDED)


def test_the_desk_tells_it_too() -> None:
    found = checked("personal-loan", raw(without("offer.term_step")), personal_loan())

    assert found["valid"]
    assert "offer.term_step" in [each["cell"] for each in found["findings"]]
