"""Ranked reasons: what fired, in order, one per family, never the bare score."""

from typing import Any

import pytest

from decision_engine.policy.evaluation import Evaluation, RuleResult
from decision_engine.policy.findings import PolicyError
from decision_engine.policy.reason_table import ReasonTable, check_codes, language_of
from decision_engine.policy.reasons import Reason, State, rank_reasons
from decision_engine.policy.scorecard import Loss, Scorecard
from domain.canonical import sha256_text
from tests.unit.policy.build import Json, compiled, custom, model, ranges, raw, rules
from tests.unit.policy.test_refusals import Change, put

TEXTS: Json = {"text": {"pt-BR": "Falta {attribute}", "en": "{attribute} is missing"}}


def code(family: str, priority: int, **more: Any) -> Json:
    shared = {"internal": "why", "help": "ajuda", **TEXTS}
    return {"family": family, "priority": priority, **shared, **more}


TABLE: Json = {
    "id": "reasons",
    "version": 2,
    "description": "for tests",
    "codes": {
        "R05": code("delay", 10),
        "R06": code("bureau", 20),
        "R07": code("bureau", 20),
        "R08": code("limit", 20),
        "R12": code("affordability", 1),
        "R13": code("affordability", 2),
        "R20": code("score", 50, expand="score"),
        "R31": code("delay", 0),
        "R32": code("use", 0),
        "R33": code("use", 0),
        "R34": code("term", 0),
        "R94": code("data", 5),
        "R95": code("data", 5),
    },
}
REASONS = ReasonTable.parse(raw(TABLE))
LOSSES = (
    Loss("x", "R31", "delay", 0, 40),
    Loss("y", "R32", "use", 5, 30),
    Loss("z", "R33", "use", 5, 50),
    Loss("w", "R34", "term", 9, 0),
)


def hit(code: str, effect: Any = "decline") -> RuleResult:
    return RuleResult(f"rule-{code}", code, effect, "hit")


def unknown(*names: str, effect: Any = "decline", on_missing: Any = "refer") -> RuleResult:
    return RuleResult("u", "R06", effect, "not_evaluable", names, on_missing)


def codes(
    outcome: str,
    *results: RuleResult,
    losses: tuple[Loss, ...] = (),
    states: dict[str, State] | None = None,
    **more: Any,
) -> list[tuple[str, str]]:
    blank: Json = {"values": {}, "bits": b"", "uncovered": (), "missing": {}, **more}
    evaluation = Evaluation.of(results=results, losses=losses, **blank)
    found = rank_reasons(evaluation, REASONS, outcome, states)
    return [(item.code, item.attribute) for item in found]


def test_hard_rules_then_affordability_then_the_scores_fields() -> None:
    found = codes("DECLINED", hit("R20"), hit("R13"), hit("R08"), hit("R05"), losses=LOSSES)

    # R31 is of the family that R05 already spoke for, R32 of R33's.
    assert found == [("R05", ""), ("R08", ""), ("R13", ""), ("R33", "z")]


def test_ties_go_by_code_and_a_family_speaks_once() -> None:
    assert codes("DECLINED", hit("R08"), hit("R07"), hit("R06")) == [("R06", ""), ("R08", "")]
    assert codes("DECLINED", hit("R13"), hit("R12")) == [("R12", "")]


def test_the_score_alone_is_no_reason() -> None:
    assert codes("DECLINED", hit("R20"), losses=LOSSES) == [("R33", "z"), ("R31", "x")]


def test_a_score_without_losses_keeps_its_code() -> None:
    assert codes("DECLINED", hit("R20"), losses=LOSSES[3:]) == [("R20", "")]


def test_an_approval_has_no_reasons() -> None:
    assert codes("APPROVED", hit("R05")) == []


def test_what_did_not_fire_is_no_reason() -> None:
    assert codes("DECLINED", RuleResult("r", "R05", "decline", "no_hit")) == []


def test_what_made_the_outcome_comes_first() -> None:
    both = (hit("R05", "refer"), hit("R12", "reduce"), hit("R06", "decline"))

    assert codes("DECLINED", *both) == [("R06", ""), ("R12", ""), ("R05", "")]
    assert codes("COUNTER_OFFER", *both) == [("R12", ""), ("R05", ""), ("R06", "")]
    assert codes("REFERRED", *both) == [("R05", ""), ("R06", ""), ("R12", "")]


def test_missing_data_is_named_attribute_by_attribute() -> None:
    states: dict[str, State] = {"b": "stale", "c": "invalid"}
    found = codes("REFERRED", unknown("a", "b", "c"), hit("R08", "refer"), states=states)

    assert found == [("R94", "a"), ("R94", "c"), ("R95", "b"), ("R08", "")]
    assert codes("DECLINED", unknown("a"), hit("R08")) == [("R08", ""), ("R94", "a")]
    declined = unknown("a", on_missing="decline")
    assert codes("DECLINED", declined, hit("R08")) == [("R94", "a"), ("R08", "")]


def test_a_referral_names_what_no_rule_read() -> None:
    found = codes("REFERRED", missing={"cap": ("a",), "rate": ()}, uncovered=("PRICE",))

    assert found == [("R94", ""), ("R94", "a")]
    assert codes("REFERRED", unknown()) == [("R94", "")]
    assert codes("DECLINED", hit("R05"), missing={"cap": ("a",)}) == [("R05", "")]


def test_a_reason_says_what_is_behind_it() -> None:
    results = (hit("R05"), hit("R20"))
    blank: Json = {"values": {}, "bits": b"", "uncovered": (), "missing": {}}
    evaluation = Evaluation.of(results=results, losses=LOSSES[2:3], **blank)

    assert rank_reasons(evaluation, REASONS, "DECLINED") == (
        Reason("R05", "delay", "", "rule-R05", None),
        Reason("R33", "use", "z", "", 50),
    )


def test_a_code_that_the_table_lacks_is_an_error() -> None:
    with pytest.raises(PolicyError, match="the reason table has no code R99"):
        codes("DECLINED", hit("R99"))


def test_texts() -> None:
    entry = REASONS["R94"]

    assert entry.text("pt-BR", "renda") == "Falta renda"
    assert entry.text("en", "income") == "income is missing"
    assert entry.help("en") == entry.help("pt-BR") == "ajuda"
    assert REASONS.hash == sha256_text(raw(TABLE))
    assert (REASONS.id, REASONS.version) == ("reasons", 2)


def test_every_tag_has_a_language() -> None:
    assert [language_of(tag) for tag in ("en", "pt-BR", "fr", "")] == ["en", *["pt-BR"] * 3]


def test_codes_of_a_policy_are_in_the_table() -> None:
    attributes = (ranges("a", 0, "1", 9, code="R31", family="delay"), ranges("b", 0, "1", 9))
    policy = compiled(
        custom("c", "scorecard", {"model": "m"}),
        rules(("k", "score.pd > 0.5", "refer")),
        models=(Scorecard.parse(raw(model(*attributes))),),
    )
    other = (ranges("a", 0, "1", 9, code="R31", family="other"),)
    misfiled = compiled(
        custom("c", "scorecard", {"model": "m"}),
        models=(Scorecard.parse(raw(model(*other))),),
    )

    assert [f"{i.pointer}: {i.sentence}" for i in check_codes(policy, REASONS)] == [
        "/k: the reason table has no code C-k",
        "/m/b: the reason table has no code S-b",
    ]
    assert [i.sentence for i in check_codes(misfiled, REASONS)] == [
        "the code R31 is of the family delay in the table"
    ]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (put("x", 1), 'a reason table has the unknown field "x"'),
        (put("id", ""), 'a reason table needs "id", a text'),
        (put("version", "1"), "version must be a whole number from 1 to 1000000000"),
        (put("codes", []), "codes must be an object"),
        (put("codes/R05", 1), "a code must be an object"),
        (put("codes/r05", code("x", 1)), "a code is capital letters, digits and _, like R05"),
        (put("codes/R05/x", 1), 'a code has the unknown field "x"'),
        (put("codes/R05/priority", -1), "priority must be a whole number from 0 to 1000000"),
        (put("codes/R05/family", ""), 'a code needs "family", a text'),
        (put("codes/R05/internal", ""), 'a code needs "internal", a text'),
        (put("codes/R05/expand", "all"), 'expand can only be "score"'),
        (put("codes/R05/text", {"en": "x"}), 'text must be a text, or an object with "pt-BR" and'),
        (put("codes/R05/help", None), 'help must be a text, or an object with "pt-BR" and "en"'),
        (lambda table: table["codes"].pop("R94"), "the code R94 must be in the table: it names"),
    ],
)
def test_tables_that_are_refused(change: Change, sentence: str) -> None:
    broken = {**TABLE, "codes": {key: dict(value) for key, value in TABLE["codes"].items()}}

    change(broken)

    with pytest.raises(PolicyError) as refused:
        ReasonTable.parse(raw(broken))
    found = [item.sentence for item in refused.value.findings]
    assert any(item.startswith(sentence) for item in found), found
