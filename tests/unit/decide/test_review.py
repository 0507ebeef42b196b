"""Cases for people: opened, listed, closed once, and never a way around the rules."""

import json
from dataclasses import replace
from typing import Any

import pytest

from decision_engine.archive import InsertKey
from decision_engine.commands import CloseReviewCommand, Created, Recorded, RequestReviewCommand
from decision_engine.decide import CreditApproval
from decision_engine.replay import Replay, ReplayVerdict
from decision_engine.review import ReviewQuery, Reviews
from domain.errors import ConflictError, GoneError, InvalidInputError, NotFoundError
from domain.money import Money
from domain.ports.truth import DuplicateKeyError
from tests.unit.decide.world import (
    CLIENT,
    Engine,
    World,
    application,
    good_profile,
    grey_profile,
)
from tests.unit.record.memory_truth import Fault


@pytest.fixture
def world() -> World:
    made = World()
    made.truth.put_profile(good_profile())
    return made


def reviews(world: World, approval: CreditApproval) -> Reviews:
    return Reviews(world.truth, approval, world.clock, world.ids)


def decided(world: World, **asked: Any) -> dict[str, Any]:
    recorded = world.run(lambda engine: engine.decide(asked=application(**asked)))
    reply: dict[str, Any] = json.loads(recorded.reply)
    return reply


def close(world: World, review_id: str, outcome: str = "APPROVED", key: str = "r1") -> Recorded:
    command = CloseReviewCommand(
        review_id=review_id,
        client_id="reviewer",
        idem_key=key,
        command_hash=outcome,
        outcome=outcome,
        reasons=("R05",) if outcome == "DECLINED" else (),
        note="seen the payslip",
        language="en",
        deadline=world.deadline(),
    )
    recorded: Recorded = world.run(lambda e: reviews(world, e.approval).close(command))
    return recorded


def request(world: World, decision_id: str, key: str = "q1", command: str = "h") -> Created:
    asked = RequestReviewCommand(
        decision_id=decision_id,
        client_id=CLIENT,
        idem_key=key,
        command_hash=command,
        note="",
        deadline=world.deadline(),
    )
    created: Created = world.run(lambda e: reviews(world, e.approval).request(asked))
    return created


def listed(world: World) -> list[dict[str, Any]]:
    query = ReviewQuery(limit=10, before=None, state="", deadline=world.deadline())
    page = world.run(lambda e: reviews(world, e.approval).page(query))
    items: list[dict[str, Any]] = page.items
    return items


def test_a_referred_decision_opens_a_case(world: World) -> None:
    reply = decided(world, customer_id="c-unknown")

    (case,) = listed(world)
    assert (case["decision_id"], case["state"]) == (reply["decision_id"], "OPEN")


def test_a_person_may_ask_for_a_review_once_a_key(world: World) -> None:
    reply = decided(world)

    first = request(world, reply["decision_id"])
    again = request(world, reply["decision_id"])
    other = request(world, reply["decision_id"], key="q2")

    assert (first.status, first.replayed, again.replayed) == (201, False, True)
    assert again.body == first.body
    assert json.loads(other.body)["review_id"] == json.loads(first.body)["review_id"]
    assert len(listed(world)) == 1


def test_another_request_under_the_key_is_refused(world: World) -> None:
    reply = decided(world)
    request(world, reply["decision_id"])

    with pytest.raises(InvalidInputError):
        request(world, reply["decision_id"], command="other")


def test_a_review_of_nothing_is_not_found(world: World) -> None:
    with pytest.raises(NotFoundError):
        request(world, "nobody")
    with pytest.raises(NotFoundError):
        close(world, "nobody")


def test_a_reviewer_approves_by_a_new_decision(world: World) -> None:
    reply = decided(world)
    case = json.loads(request(world, reply["decision_id"]).body)

    closed = close(world, case["review_id"])

    made = json.loads(closed.reply)
    assert made["outcome"] == "APPROVED"
    assert made["reviewed_decision"] == reply["decision_id"]
    assert made["decision_id"] != reply["decision_id"]
    assert listed(world)[0]["state"] == "CLOSED"
    assert close(world, case["review_id"]).replayed


def test_a_reviewer_declines_with_reasons(world: World) -> None:
    reply = decided(world)
    case = json.loads(request(world, reply["decision_id"]).body)

    made = json.loads(close(world, case["review_id"], "DECLINED").reply)

    assert made["outcome"] == "DECLINED"
    assert made["reasons"][0]["code"] == "R05"
    assert made["reasons"][0]["family"] == "review"


def test_a_case_is_closed_once(world: World) -> None:
    reply = decided(world)
    case = json.loads(request(world, reply["decision_id"]).body)
    close(world, case["review_id"])

    with pytest.raises(ConflictError):
        close(world, case["review_id"], key="r2")


def test_a_reviewer_cannot_approve_what_is_missing(world: World) -> None:
    world.truth.put_profile(good_profile(slots={}))
    reply = decided(world)

    with pytest.raises(ConflictError) as refused:
        close(world, reply["review_id"])

    assert refused.value.code == "review-not-decidable"
    assert listed(world)[0]["state"] == "OPEN"


def test_a_reviewer_cannot_approve_over_the_limit(world: World) -> None:
    async def use_up(engine: Engine) -> None:
        for n in range(5):
            await engine.decide(f"k{n}", application(amount=Money(9_000_00), term_months=60))

    world.run(use_up)
    last = max(world.truth.state.decisions.values(), key=lambda row: row.decision_id)
    case = json.loads(request(world, last.decision_id).body)

    assert json.loads(close(world, case["review_id"]).reply)["outcome"] != "APPROVED"


def test_an_erased_decision_cannot_be_reviewed(world: World) -> None:
    reply = decided(world)
    case = json.loads(request(world, reply["decision_id"]).body)
    rows = world.truth.state.decisions
    rows.update({key: replace(row, evidence=None) for key, row in rows.items()})  # type: ignore[arg-type]

    with pytest.raises(GoneError):
        close(world, case["review_id"])


def test_a_rival_under_the_same_key_is_told_to_wait(world: World) -> None:
    reply = decided(world)
    world.truth.faults.append(Fault(InsertKey, 1, DuplicateKeyError("idempotency_keys")))

    with pytest.raises(ConflictError) as refused:
        request(world, reply["decision_id"])

    assert refused.value.code == "request-in-progress"


def test_a_reviewed_decision_replays_equal(world: World) -> None:
    reply = decided(world)
    case = json.loads(request(world, reply["decision_id"]).body)
    closed = close(world, case["review_id"])
    replay = Replay(world.truth, world.rulebooks)

    found = world.run(lambda _: replay(closed.decision_id, world.deadline()))

    assert found.verdict is ReplayVerdict.EQUAL


def test_a_referral_that_was_hit_can_be_waived(world: World) -> None:
    world.truth.put_profile(grey_profile())
    reply = decided(world, amount=Money(1_000_00))
    assert reply["outcome"] == "REFERRED"
    assert reply["reasons"][0]["code"] == "R21"

    made = json.loads(close(world, reply["review_id"]).reply)

    assert made["outcome"] == "APPROVED"
