"""A small policy that approves unless its one knock-out cell says no: it never does on no data."""

import json
from dataclasses import replace
from decimal import Decimal
from functools import cache
from itertools import pairwise, product
from typing import Any

import pytest

from adapters.bootstrap.shipped import personal_loan
from decision_engine.exposure import NO_EXPOSURE
from decision_engine.policy.findings import PolicyError
from decision_engine.rulebook import Rulebook, build_rulebook
from decision_engine.snapshot import Attributes, judge
from domain.decision import Outcome
from domain.features import Feature
from tests.unit.decide.world import AS_OF, case, good_profile, us
from tests.unit.policy.build import Json, edge, expressions, rules

NAME = "behaviour.late_now"
UNARY = (">= 3", "[3..9]", "(2..9)", "not in [0..2]", "3, 4, 5", "== 3 or > 3", "!= 0", "in [3, 4]")
WHOLE = (
    f"{NAME} > 2",
    f"not ({NAME} <= 2)",
    f"{NAME} * 2 > 5",
    f"{NAME} / 2 > 1",
    f"max([{NAME}, 0]) > 2",
    f"some([{NAME}, 0], # > 2)",
    f"{NAME} > 2 ? true : false",
    f"{NAME} == null or {NAME} > 2",
)
CELLS = [(NAME, cell) for cell in UNARY] + [("", cell) for cell in WHOLE]
#: A null test needs a rule that stops the application; "reduce" does not (see below).
RULES = [
    (*cell, effect)
    for cell, effect in product(CELLS, ["decline", "refer", "reduce"])
    if effect != "reduce" or "null" not in cell[1]
]
#: What stands in the place of the value, and how many days ago it was seen.
NOT_USABLE: dict[str, Feature] = {
    "missing": Feature(None, None),
    "null": Feature(None, us(1)),
    "a text": Feature("0", us(1)),
    "a truth": Feature(value=True, observed_us=us(1)),
    "no whole number": Feature(Decimal("0.5"), us(1)),
    "out of range": Feature(Decimal(-1), us(1)),
    "not a number": Feature(Decimal("NaN"), us(1)),
    "stale": Feature(Decimal(0), us(366)),
    "without a date": Feature(Decimal(0), None),
}


def policy(field: str, cell: str, effect: str, on_missing: str = "refer") -> bytes:
    """The shipped terms behind a fixed score and one rule."""
    shipped: Any = json.loads(personal_loan().policy)
    kept: dict[str, Json] = {node["id"]: node for node in shipped["nodes"]}
    rule = rules(("x", cell, effect, on_missing), fields=(field,))
    rule["content"]["rules"][0]["o0"] = '"R05"'
    score = expressions("score", {"score.pd": "0.05"})
    ends = [node["id"] for node in shipped["nodes"] if node["type"] in ("inputNode", "outputNode")]
    line = [kept[ends[0]], rule, score, *(kept[name] for name in ("band", "limits", "price"))]
    line.append(kept[ends[1]])
    ways = [edge(f"{one['id']}>{two['id']}") for one, two in pairwise(line)]
    return json.dumps({**shipped, "nodes": line, "edges": ways}).encode()


@cache
def book(field: str, cell: str, effect: str) -> Rulebook:
    return build_rulebook(replace(personal_loan(), policy=policy(field, cell, effect)), "2026.1")


def outcome(rulebook: Rulebook, feature: Feature) -> Outcome:
    (field,) = [field for field in rulebook.fields if field.name == NAME]
    given = replace(case(good_profile()), rulebook=rulebook)
    attributes = {**given.snapshot.attributes, NAME: judge(field, feature, AS_OF)}
    snapshot = replace(given.snapshot, attributes=Attributes(attributes))
    return replace(given, snapshot=snapshot).assess(NO_EXPOSURE).outcome


@pytest.mark.parametrize(("field", "cell", "effect"), RULES)
def test_without_a_usable_value_nobody_is_approved(field: str, cell: str, effect: str) -> None:
    rulebook = book(field, cell, effect)

    for what, feature in NOT_USABLE.items():
        assert outcome(rulebook, feature) in {Outcome.REFERRED, Outcome.DECLINED}, what


@pytest.mark.parametrize(("field", "cell"), CELLS)
def test_with_a_value_the_rule_lets_pass_the_same_case_is_approved(field: str, cell: str) -> None:
    assert outcome(book(field, cell, "decline"), Feature(Decimal(0), us(1))) is Outcome.APPROVED
    assert outcome(book(field, cell, "decline"), Feature(Decimal(3), us(1))) is Outcome.DECLINED


@pytest.mark.parametrize(("field", "cell"), CELLS)
def test_a_rule_that_would_pass_over_missing_data_is_never_published(field: str, cell: str) -> None:
    silent = policy(field, cell, "decline", "no_hit_if_missing")

    with pytest.raises(PolicyError, match=f"whenever {NAME} is missing"):
        build_rulebook(replace(personal_loan(), policy=silent), "2026.1")


def test_a_null_test_that_only_reduces_is_never_published() -> None:
    reduced = policy("", f"{NAME} == null or {NAME} > 2", "reduce")

    with pytest.raises(PolicyError, match=f"whenever {NAME} is missing"):
        build_rulebook(replace(personal_loan(), policy=reduced), "2026.1")
