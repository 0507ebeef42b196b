"""What the shipped policy says to a case, and that it never approves on what it does not know."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from decision_engine.assess_again import assess_again
from decision_engine.case import CreditCase
from decision_engine.exposure import NO_EXPOSURE, Commitment, Exposure
from decision_engine.policy.evaluation import Evaluation
from decision_engine.snapshot import Attribute, Attributes, InputField, State, attribute_text, judge
from domain.decision import Outcome
from domain.features import Feature
from domain.money import Money
from tests.unit.decide.world import AS_OF, application, case, good_profile, rulebook, us

READ = [
    field.name
    for field in rulebook().fields
    if not field.name.startswith(("application.", "exposure."))
]


def outcome(given: CreditCase, exposure: Exposure = NO_EXPOSURE) -> Outcome:
    return given.assess(exposure).outcome


def with_attribute(given: CreditCase, name: str, attribute: Attribute) -> CreditCase:
    attributes = {**given.snapshot.attributes, name: attribute}
    return replace(given, snapshot=replace(given.snapshot, attributes=Attributes(attributes)))


def damaged(given: CreditCase, name: str, state: State) -> CreditCase:
    """Return the case with one attribute missing, of a wrong type, or a year and more old."""
    held = given.snapshot.attributes[name]
    field = next(field for field in rulebook().fields if field.name == name)
    feature = {
        "missing": Feature(None, None),
        "invalid": Feature("not a number", held.observed_us),
        "stale": Feature(held.value, us(366)),
    }[state]
    attribute = judge(field, feature, AS_OF)
    assert attribute.state == state
    return with_attribute(given, name, attribute)


def test_a_good_customer_is_approved_as_asked() -> None:
    proposal = case(good_profile()).assess(NO_EXPOSURE)

    assert proposal.outcome is Outcome.APPROVED
    assert [offer.amount for offer in proposal.offers] == [5_000_00]
    assert proposal.reasons == ()
    assert proposal.band


@pytest.mark.parametrize("state", ["missing", "invalid", "stale"])
@pytest.mark.parametrize("name", READ)
def test_an_attribute_that_cannot_be_used_never_approves(name: str, state: State) -> None:
    whole = case(good_profile())
    proposal = damaged(whole, name, state).assess(NO_EXPOSURE)

    assert proposal.outcome in {Outcome.REFERRED, Outcome.DECLINED}
    assert any(reason.attribute == name for reason in proposal.reasons)
    assert {reason.code for reason in proposal.reasons if reason.attribute == name} == {
        "R95" if state == "stale" else "R94"
    }
    restored = with_attribute(damaged(whole, name, state), name, whole.snapshot.attributes[name])
    assert outcome(restored) is Outcome.APPROVED


def test_every_attribute_of_the_policy_is_read_from_the_profile() -> None:
    assert len(READ) >= 10
    assert all(held.state == "ok" for held in case(good_profile()).snapshot.attributes.values())


@pytest.mark.parametrize(
    ("profile", "code"),
    [
        (None, "R90"),
        (good_profile(incomplete=True), "R93"),
        (good_profile(slots={}), "R94"),
        (good_profile(income_age=366), "R95"),
    ],
)
def test_what_cannot_be_read_is_referred(profile: Any, code: str) -> None:
    proposal = case(profile).assess(NO_EXPOSURE)

    assert proposal.outcome is Outcome.REFERRED
    assert proposal.reasons[0].code == code
    assert proposal.offers == ()


def test_a_loss_window_refers_everybody_it_covers() -> None:
    given = case(good_profile())
    windowed = replace(given, snapshot=replace(given.snapshot, status="loss_window"))

    assert windowed.assess(NO_EXPOSURE).reasons[0].code == "R92"


def test_three_months_late_is_declined_whatever_else_is_missing() -> None:
    proposal = case(good_profile(late=3, slots={})).assess(NO_EXPOSURE)

    assert proposal.outcome is Outcome.DECLINED
    assert proposal.reasons[0].code == "R05"


def test_too_much_becomes_a_counter_offer_that_is_no_worse_and_no_more() -> None:
    asked = application(amount=Money(45_000_00), term_months=12)
    proposal = case(good_profile(), asked).assess(NO_EXPOSURE)

    assert proposal.outcome is Outcome.COUNTER_OFFER
    assert proposal.reasons
    for offer in proposal.offers:
        assert offer.amount <= 45_000_00
        again = application(amount=Money(offer.amount), term_months=offer.term_months)
        approved = case(good_profile(), again).assess(NO_EXPOSURE)
        assert approved.outcome is Outcome.APPROVED
        assert approved.offers[0].monthly_rate <= offer.monthly_rate


def test_more_than_the_product_gives_is_answered_with_the_product_at_most() -> None:
    rich = {
        "income/crm": replace(
            good_profile().slots["income/crm"], data={"monthly": 90_000_00, "basis": "verified"}
        )
    }
    asked = application(amount=Money(80_000_00), term_months=60)
    proposal = case(good_profile(slots=rich), asked).assess(NO_EXPOSURE)

    assert proposal.outcome is Outcome.COUNTER_OFFER
    assert proposal.offers[0].amount == 50_000_00
    assert proposal.offers[0].term_months == 60


def test_exposure_uses_the_limit_up() -> None:
    held = Exposure((Commitment("d", 1_000_000_00, 1_00),))
    proposal = case(good_profile()).assess(held)

    assert proposal.outcome is Outcome.DECLINED
    assert proposal.reasons[0].code == "R12"
    assert proposal.exposure == held


def test_a_loan_that_cannot_be_priced_is_referred_and_never_approved() -> None:
    given = case(good_profile())
    early = replace(given, snapshot=replace(given.snapshot, as_of=AS_OF.replace(year=2014)))

    proposal = early.assess(NO_EXPOSURE)

    assert proposal.outcome is Outcome.REFERRED
    assert proposal.offers == ()


def test_an_income_of_another_kind_of_value_does_not_reach_the_policy() -> None:
    slot = replace(
        good_profile().slots["income/crm"], data={"monthly": "5000", "basis": "verified"}
    )
    proposal = case(good_profile(slots={"income/crm": slot})).assess(NO_EXPOSURE)

    assert proposal.outcome is Outcome.REFERRED


def test_the_amount_in_reais_reaches_the_policy_exactly() -> None:
    assessor = case(good_profile()).assessor(NO_EXPOSURE)

    assert assessor.inputs(1_23, 6)["application.amount"] == Decimal("1.23")


def test_a_price_without_numbers_has_no_outputs() -> None:
    assessor = case(good_profile()).assessor(NO_EXPOSURE)
    arguments: dict[str, Any] = dict.fromkeys(
        ("amount", "term_months", "pd", "minimum_rate", "maximum_rate"), "much"
    )

    assert assessor.price(arguments) == {}


def test_a_policy_that_leaves_the_band_open_refers() -> None:
    given = case(good_profile())
    rules = given.rulebook
    bandless = replace(given, rulebook=replace(rules, compiled=Bandless(rules.compiled)))  # type: ignore[arg-type]

    proposal = bandless.assess(NO_EXPOSURE)

    assert proposal.outcome is Outcome.REFERRED
    assert proposal.reasons[0].code == "R96"


class Bandless:
    """A compiled policy that forgets the band, as a faulty one might."""

    def __init__(self, compiled: Any) -> None:
        self._compiled = compiled

    def __getattr__(self, name: str) -> Any:
        return getattr(self._compiled, name)

    def evaluate(self, inputs: Any, functions: Any) -> Any:
        found = self._compiled.evaluate(inputs, functions)
        return Evaluation.of(
            values={**found.values, "band.name": None},
            results=found.results,
            bits=found.bits,
            losses=found.losses,
            uncovered=found.uncovered,
            missing=found.missing,
        )


def test_a_value_without_a_date_is_stale_where_age_matters() -> None:
    dated = InputField("x", "number", 45, lambda value: value)  # type: ignore[arg-type,return-value]
    undated = replace(dated, max_age_days=None)
    value = Feature(Decimal(1), None)

    assert judge(dated, value, AS_OF).state == "stale"
    assert judge(undated, value, AS_OF).state == "ok"


def test_values_have_one_text() -> None:
    texts = [attribute_text(value) for value in (None, "x", True, False, Decimal("1.50"))]

    assert texts == [None, "x", "true", "false", "1.50"]


def test_a_policy_without_a_model_names_none() -> None:
    given = case(good_profile())
    rules = replace(given.rulebook, compiled=replace(given.rulebook.compiled, models={}))
    modelless = replace(given, rulebook=rules)

    assert "model" not in modelless.reply_text(given.assess(NO_EXPOSURE), "en")


def test_a_newer_profile_replaces_what_was_read() -> None:
    newer = case(good_profile()).with_profile(good_profile(profile_version=13, slots={}))

    assert newer.profile_version == 13
    assert newer.assess(NO_EXPOSURE).outcome is Outcome.REFERRED
    assert case(good_profile()).with_profile(None).assess(NO_EXPOSURE).reasons[0].code == "R90"


@pytest.mark.parametrize("amount", [5_000_00, 45_000_00])
@pytest.mark.parametrize("held", [100_00, 30_000_00, 1_000_000_00])
def test_what_is_remembered_is_what_would_be_worked_out(amount: int, held: int) -> None:
    exposure = Exposure((Commitment("d", held, held // 40),))
    asked = application(amount=Money(amount), external_reference="first")
    given = case(good_profile(), asked)
    worked_out = given.assessor(exposure).assess()

    for reference in ("second", None):
        other = replace(given, application=replace(asked, external_reference=reference))
        remembered = assess_again(other.assessor(exposure))
        assert remembered.outcome is worked_out.outcome
        assert remembered.offers == worked_out.offers
        assert remembered.reasons == worked_out.reasons
        assert remembered.searched == worked_out.searched
