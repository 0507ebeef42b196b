"""While a loss window is open, nobody is approved whose decisions the ledger lacks."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from decision_engine.commands import CloseReviewCommand
from decision_engine.explain import Explain
from decision_engine.loss_check import CUSTOMERS_MAX, DECISIONS_MAX, PAGE
from decision_engine.loss_statements import CAUSE, StoredWindow
from decision_engine.record.loss import ReadLoss
from decision_engine.replay import ReplayVerdict, replay_stored
from decision_engine.review import Reviews
from domain.canonical import encode
from domain.errors import ConflictError
from domain.instants import epoch_micros, from_epoch_micros, instant_micros
from domain.money import Money
from domain.ports.storage import ProjectionRow
from domain.ports.truth import Begin
from tests.unit.decide.world import (
    AS_OF,
    Engine,
    World,
    application,
    good_profile,
    rulebook,
    stored,
)

OPENED_US = epoch_micros(AS_OF) - 1_000_000
LOST = "0199e7a0-5c3a-7d11-8000-00000000dead"
DAY_US = 86_400_000_000


@pytest.fixture
def world() -> World:
    made = World()
    made.truth.put_profile(good_profile())
    made.truth.put_profile(good_profile("c-2"))
    return made


def open_window(world: World, name: str = "w-1") -> None:
    world.truth.state.windows[name] = StoredWindow(name, OPENED_US, "ana", "restored", "RESTORE")


def release_window(world: World, name: str = "w-1") -> None:
    windows = world.truth.state.windows
    windows[name] = replace(windows[name], released_us=OPENED_US + 1)


def project(world: World, customer: str = "c-1", name: str = LOST, at_us: int = OPENED_US) -> None:
    """Let both stores know a decision, as the handler does."""
    payload = encode({"decision_id": name})
    place = f"DECISION#{instant_micros(from_epoch_micros(at_us))}#{name}"
    world.wide.rows[customer, place] = ProjectionRow(customer, place, 1, payload)
    latest = ProjectionRow(customer, "DECISION_LATEST", at_us, payload)
    world.hot.rows[latest.key] = latest


def decided(world: World, key: str = "k1", customer: str = "c-1", **asked: Any) -> dict[str, Any]:
    recorded = world.run(lambda engine: engine.decide(key, application(customer, **asked)))
    reply: dict[str, Any] = json.loads(recorded.reply)
    return reply


def codes(reply: dict[str, Any]) -> list[str]:
    return [reason["code"] for reason in reply["reasons"]]


def begins_a_batch(world: World, statement: object) -> bool:
    """Tell whether a batch of decisions begins: the lane is open by then."""
    return isinstance(statement, Begin) and bool(world.truth.state.batches)


def finding(world: World, key: str = "k1") -> Any:
    """Return what the evidence of the decision under a key says about the window."""
    row = next(r for r in world.truth.state.decisions.values() if r.idem_key.endswith(key))
    return json.loads(row.evidence).get("loss_window")


def test_a_person_whose_decision_is_missing_is_referred(world: World) -> None:
    project(world)
    open_window(world)

    reply = decided(world)

    assert (reply["outcome"], codes(reply), reply["offers"]) == ("REFERRED", ["R92"], [])
    assert finding(world) == {"windows": ["w-1"], "missing": [LOST], "unread": ""}
    assert world.truth.state.reservations == []
    assert [row.cause for row in world.truth.state.reviews.values()] == [CAUSE]


def test_others_are_served_while_it_is_open(world: World) -> None:
    before = decided(world)
    project(world, name=before["decision_id"])
    open_window(world)

    known, nobody = decided(world, "k2"), decided(world, "k3", "c-2")

    assert [known["outcome"], nobody["outcome"]] == ["APPROVED", "APPROVED"]
    assert finding(world, "k2") == {"windows": ["w-1"], "missing": [], "unread": ""}


@pytest.mark.parametrize("store", ["dynamodb", "keyspaces", "stream", "behind", "garbled"])
def test_everybody_is_referred_while_it_cannot_be_read(world: World, store: str) -> None:
    open_window(world)
    match store:
        case "dynamodb":
            world.hot.away.add("dynamodb")
        case "keyspaces":
            world.wide.away.add("query")
        case "stream":
            world.stream.away = True
        case "behind":
            world.stream.waiting_us = OPENED_US
        case _:
            row = ProjectionRow("c-1", "DECISION_LATEST", 1, b"[]")
            world.hot.rows[row.key] = row

    reply = decided(world)

    assert (reply["outcome"], codes(reply)) == ("REFERRED", ["R92"])
    assert finding(world)["unread"] in {"dynamodb", "keyspaces", "stream"}


def test_a_store_that_never_answers_refers_in_time(world: World) -> None:
    open_window(world)

    async def hanging(*_: object) -> None:
        await asyncio.Event().wait()

    world.hot.read_item = hanging  # type: ignore[assignment]
    recorded = world.run(lambda engine: engine.decide(seconds=0.2))

    assert codes(json.loads(recorded.reply)) == ["R92"]
    assert finding(world)["unread"] == "time"


def test_it_serves_again_once_all_can_be_read(world: World) -> None:
    open_window(world)
    world.stream.waiting_us = OPENED_US
    behind = decided(world)
    world.stream.waiting_us = OPENED_US + 1

    assert (behind["outcome"], decided(world, "k2")["outcome"]) == ("REFERRED", "APPROVED")


def test_a_released_window_changes_nothing(world: World) -> None:
    project(world)
    open_window(world)
    held = decided(world)
    release_window(world)

    free = decided(world, "k2")

    assert (held["outcome"], free["outcome"]) == ("REFERRED", "APPROVED")
    assert finding(world, "k2") is None


def test_asking_again_is_no_way_around_it(world: World) -> None:
    """The decision just referred is the latest now, and in the ledger; the lost one is older."""
    project(world)
    open_window(world)
    first = decided(world)
    project(world, name=first["decision_id"], at_us=OPENED_US + 1_000)

    again = decided(world, "k2")

    assert (again["outcome"], codes(again)) == ("REFERRED", ["R92"])


def test_each_store_alone_is_enough(world: World) -> None:
    project(world)
    project(world, "c-2")
    world.wide.rows = {key: row for key, row in world.wide.rows.items() if key[0] == "c-2"}
    del world.hot.rows["c-2", "DECISION_LATEST"]
    open_window(world)

    only_latest, only_history = decided(world), decided(world, "k2", "c-2")

    assert [codes(only_latest), codes(only_history)] == [["R92"], ["R92"]]


def test_a_decision_of_another_customer_of_the_person_counts(world: World) -> None:
    world.truth.put_profile(good_profile("c-9", person_id=good_profile().person_id))
    project(world, "c-9")
    open_window(world)

    assert codes(decided(world)) == ["R92"]


def test_declines_and_other_referrals_stay_what_they_are(world: World) -> None:
    project(world)
    project(world, "c-unknown")
    without = decided(world, amount=Money(100_00)), decided(world, "k2", "c-unknown")
    open_window(world)

    under = (
        decided(world, "k3", amount=Money(100_00)),
        decided(world, "k4", "c-unknown"),
    )

    assert [each["outcome"] for each in without] == ["DECLINED", "REFERRED"]
    assert [codes(each) for each in under] == [codes(each) for each in without]
    assert "R92" not in codes(under[0])


def test_without_a_window_nothing_else_is_read(world: World) -> None:
    project(world)

    reply = decided(world)

    assert reply["outcome"] == "APPROVED"
    assert world.wide.reads == []
    assert finding(world) is None
    assert world.truth.log.count("ReadOpenWindows") == 0


def test_a_window_opened_while_the_request_was_on_its_way_counts(world: World) -> None:
    project(world)

    def opening(statement: object) -> None:
        # Committed just before the batch begins: too late for any look, not for the transaction.
        if begins_a_batch(world, statement) and not world.truth.state.windows:
            open_window(world)

    world.truth.before = opening

    assert codes(decided(world)) == ["R92"]


def test_a_look_under_another_window_does_not_count(world: World) -> None:
    open_window(world)
    world.losses.expect()

    def replaced(statement: object) -> None:
        if begins_a_batch(world, statement) and "w-2" not in world.truth.state.windows:
            project(world)
            release_window(world)
            open_window(world, "w-2")

    world.truth.before = replaced

    assert codes(decided(world)) == ["R92"]
    assert finding(world)["windows"] == ["w-2"]


def test_a_decision_that_vanishes_after_the_look_counts_as_missing(world: World) -> None:
    before = decided(world)
    project(world, name=before["decision_id"])
    open_window(world)
    world.losses.expect()

    def lost(statement: object) -> None:
        if isinstance(statement, ReadLoss):
            world.truth.state.decisions.clear()

    world.truth.before = lost

    assert codes(decided(world, "k2")) == ["R92"]


def test_a_long_history_is_read_to_its_horizon(world: World) -> None:
    before = decided(world)
    for number in range(PAGE + 1):
        project(world, name=before["decision_id"], at_us=OPENED_US - number)
    project(world, name="older-than-any-backup", at_us=OPENED_US - 36 * DAY_US)
    project(world, name=before["decision_id"])
    open_window(world)
    well = decided(world, "k2")
    project(world, at_us=OPENED_US - 34 * DAY_US)
    project(world, name=before["decision_id"])

    held = decided(world, "k3")

    assert (well["outcome"], codes(held)) == ("APPROVED", ["R92"])


def test_more_than_can_be_looked_into_is_referred(world: World) -> None:
    for number in range(DECISIONS_MAX + 1):
        project(world, name=f"d-{number}", at_us=OPENED_US - number)
    person = good_profile("c-2").person_id
    for number in range(CUSTOMERS_MAX):
        world.truth.put_profile(good_profile(f"x-{number}", person_id=person))
    open_window(world)

    decided(world)
    decided(world, "k2", "c-2")

    assert [finding(world, key)["unread"] for key in ("k1", "k2")] == ["bounds", "bounds"]


@pytest.mark.parametrize("held", [True, False])
def test_it_replays_to_the_same_bytes(world: World, *, held: bool) -> None:
    if held:
        project(world)
    open_window(world)
    decided(world)
    (row,) = world.truth.state.decisions.values()

    replayed = replay_stored(stored(row), rulebook())

    assert row.outcome == ("REFERRED" if held else "APPROVED")
    assert (replayed.verdict, replayed.differences) == (ReplayVerdict.EQUAL, ())


def test_a_changed_finding_is_named(world: World) -> None:
    project(world)
    open_window(world)
    decided(world)
    (row,) = world.truth.state.decisions.values()
    facts = json.loads(row.evidence)
    facts["loss_window"]["missing"] = []
    facts["status"] = "present"

    replayed = replay_stored(replace(stored(row), evidence=encode(facts)), rulebook())

    assert replayed.verdict is ReplayVerdict.DIFFERENT
    assert "result.outcome" in replayed.differences


@pytest.mark.parametrize(
    ("language", "text"), [("pt-BR", "enquanto conferimos"), ("en", "while we check our records")]
)
def test_it_is_explained_in_both_languages(world: World, language: str, text: str) -> None:
    project(world)
    open_window(world)
    name = decided(world)["decision_id"]

    explain = Explain(world.truth, world.rulebooks)
    found: Any = asyncio.run(explain(name, language, world.deadline()))

    (reason,) = found["reasons"]
    assert reason["code"] == "R92"
    assert text in reason["text"]


def close(world: World, review_id: str, outcome: str) -> dict[str, Any]:
    command = CloseReviewCommand(
        review_id=review_id,
        client_id="reviewer",
        idem_key=outcome,
        command_hash=outcome,
        outcome=outcome,
        reasons=("R12",),
        note="",
        language="en",
        deadline=world.deadline(),
    )
    recorded = world.run(
        lambda engine: Reviews(world.truth, engine.approval, world.clock, world.ids).close(command)
    )
    reply: dict[str, Any] = json.loads(recorded.reply)
    return reply


def test_a_reviewer_cannot_approve_before_it_is_released(world: World) -> None:
    project(world)
    open_window(world)
    case = decided(world)["review_id"]

    with pytest.raises(ConflictError) as caught:
        close(world, case, "APPROVED")
    release_window(world)

    assert caught.value.code == "review-not-decidable"
    assert close(world, case, "APPROVED")["outcome"] == "APPROVED"


def test_a_reviewer_may_decline_under_it(world: World) -> None:
    project(world)
    open_window(world)
    case = decided(world)["review_id"]

    assert close(world, case, "DECLINED")["outcome"] == "DECLINED"


def test_many_at_once_are_each_told_apart(world: World) -> None:
    project(world)
    open_window(world)

    async def both(engine: Engine) -> list[Any]:
        asked = [engine.decide("k1"), engine.decide("k2", application("c-2"))]
        return list(await asyncio.gather(*asked))

    held, free = (json.loads(each.reply) for each in world.run(both))

    assert (codes(held), free["outcome"]) == (["R92"], "APPROVED")
