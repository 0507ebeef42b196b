"""Deciding again from evidence alone, and naming exactly what differs."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from adapters.bootstrap.shipped import personal_loan
from decision_engine import rulebook as rulebook_module
from decision_engine.archive import StoredDecision
from decision_engine.evidence import Evidence, value_of
from decision_engine.explain import Explain
from decision_engine.replay import Replay, Replayed, ReplayVerdict, replay_evidence, replay_stored
from decision_engine.rulebook import Artifacts, Rulebook, build_rulebook
from domain.canonical import encode
from domain.errors import GoneError, NotFoundError, PermanentError
from domain.money import Money
from tests.unit.decide.world import World, application, good_profile, rulebook, stored


def decided(asked: Any = None, profile: Any = None) -> tuple[World, StoredDecision]:
    world = World()
    world.truth.put_profile(profile or good_profile())
    world.run(lambda engine: engine.decide(asked=asked))
    (row,) = world.truth.state.decisions.values()
    return world, stored(row)


WORLD, APPROVED = decided()
COUNTERED = decided(application(amount=Money(45_000_00)))[1]
REFERRED = decided(application("c-unknown"))[1]


def facts_of(row: StoredDecision) -> dict[str, Any]:
    assert row.evidence is not None
    facts: dict[str, Any] = json.loads(row.evidence)
    return facts


def changed(row: StoredDecision, change: Callable[[dict[str, Any]], object]) -> StoredDecision:
    facts = facts_of(row)
    change(facts)
    return replace(row, evidence=encode(facts))


def altered_rules(**parts: tuple[str, str]) -> Rulebook:
    """Return a rulebook with a text of its policy or tables replaced."""
    shipped = personal_loan()
    texts = {
        "policy": shipped.policy,
        "iof": shipped.iof,
        "funding": shipped.funding,
        "reasons": shipped.reasons,
    }
    for name, (old, new) in parts.items():
        assert old.encode() in texts[name], name
        texts[name] = texts[name].replace(old.encode(), new.encode(), 1)
    return build_rulebook(Artifacts(models=shipped.models, **texts), "2026.1")


@pytest.mark.parametrize("row", [APPROVED, COUNTERED, REFERRED])
def test_what_was_recorded_replays_equal(row: StoredDecision) -> None:
    replayed = replay_stored(row, rulebook())

    assert replayed.verdict is ReplayVerdict.EQUAL
    assert replayed.stored_hash == replayed.replayed_hash
    assert replayed.differences == ()


@pytest.mark.parametrize("name", sorted(facts_of(APPROVED)["inputs"]))
def test_a_changed_input_is_named(name: str) -> None:
    def change(facts: dict[str, Any]) -> None:
        held = facts["inputs"][name]
        held[1] = "2" if held[1] != "2" else "3"

    replayed = replay_stored(changed(APPROVED, change), rulebook())

    assert replayed.verdict is ReplayVerdict.DIFFERENT
    assert f"inputs.{name}" in replayed.differences
    assert "content_hash" in replayed.differences


def test_a_changed_result_is_named() -> None:
    def change(facts: dict[str, Any]) -> None:
        facts["result"]["outcome"] = "DECLINED"

    differences = replay_stored(changed(APPROVED, change), rulebook()).differences

    assert "result.outcome" in differences
    assert "columns.outcome" in differences


def test_a_changed_exposure_and_a_changed_column_are_named() -> None:
    def change(facts: dict[str, Any]) -> None:
        facts["exposure"] = [["d", 100, 10]]

    assert "exposure" in replay_stored(changed(APPROVED, change), rulebook()).differences
    other = replace(APPROVED, amount=1)
    assert replay_stored(other, rulebook()).differences == ("columns.amount",)


def test_an_altered_reply_is_named() -> None:
    assert APPROVED.reply is not None
    other = replace(APPROVED, reply=APPROVED.reply.replace(b"5000.00", b"5000.01"))

    assert "reply" in replay_stored(other, rulebook()).differences


@pytest.mark.parametrize(
    ("parts", "names"),
    [
        ({"policy": (">= 3", ">= 4")}, {"manifest.policy", "rules.late-now"}),
        ({"policy": ("< 600", "< 601")}, {"manifest.policy", "rules.residual-income"}),
        ({"policy": ("personal-loan", "personal-loam")}, {"manifest.policy"}),
        ({"iof": ("0.000082", "0.000083")}, {"manifest.iof"}),
        ({"funding": ("0.15", "0.16")}, {"manifest.funding", "tables.funding"}),
    ],
)
def test_an_altered_rule_or_rate_is_named(parts: Any, names: set[str]) -> None:
    replayed, _ = replay_evidence(APPROVED.evidence or b"", altered_rules(**parts))

    assert names <= set(replayed.differences)
    assert replayed.verdict is ReplayVerdict.DIFFERENT


def test_another_engine_with_the_same_results_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rulebook_module, "ENGINE_VERSION", "2")
    # Another engine is another process: it has a rulebook, and a manifest, of its own.
    other = replace(rulebook())

    assert replay_stored(APPROVED, other).verdict is ReplayVerdict.EQUAL_OTHER_ENGINE


def test_more_marks_than_entries_are_a_difference() -> None:
    def change(facts: dict[str, Any]) -> None:
        facts["result"]["marks"] += "abcdef"

    assert "trace.length" in replay_stored(changed(APPROVED, change), rulebook()).differences


def test_evidence_that_is_not_canonical_is_different() -> None:
    assert APPROVED.evidence is not None
    replayed, _ = replay_evidence(APPROVED.evidence + b" ", rulebook())

    assert replayed.differences == ("evidence",)


@pytest.mark.parametrize("raw", [b"", b"[]", b"{}", b'{"evidence":2}'])
def test_bytes_that_are_no_evidence_are_refused(raw: bytes) -> None:
    with pytest.raises(PermanentError):
        Evidence.parse(raw)


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        (None, "number", None),
        ("true", "boolean", True),
        ("false", "boolean", False),
        ("maybe", "boolean", "maybe"),
        ("x", "string", "x"),
        ("x", "number", "x"),
        ("٥", "number", "٥"),
        ("1E+2", "number", "1E+2"),
    ],
)
def test_values_come_back_from_their_texts(text: Any, kind: str, value: object) -> None:
    assert value_of(text, kind) == value


def run(world: World, work: Any) -> Any:
    return world.run(lambda _: work)


def test_replay_by_id() -> None:
    replay = Replay(WORLD.truth, WORLD.rulebooks)
    replayed: Replayed = run(WORLD, replay(APPROVED.decision_id, WORLD.deadline()))

    assert replayed.canonical()["verdict"] == "EQUAL"
    assert replayed.canonical()["differences"] == []


def test_what_is_not_there_or_erased_is_told_apart() -> None:
    world, row = decided()
    replay = Replay(world.truth, world.rulebooks)
    with pytest.raises(NotFoundError):
        run(world, replay("nobody", world.deadline()))
    rows = world.truth.state.decisions
    rows.update({key: replace(held, evidence=None) for key, held in rows.items()})  # type: ignore[arg-type]

    erased: Replayed = run(world, replay(row.decision_id, world.deadline()))

    assert erased.verdict is ReplayVerdict.ERASED
    with pytest.raises(GoneError):
        run(world, Explain(world.truth, world.rulebooks)(row.decision_id, "en", world.deadline()))


def test_rules_that_are_not_held_cannot_replay() -> None:
    world, row = decided()
    world.rulebooks.artifacts.clear()

    with pytest.raises(PermanentError):
        run(world, Replay(world.truth, world.rulebooks)(row.decision_id, world.deadline()))


@pytest.mark.parametrize("language", ["pt-BR", "en"])
def test_an_explanation_names_rules_sources_and_what_would_help(language: str) -> None:
    world, row = decided(application(amount=Money(45_000_00)))
    explain = Explain(world.truth, world.rulebooks)
    found = run(world, explain(row.decision_id, language, world.deadline()))

    assert found["outcome"] == "COUNTER_OFFER"
    assert found["reasons"][0]["what_would_help"]
    conditions = [c for rule in found["rules"] for c in rule["conditions"]]
    assert any("aurora" in condition["sources"] for condition in conditions)
    assert any("ledger" in condition["sources"] for condition in conditions)
    assert any("policy" in condition["sources"] for condition in conditions)
    assert any(condition["distance"] for condition in conditions)
    assert found["attributes"]["income.monthly"]["state"] == "ok"


def test_an_explanation_without_rules_for_one_who_is_unknown() -> None:
    world, row = decided(application("c-unknown"))
    found = run(
        world, Explain(world.truth, world.rulebooks)(row.decision_id, "en", world.deadline())
    )

    assert found["rules"] == []
    assert found["reasons"][0]["code"] == "R90"


def test_a_story_that_did_not_decide_is_not_told() -> None:
    world, row = decided()
    rows = world.truth.state.decisions

    def change(facts: dict[str, Any]) -> None:
        facts["inputs"]["income.monthly"][1] = "9000.00"

    evidence = changed(row, change).evidence
    rows.update({key: replace(held, evidence=evidence or b"") for key, held in rows.items()})

    with pytest.raises(PermanentError):
        run(world, Explain(world.truth, world.rulebooks)(row.decision_id, "en", world.deadline()))
