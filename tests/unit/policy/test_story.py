"""What a trace comes down to: what decided, what it needs, what came near."""

from decimal import Decimal

from decision_engine.policy.story import Told, decided, nearest
from decision_engine.policy.trace import TraceEntry, trace
from decision_engine.policy.values import Value
from tests.unit.policy.build import compiled, rules

RULES = rules(
    ("poor", "a < 720", "decline"),
    ("two", "a > 500 and f == true", "refer"),
    ("odd", "not (s == 'y')", "refer"),
    ("member", "s in ['x', 'z']", "refer"),
    ("range", "b in [1..5]", "refer"),
    ("out", "not (n in [0..7])", "refer"),
    ("or", "a > 100000 or b > 1000", "reduce"),
    ("bare", "f", "refer"),
)


def entries(**given: Value | None) -> list[TraceEntry]:
    values: dict[str, Value | None] = {
        "a": Decimal(688), "b": Decimal(7), "n": Decimal(3), "s": "y", "f": False,
    }  # fmt: skip
    return trace(compiled(RULES), {**values, **given}, {})


def test_what_decided_is_told_with_what_it_would_need() -> None:
    found = decided(entries(), {"a": "the score"})

    assert found == [
        Told("poor", "C-poor", "decline", "hit", ("the score is 688.00, needs >= 720: 32 short",))
    ]
    assert found[0].plain()["sentences"] == ["the score is 688.00, needs >= 720: 32 short"]


def test_every_shape_of_condition_has_its_sentence() -> None:
    told = {
        each.rule: each.sentences
        for each in decided(entries(a=Decimal(800), f=True, s="x", b=Decimal(5), n=Decimal(9)), {})
    }

    assert (
        told
        == {
            "two": ("a is 800.00, needs <= 500: 300 too much", "f is true, needs != true"),
            "odd": ('s is x, needs == "y"',),
            "member": ('s is x, needs not in ["x", "z"]',),
            "range": ("b is 5.00, needs not in [1..5]",),
            "out": ("n is 9, needs in [0..7]: 2 too much",),
            "bare": ("f is true",),
        }
        or told
    )


def test_what_cannot_be_evaluated_is_told_by_what_is_missing() -> None:
    (poor, two, *_) = decided(entries(a=None, f=True), {"a": "the score"})

    assert (poor.result, poor.sentences) == ("not_evaluable", ("the score is missing",))
    assert two.rule == "two"


def test_the_nearest_comes_first_and_what_has_no_distance_is_not_near() -> None:
    found = nearest(entries(a=Decimal(725)), {})

    assert [each.rule for each in found] == ["poor", "or", "range"]
    assert found[0].sentences == ("a is 725.00, hits < 720: 5 away",)
    assert found[2].sentences == ("b is 7.00, hits in [1..5]: 2 away",)


def test_a_rule_that_hit_or_is_missing_something_is_not_near() -> None:
    assert "poor" not in {each.rule for each in nearest(entries(), {})}
    assert {each.rule for each in nearest(entries(a=None), {})} == {"range"}
