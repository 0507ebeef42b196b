"""Applications, offers, decisions and the canonical form."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from domain import canonical
from domain.application import Amortization, CreditApplication, IofPayment
from domain.decision import CreditDecision, Outcome, ReasonCode
from domain.errors import (
    AmbiguousError,
    ConflictError,
    CreditError,
    DeadlineExceededError,
    InvalidInputError,
    TransientError,
)
from domain.events import Event, EventType
from domain.money import Money
from domain.offer import Offer, OfferTerms
from domain.person import Person
from domain.policy import CreditPolicy, PolicyRole
from domain.ports.storage import ProjectionRow
from domain.ports.time import Deadline
from domain.ports.truth import DuplicateKeyError
from tests.unit.record.ports import HandClock

APPLICATION = CreditApplication(
    customer_id="c-1", product="personal_loan", amount=Money(5_000_00), term_months=24
)
TERMS = OfferTerms(
    amount=5_000_00,
    term_months=24,
    amortization=Amortization.PRICE,
    monthly_rate=Decimal("0.025"),
    principal=5_150_00,
    iof=150_00,
    instalment=290_00,
    last_instalment=290_01,
    total=6_960_01,
    cet_annual=Decimal("0.3863"),
    cet_monthly=Decimal("0.0276"),
    first_due_on=date(2026, 7, 10),
)
OFFER = Offer(offer_id="o-1", terms=TERMS, expires_at=datetime(2026, 6, 12, tzinfo=UTC))
DECIDED = datetime(2026, 6, 10, tzinfo=UTC)


def decision(**changes: Any) -> CreditDecision:
    fields: dict[str, Any] = {
        "decision_id": "d-1",
        "application": APPLICATION,
        "person_id": "p-1",
        "outcome": Outcome.APPROVED,
        "reasons": (),
        "offers": (OFFER,),
        "decided_at": DECIDED,
    }
    return CreditDecision(**{**fields, **changes})


@pytest.mark.parametrize(
    "changes",
    [{"amount": Money(0)}, {"amount": Money(-1)}, {"term_months": 0}, {"term_months": 481}],
)
def test_an_application_without_sense_cannot_exist(changes: Any) -> None:
    with pytest.raises(InvalidInputError):
        replace(APPLICATION, **changes)


def test_the_canonical_application_leaves_unset_fields_out() -> None:
    plain = APPLICATION.canonical()
    full = replace(
        APPLICATION,
        first_due_on=date(2026, 7, 10),
        external_reference="x",
        iof=IofPayment.PAID_APART,
    ).canonical()

    assert "first_due_on" not in plain
    assert "external_reference" not in plain
    assert full == {
        **plain,
        "first_due_on": "2026-07-10",
        "external_reference": "x",
        "iof": "paid_apart",
    }


def test_an_offer_shows_money_with_two_and_rates_with_four_decimals() -> None:
    shown = OFFER.canonical()

    assert shown["amount"] == "5000.00"
    assert shown["monthly_rate"] == "0.0250"
    assert shown["expires_at"] == "2026-06-12T00:00:00.000Z"
    assert next(iter(shown)) == "offer_id"


@pytest.mark.parametrize(
    "changes",
    [
        {"outcome": Outcome.DECLINED, "offers": ()},
        {"offers": ()},
        {"outcome": Outcome.REFERRED, "reasons": (ReasonCode("R90", "data"),)},
        {"decided_at": DECIDED.replace(tzinfo=None)},
    ],
)
def test_a_decision_that_contradicts_itself_cannot_exist(changes: Any) -> None:
    with pytest.raises(InvalidInputError):
        decision(**changes)


def test_a_decision_that_holds_together_exists() -> None:
    assert decision().outcome is Outcome.APPROVED
    refused = decision(outcome=Outcome.DECLINED, offers=(), reasons=(ReasonCode("R05", "delay"),))
    assert refused.reasons[0].attribute == ""


def test_one_value_has_one_sequence_of_bytes() -> None:
    one = {"b": [1, None, True, "ç"], "a": {"y": (), "x": "1.00"}}
    other = {"a": {"x": "1.00", "y": []}, "b": [1, None, True, "ç"]}

    assert canonical.encode(one) == canonical.encode(other)
    assert canonical.encode(one) == '{"a":{"x":"1.00","y":[]},"b":[1,null,true,"ç"]}'.encode()
    assert canonical.digest(one) == canonical.sha256_text(canonical.encode(other))


@pytest.mark.parametrize(
    "value", [1.0, Decimal(1), {1: "a"}, [float("nan")], {"a": {"b": 2.5}}, object(), b"x", {"a"}]
)
def test_what_has_no_single_text_is_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        canonical.encode(value)


def test_errors_carry_their_code_and_say_what_the_caller_can_do() -> None:
    assert isinstance(DeadlineExceededError("late"), TransientError)
    assert not isinstance(AmbiguousError("?"), TransientError)
    assert ConflictError("no", code="review-closed").code == "review-closed"
    assert ConflictError("no").code == "conflict"
    assert InvalidInputError("no", code="idempotency-key-reused").code == "idempotency-key-reused"
    assert isinstance(DuplicateKeyError("uq"), CreditError)
    assert DuplicateKeyError("uq").key == "uq"


def test_a_deadline_is_shared_and_checked() -> None:
    clock = HandClock()
    deadline = Deadline.after(clock, 10.0)

    assert deadline.share(clock, 0.3).remaining(clock) == pytest.approx(3.0)
    deadline.check(clock)
    clock.move(11.0)
    assert deadline.remaining(clock) == 0.0
    with pytest.raises(DeadlineExceededError):
        deadline.check(clock)


def test_names_of_things_that_are_passed_around() -> None:
    event = Event(
        event_id="e",
        source="cards",
        stream_id="cards/c-1/1",
        incarnation=1,
        source_version=1,
        customer_id="c-1",
        type=EventType.STATEMENT_CLOSED,
        schema_version=1,
        occurred_us=0,
        data={},
        body_hash=b"",
    )
    policy = CreditPolicy(
        policy_id="p", version=1, content_hash="sha256:0", product="personal_loan", title="t"
    )

    assert event.default_person == "c.c-1"
    assert ProjectionRow("c-1", "CUSTOMER_PROFILE", 1, b"").key == ("c-1", "CUSTOMER_PROFILE")
    assert Person(person_id="p").cpf_index == ""
    assert policy.version == 1
    assert PolicyRole("champion") is PolicyRole.CHAMPION
