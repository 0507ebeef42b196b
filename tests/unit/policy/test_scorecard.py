"""Scorecards: boundaries, missing bins, the clamp, exact probabilities, points lost."""

from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from typing import Any

import pytest

from decision_engine.policy.findings import PolicyError
from decision_engine.policy.odds import Scale
from decision_engine.policy.scorecard import Loss, Scorecard
from domain.canonical import sha256_text
from tests.unit.policy.build import Json, compiled, custom, model, ranges, raw, rules
from tests.unit.policy.test_refusals import Change, put

SEGMENT: Json = {
    **ranges("s", 0),
    "bins": [{"values": ["x"], "points": 9}, {"values": ["y", "z"], "points": 4}],
}
FLAG: Json = {
    **ranges("f", 0),
    "bins": [{"values": [True], "points": -3}, {"values": [False], "points": 2}],
}


def scored(card: Json, *cover: tuple[str, ...], **inputs: Any) -> Any:
    policy = compiled(
        custom("c", "scorecard", {"model": "m"}),
        rules(*(cover or (("k", "score.value < 1", "decline"),))),
        models=(Scorecard.parse(raw(card)),),
    )
    return policy.evaluate(inputs, {})


@pytest.mark.parametrize(
    ("value", "points"),
    [
        ("0.00", 0),
        ("9.99", 0),
        ("10.00", 50),
        ("10.01", 50),
        ("19.99", 50),
        ("20.00", 100),
        ("999999.00", 100),
    ],
)
def test_bins_are_left_closed(value: str, points: int) -> None:
    found = scored(model(), a=Decimal(value))

    assert found.values["score.raw"] == 500 + points
    assert found.losses == (Loss("a", "S-a", "a", points, 100 - points),)


def test_values_in_bins() -> None:
    card = model(SEGMENT, FLAG)

    assert scored(card, s="z", f=True).values["score.value"] == 501
    assert [loss.lost for loss in scored(card, s="z", f=True).losses] == [5, 5]
    assert scored(card, s="x", f=False).values["score.value"] == 511


@pytest.mark.parametrize(("base", "value"), [(2000, 1000), (-2000, 0), (300, 400)])
def test_the_sum_is_clamped_after_it_and_kept(base: int, value: int) -> None:
    found = scored(model(base_points=base), a=Decimal(50))

    assert found.values["score.value"] == value
    assert found.values["score.raw"] == base + 100
    assert found.values["score.pd"] == pd(value)


def test_without_an_attribute_there_is_no_score() -> None:
    card = model(ranges("a", 0, "10", 50), ranges("b", 0, "10", 50), SEGMENT)
    found = scored(card, a=None, b=Decimal(1), s="no such value")

    assert found.missing == dict.fromkeys(("score.value", "score.raw", "score.pd"), ("a", "s"))
    assert found.losses == ()
    assert found.results[0].missing == ("a", "s")


def test_a_missing_bin_scores_what_is_missing() -> None:
    card = model(ranges("a", 0, "10", 50, missing_points=-7), ranges("b", 0, "10", 50))
    found = scored(card, ("k", "a < 1", "refer"), b=Decimal(11))

    assert found.values["score.value"] == 543
    assert [(loss.points, loss.lost) for loss in found.losses] == [(-7, 57), (50, 0)]
    assert found.results[0].consequence == "refer"


def pd(score: int, odds: str = "20", base: int = 600) -> Decimal:
    """The probability of one score at PDO 50."""
    (found,) = Scale(Decimal(50), Decimal(base), Decimal(odds)).pds(score, score)
    return found


#: From the brief's table of oracles: 600 at 20:1, PDO 50.
@pytest.mark.parametrize(
    ("percent", "score"),
    [("0.5", 766), ("1", 715), ("2", 665), ("5", 596), ("10", 542), ("22.12", 475), ("30", 445),
     ("50", 384)],
)  # fmt: skip
def test_probabilities_of_the_brief(percent: str, score: int) -> None:
    assert pd(score + 1) < Decimal(percent) / 100 < pd(score - 1)


@pytest.mark.parametrize("base", [600, 650, 550])
def test_exact_ties_go_to_the_even_neighbour(base: int) -> None:
    """1 / 80,000 is 0.0000125, however many doublings of exp lead there."""
    odds = Decimal(79_999) * 2 ** Decimal((base - 600) // 50)

    assert pd(600, str(odds), base) == Decimal("0.000012")
    assert pd(600) == Decimal("0.047619")


def test_a_tie_at_the_end_of_many_products_is_still_a_tie() -> None:
    scale = Scale(Decimal(50), Decimal(600), Decimal(79_999))

    assert scale.pds(500, 600)[-1] == Decimal("0.000012")


def test_probabilities_do_not_depend_on_the_context_of_the_thread() -> None:
    with localcontext() as context:
        context.prec = 3
        card = Scorecard.parse(raw(model()))
    with localcontext() as exact:
        exact.prec = 90
        two = Decimal(2)
        for score in range(0, 1001, 50):
            odds = 20 * two ** (Decimal(score - 600) / 50)
            wanted = (1 / (1 + odds)).quantize(Decimal("0.000001"), ROUND_HALF_EVEN)
            assert card.pd(score) == wanted


def test_the_hash_is_over_the_bytes() -> None:
    text = raw(model())

    assert Scorecard.parse(text).hash == sha256_text(text)


def test_a_path_of_its_own() -> None:
    policy = compiled(
        custom("c", "scorecard", {"model": "m", "outputPath": "risk.card"}),
        rules(("k", "risk.card.value < 1", "decline")),
        models=(Scorecard.parse(raw(model())),),
    )

    assert policy.evaluate({"a": Decimal(50)}, {}).values["risk.card.value"] == 600


A = "attributes/0"
BIN = "attributes/0/bins/0"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (put("x", 1), 'a scorecard has the unknown field "x"'),
        (put("id", ""), 'a scorecard needs "id", a text'),
        (put("version", 0), "version must be a whole number from 1 to 1000000000"),
        (put("base_points", 1.5), "base_points must be a whole number from -1000000 to 1000000"),
        (put("clamp", [1]), "clamp must be [low, high], whole numbers at most 10000 apart"),
        (put("clamp", [5, 5]), "clamp must be [low, high], whole numbers at most 10000 apart"),
        (put("clamp", [0, 10001]), "clamp must be [low, high], whole numbers at most 10000 apart"),
        (put("clamp", [0, "9"]), "clamp must be a whole number from -1000000 to 1000000"),
        (put("scale", 1), "scale must be an object"),
        (put("scale/x", 1), 'scale has the unknown field "x"'),
        (put("scale/pdo", 0), "pdo and base_odds must be above zero"),
        (put("scale/base_odds", "-1"), "pdo and base_odds must be above zero"),
        (put("scale/pdo", "1e3"), 'pdo must be a whole number or decimal text like "12.5"'),
        (put("scale/pdo", 1.5), 'pdo must be a whole number or decimal text like "12.5"'),
        (put("scale/pdo", "0.000001"), "odds out of all bounds: pdo is small, or base_score far"),
        (
            put("scale/base_score", -(10**17)),
            "odds out of all bounds: pdo is small, or base_score far",
        ),
        (put("scale/pdo", 10**20), 'pdo must be a whole number or decimal text like "12.5"'),
        (put("attributes", []), "a scorecard needs attributes, each with a name of its own"),
        (put("attributes", {}), "attributes must be a list"),
        (put(f"{A}/name", "b"), "a scorecard needs attributes, each with a name of its own"),
        (put(f"{A}/name", "person.sex"), '"person.sex" may not enter a score: "sex" is barred'),
        (put(f"{A}/name", ""), "the name of an attribute must be a dotted name"),
        (put(f"{A}/code", ""), 'an attribute needs "code", a text'),
        (put(f"{A}/family", 1), 'an attribute needs "family", a text'),
        (put(f"{A}/reference", "mean"), 'reference must be "max": points are lost against the be'),
        (put(f"{A}/x", 1), 'an attribute has the unknown field "x"'),
        (put(f"{A}/missing_points", 101), "missing_points above the best bin would reward missing"),
        (put(f"{A}/missing_points", "1"), "missing_points (write null for none) must be a whole n"),
        (put(f"{A}/bins", []), "the bins must begin and end with null (open)"),
        (put(f"{BIN}/from", "1"), "the bins must begin and end with null (open)"),
        (put(f"{BIN}/to", "9.00"), "the bins have a gap or an overlap after 9"),
        (put(f"{BIN}/to", "11.00"), "the bins have a gap or an overlap after 11"),
        (put(f"{BIN}/to", None), "the bins have a gap or an overlap after null"),
        (put(f"{BIN}/to", 0.5), 'to must be a whole number or decimal text like "12.5"'),
        (put(f"{BIN}/points", "1"), "points must be a whole number from -1000000 to 1000000"),
        (put(f"{BIN}/x", 1), 'a bin has the unknown field "x"'),
        (put(BIN, {"points": 1}), 'a bin needs "from" (null is open)'),
        (put(f"{BIN}/values", ["x"]), "a bin has from and to, or a list of values"),
        (put(BIN, {"points": 1, "values": []}), "a bin has from and to, or a list of values"),
        (put(BIN, {"points": 1, "values": [1]}), "the values of a bin are texts or booleans"),
        (put(BIN, {"points": 1, "values": ["x"]}), "each value stands in one bin, and every bin h"),
        (put("attributes/1/bins/1/values", ["x"]), "each value stands in one bin, and every bin h"),
        (put("attributes/1/bins/1/values", [True]), "the values of an attribute have one type"),
    ],
)
def test_models_that_are_refused(change: Change, sentence: str) -> None:
    card = model(ranges("a", 0, "10.00", 50, "20.00", 100), {**SEGMENT, "name": "b"})
    Scorecard.parse(raw(card))

    change(card)

    with pytest.raises(PolicyError) as refused:
        Scorecard.parse(raw(card))
    found = [item.sentence for item in refused.value.findings]
    assert any(item.startswith(sentence) for item in found), found


def test_an_empty_bin_is_refused() -> None:
    with pytest.raises(PolicyError, match=r"the bin that ends at 10 is empty"):
        Scorecard.parse(raw(model(ranges("a", 0, "20", 1, "10", 2))))


@pytest.mark.parametrize(
    ("attribute", "sentence"),
    [
        (ranges("zz", 0, "1", 2), 'unknown field "zz"'),
        (ranges("s", 0, "1", 2), 'the bins of "s" do not fit a string'),
        ({**SEGMENT, "name": "n"}, 'the bins of "n" do not fit a number'),
        ({**SEGMENT, "name": "f"}, 'the bins of "f" do not fit a boolean'),
        ({**SEGMENT, "name": "t"}, 'the bins of "t" must hold exactly its enum'),
        ({**SEGMENT, "bins": SEGMENT["bins"][:1]}, 'the bins of "s" must hold exactly its enum'),
        ({**FLAG, "bins": FLAG["bins"][:1]}, 'the bins of "f" must hold exactly its enum'),
    ],
)
def test_models_that_do_not_fit_the_policy(attribute: Json, sentence: str) -> None:
    with pytest.raises(PolicyError) as refused:
        scored(model(attribute))

    assert sentence in [item.sentence for item in refused.value.findings]


def test_a_model_under_a_wrong_key_is_refused() -> None:
    with pytest.raises(PolicyError, match='the scorecard "m" was not given'):
        scored(model(id="other"))
