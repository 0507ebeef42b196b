"""What no missing input explains is never passed over: no other rule speaks for it."""

from decimal import Decimal

import pytest

from decision_engine.policy.scorecard import Scorecard
from decision_engine.policy.values import Value
from tests.unit.policy.build import (
    Json,
    compiled,
    custom,
    expressions,
    model,
    ranges,
    raw,
    rules,
)

PROPERTIES: Json = {
    "a": {"type": "number", "x-scale": 2},
    "l": {"type": "array", "items": {"type": "number", "x-scale": 2}, "maxItems": 4},
}
COVER = [("no-a", "a > 900", "refer"), ("no-l", "some(l, # > 900)", "refer")]


@pytest.mark.parametrize(
    ("condition", "without", "within"),
    [
        ("100 / a > 5", {"a": Decimal(0)}, {"a": Decimal(10)}),
        ("min(l) > 5", {"l": ()}, {"l": (Decimal(9),)}),
        ("l[1] > 5", {"l": (Decimal(9),)}, {"l": (Decimal(1), Decimal(9))}),
    ],
)
def test_a_silent_rule_passes_over_missing_inputs_only(
    condition: str, without: dict[str, Value], within: dict[str, Value]
) -> None:
    policy = compiled(
        rules(*COVER, ("silent", condition, "decline", "no_hit_if_missing")),
        properties=PROPERTIES,
    )
    known: dict[str, Value | None] = {"a": Decimal(1), "l": (Decimal(1),)}

    def said(inputs: dict[str, Value | None]) -> str:
        return policy.evaluate(known | inputs, {}).results[2].result

    assert said(dict(without)) == "not_evaluable"
    assert said(dict(within)) == "hit"
    assert said(dict.fromkeys(without)) == "no_hit"


def test_a_missing_bin_stands_for_missing_inputs_only() -> None:
    card = model(ranges("part", 10, "1.00", 30, missing_points=0))
    policy = compiled(
        expressions("e", {"part": "round(1 / a, 2)"}),
        custom("c", "scorecard", {"model": "m"}),
        rules(("cover", "a > 900", "refer")),
        models=(Scorecard.parse(raw(card)),),
        properties=PROPERTIES,
    )

    def score(a: Decimal | None) -> Value | None:
        return policy.evaluate({"a": a, "l": ()}, {}).values["score.value"]

    assert score(Decimal(0)) is None
    assert score(None) == 500
    assert score(Decimal(2)) == 510
