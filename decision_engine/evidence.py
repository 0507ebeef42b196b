"""Reading evidence back: from recorded bytes to the case that was decided."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from decision_engine.case import CreditCase
from decision_engine.exposure import Commitment, Exposure
from decision_engine.proposal import Proposal
from decision_engine.record.compose import EVIDENCE_VERSION, Minted, Verdict
from decision_engine.record.entry import Entry, HumanVerdict, ReviewClosing
from decision_engine.record.loss import LossFinding
from decision_engine.rulebook import Rulebook
from decision_engine.snapshot import Attribute, Attributes, Snapshot, Source
from domain.application import Amortization, CreditApplication, IofPayment
from domain.decision import ReasonCode
from domain.errors import PermanentError
from domain.features import Value
from domain.instants import from_epoch_micros
from domain.money import Money

NUMBER: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a decision recorded about itself, as plain data."""

    facts: Mapping[str, Any]

    @classmethod
    def parse(cls, raw: bytes) -> "Evidence":
        """
        Read recorded bytes.

        Raises:
            PermanentError: not evidence of a known version.
        """
        try:
            facts = json.loads(raw)
            version = facts["evidence"]
        except (ValueError, KeyError, TypeError) as error:
            raise PermanentError("the recorded bytes are not evidence") from error
        if version != EVIDENCE_VERSION:
            raise PermanentError("evidence of an unknown version")
        return cls(facts)

    @property
    def manifest(self) -> Mapping[str, object]:
        """The hashes of everything that decided."""
        manifest: Mapping[str, object] = self.facts["manifest"]
        return manifest

    @property
    def exposure(self) -> Exposure:
        """What the person was committed to, as read under the lock."""
        return Exposure(tuple(Commitment(*held) for held in self.facts["exposure"]))

    def case(self, rulebook: Rulebook) -> CreditCase:
        """Return the case as it was decided, by the rules given."""
        return CreditCase(
            application=self.application,
            rulebook=rulebook,
            snapshot=_snapshot(self.facts, rulebook),
            human=self.human,
            loss=self.loss,
        )

    @property
    def loss(self) -> LossFinding | None:
        """What an open loss window meant for the decision; None when none was open."""
        held = self.facts.get("loss_window")
        if held is None:
            return None
        return LossFinding(tuple(held["windows"]), tuple(held["missing"]), held["unread"])

    @property
    def application(self) -> CreditApplication:
        """What was asked for."""
        return _application(self.facts["application"])

    @property
    def human(self) -> HumanVerdict | None:
        """What a reviewer said, when the decision closed a case."""
        said = self.facts["human"]
        return HumanVerdict(said[0], tuple(said[1:])) if said else None

    @property
    def reasons(self) -> tuple[ReasonCode, ...]:
        """Every recorded reason, principal ones first."""
        return tuple(ReasonCode(*reason) for reason in self.facts["result"]["reasons"])

    def minted(self, offers: int) -> Minted:
        """
        Return the ids of the decision for a number of offers.

        Salt and event id are not part of evidence. A replay with more offers has ids for the
        recorded ones only.
        """
        reply = self.facts["reply"]
        ids = [*reply["offer_ids"], *[""] * offers][:offers]
        return Minted(
            decision_id=reply["decision_id"],
            offer_ids=tuple(ids),
            event_id="",
            review_id=reply["review_id"],
            salt=b"",
        )

    def verdict(self, case: CreditCase, proposal: Proposal) -> Verdict:
        """Return a verdict in the place of the recorded one."""
        reply = self.facts["reply"]
        entry = Entry(
            client_id="",
            idem_key="",
            command_hash="",
            language=reply["language"],
            case=case,
            proposal=proposal,
            review=self._review(reply["reviewed_decision"]),
        )
        return Verdict(entry, case, proposal, reply["duplicate_of"])

    def _review(self, reviewed_decision: str) -> ReviewClosing | None:
        if self.human is None:
            return None
        return ReviewClosing("", reviewed_decision, "", "", self.human)


def _application(fields: Mapping[str, Any]) -> CreditApplication:
    first_due_on = fields.get("first_due_on")
    return CreditApplication(
        customer_id=fields["customer_id"],
        product=fields["product"],
        amount=Money.parse(fields["amount"]),
        term_months=fields["term_months"],
        amortization=Amortization(fields["amortization"]),
        first_due_on=date.fromisoformat(first_due_on) if first_due_on else None,
        iof=IofPayment(fields["iof"]),
        channel=fields["channel"],
        external_reference=fields.get("external_reference"),
    )


def _snapshot(facts: Mapping[str, Any], rulebook: Rulebook) -> Snapshot:
    kinds = {field.name: field.kind for field in rulebook.fields}
    return Snapshot(
        status=facts["status"],
        person_id=facts["person"],
        profile_version=facts["profile_version"],
        as_of=from_epoch_micros(facts["as_of"]),
        attributes=Attributes(
            {
                name: Attribute(value_of(text, kinds.get(name, "string")), state, observed_us)
                for name, (state, text, observed_us) in facts["inputs"].items()
            }
        ),
        sources=tuple(Source(*held) for held in facts["sources"]),
        degraded=tuple(facts["degraded"]),
        overridden=tuple(facts["overridden"]),
    )


def value_of(text: str | None, kind: str) -> Value | None:
    """Return the value behind its one text; a text that is no value of the kind stays a text."""
    if text is None:
        return None
    if kind == "boolean" and text in {"true", "false"}:
        return text == "true"
    is_number = kind == "number" and NUMBER.fullmatch(text) is not None
    return Decimal(text) if is_number else text
