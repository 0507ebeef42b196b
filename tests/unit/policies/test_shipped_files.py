"""The shipped policy and its reason texts, as files."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

import pytest

from adapters.bootstrap.shipped import POLICIES, DemoData, personal_loan
from adapters.inbound.cli.demo.applications import PRODUCT, ask_of, is_held_out, read_asks
from adapters.inbound.cli.demo.book import read_book
from decision_engine.assess import Assessment, Assessor
from decision_engine.case import CreditCase
from decision_engine.exposure import NO_EXPOSURE
from decision_engine.policy.check import check
from decision_engine.policy.parse import parse
from decision_engine.rulebook import ENGINE_CODES, Rulebook, build_rulebook
from decision_engine.snapshot import Attributes, Gathered, take_snapshot
from domain.application import CreditApplication
from domain.features import FEATURE_NAMES
from domain.money import Money
from policies.profiles import AS_OF, profile_of

REASONS: Final[Mapping[str, Any]] = json.loads((POLICIES / "reasons.json").read_bytes())
OUTCOMES: Final = ("DECLINED", "REFERRED", "COUNTER_OFFER", "APPROVED")
#: By how much each field of a profile is made better; the exposure is none already.
STEPS: Final = {
    "behaviour.late_months_6m": "-1",
    "behaviour.late_now": "-1",
    "behaviour.paid_months_6m": "1",
    "behaviour.payments_to_limit_6m": "0.02",
    "behaviour.utilization_mean_6m": "-0.2",
    "behaviour.worst_late_3m": "-1",
    "credit.limit": "1000",
    "debt.service": "-100",
    "income.monthly": "1000",
}


@pytest.fixture(scope="module")
def rulebook() -> Rulebook:
    return build_rulebook(personal_loan(), "")


def test_the_policy_passes_its_checks(rulebook: Rulebook) -> None:
    findings = check(parse(personal_loan().policy), rulebook.compiled.models)

    assert [finding for finding in findings if finding.severity == "error"] == []
    assert rulebook.policy.product == PRODUCT


def test_every_input_is_known_labelled_and_read(rulebook: Rulebook) -> None:
    asked = {"application.amount", "application.term_months", "application.product"}
    told = asked | {"exposure.outstanding", "exposure.service"}

    assert rulebook.compiled.inputs == rulebook.compiled.reads
    for field in rulebook.compiled.inputs:
        assert field.name in told or field.name in FEATURE_NAMES
        assert field.label_in("pt-BR") != field.label_in("en")
        days = {"income.monthly": 365}.get(field.name, 45)
        assert field.max_age_days == (None if field.name in told else days)


def test_every_code_is_used_and_every_text_is_in_both_languages(rulebook: Rulebook) -> None:
    rules = {rule.code for rule in rulebook.compiled.rules}
    scored = {
        attribute.code
        for model in rulebook.compiled.models.values()
        for attribute in model.attributes
    }

    assert REASONS["codes"].keys() == rules | scored | ENGINE_CODES
    assert len({entry["priority"] for entry in REASONS["codes"].values()}) >= 22
    for code, entry in REASONS["codes"].items():
        for texts in (entry["text"], entry["help"]):
            assert sorted(texts) == ["en", "pt-BR"]
            assert texts["en"] != texts["pt-BR"]
        for text in entry["text"].values():
            assert ("{attribute}" in text) == (code in {"R94", "R95"})


def test_texts_to_customers_name_no_score_and_no_internal_word() -> None:
    shown = [
        text
        for entry in REASONS["codes"].values()
        for texts in (entry["text"], entry["help"])
        for text in texts.values()
    ]

    assert [
        text for text in shown if re.search(r"\b(score|pontos?|points?|PD|R\d\d)\b", text)
    ] == []


def test_better_fields_never_worsen_the_outcome(rulebook: Rulebook) -> None:
    """The promise of `monotone`, tried on real applicants one field at a time."""
    promised = dict(rulebook.compiled.header.monotone)
    exposure = {"exposure.outstanding": "lower_is_better", "exposure.service": "lower_is_better"}
    assert promised == exposure | {
        name: "lower_is_better" if step.startswith("-") else "higher_is_better"
        for name, step in STEPS.items()
    }
    asks = read_asks(DemoData().asks)
    applicants = [b for b in read_book(DemoData().taiwan, 1500) if is_held_out(b.customer_id)]
    for borrower in applicants[:150]:
        ask = ask_of(borrower.customer_id, asks)
        assessor = assessor_of(rulebook, profile_of(borrower), ask.amount, ask.term_months)
        before = assessor.assess()
        for name, step in STEPS.items():
            better = moved(assessor, name, Decimal(step))
            if better is not None:
                assert no_worse(better.assess(), before), (borrower.customer_id, name)


def assessor_of(rulebook: Rulebook, profile: Any, amount: int, term_months: int) -> Assessor:
    application = CreditApplication(
        customer_id=profile.customer_id,
        product=PRODUCT,
        amount=Money(amount),
        term_months=term_months,
    )
    snapshot = take_snapshot(Gathered(profile, "test"), rulebook.fields, AS_OF)
    case = CreditCase(application=application, rulebook=rulebook, snapshot=snapshot)
    return case.assessor(NO_EXPOSURE)


def moved(assessor: Assessor, name: str, step: Decimal) -> Assessor | None:
    held = assessor.snapshot.attributes[name]
    field = next(field for field in assessor.rulebook.fields if field.name == name)
    value = field.admit(held.usable + step) if isinstance(held.usable, Decimal) else None
    if value is None:
        return None
    attributes = {**assessor.snapshot.attributes, name: replace(held, value=value)}
    snapshot = replace(assessor.snapshot, attributes=Attributes(attributes))
    return replace(assessor, snapshot=snapshot, loans={})


def no_worse(after: Assessment, before: Assessment) -> bool:
    # A referral is no verdict: who leaves the grey zone upwards may meet the limit, but no decline.
    if before.outcome == "REFERRED":
        return after.asked is not None and "decline" not in after.asked.effects
    return rank(after) >= rank(before)


def rank(answer: Assessment) -> tuple[int, int]:
    largest = max((offer.amount for offer in answer.offers), default=0)
    return OUTCOMES.index(answer.outcome), largest
