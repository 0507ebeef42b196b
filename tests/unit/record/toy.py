"""A toy case: approves while a fixed limit is not used up, by plain arithmetic."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from decision_engine.exposure import NO_EXPOSURE, Exposure
from decision_engine.proposal import Marks, Proposal
from decision_engine.record.entry import Entry
from decision_engine.record.loss import LossFinding
from domain.application import Amortization, CreditApplication
from domain.customer import CreditData
from domain.decision import Outcome, ReasonCode
from domain.money import Money
from domain.offer import OfferTerms

NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToyCase:
    """Implements `Case`: approves the whole amount, or what is left over `least`, or declines."""

    application: CreditApplication
    person_id: str
    profile_version: int = 1
    limit: int = 1_000_00
    least: int = 0
    loss: LossFinding | None = None

    def assess(self, exposure: Exposure) -> Proposal:
        if self.loss is not None and self.loss.blocks:
            return proposal(Outcome.REFERRED, 0, exposure, "R92")
        asked = self.application.amount.centavos
        left = self.limit - exposure.outstanding
        if not self.person_id:
            return proposal(Outcome.REFERRED, 0, exposure, "R90")
        if asked <= left:
            return proposal(Outcome.APPROVED, asked, exposure)
        if self.least and left >= self.least:
            return proposal(Outcome.COUNTER_OFFER, left, exposure, "R13")
        return proposal(Outcome.DECLINED, 0, exposure, "R13")

    def with_profile(self, profile: CreditData | None) -> "ToyCase":
        if profile is None:
            return replace(self, person_id="")
        return replace(self, person_id=profile.person_id, profile_version=profile.profile_version)

    def with_loss(self, finding: LossFinding) -> "ToyCase":
        return replace(self, loss=finding)

    def evidence(self) -> Mapping[str, object]:
        return {
            "manifest": {},
            "policy": {"id": "toy", "version": 1},
            "as_of": 0,
            "application": self.application.canonical(),
            "person": self.person_id,
            "profile_version": self.profile_version,
            "sources": [],
            "degraded": [],
        }

    def reply_text(self, proposal: Proposal, language: str) -> Mapping[str, object]:
        return {"reasons": [reason.code for reason in proposal.reasons], "language": language}


def proposal(outcome: Outcome, principal: int, exposure: Exposure, code: str = "") -> Proposal:
    return Proposal(
        outcome=outcome,
        reasons=(ReasonCode(code, "limit"),) if code else (),
        offers=(terms(principal),) if principal else (),
        score=600,
        band="A",
        bits="00",
        trace=Marks("sha256:00", ""),
        exposure=exposure,
    )


def terms(principal: int) -> OfferTerms:
    return OfferTerms(
        amount=principal,
        term_months=12,
        amortization=Amortization.PRICE,
        monthly_rate=Decimal("0.0250"),
        principal=principal,
        iof=0,
        instalment=principal // 10,
        last_instalment=principal // 10,
        total=principal // 10 * 12,
        cet_annual=Decimal("0.3447"),
        cet_monthly=Decimal("0.0250"),
        first_due_on=date(2026, 7, 10),
    )


def entry(key: str, *, person: str = "p1", customer: str = "", **case: Any) -> Entry:
    """Return an entry of 300.00 for a customer of the person (named like it by default)."""
    amount = case.pop("amount", 300_00)
    made = ToyCase(
        application=CreditApplication(
            customer_id=customer or f"c-{person}",
            product="personal_loan",
            amount=Money(amount),
            term_months=12,
        ),
        person_id=person,
        **case,
    )
    return Entry(
        client_id="client",
        idem_key=key,
        command_hash=f"hash-{key}",
        language="pt-BR",
        case=made,
        proposal=made.assess(NO_EXPOSURE),
    )
