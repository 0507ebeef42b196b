"""An application on its way to a decision: what was asked, by which rules, on which facts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from decision_engine.assess import Assessment, Assessor
from decision_engine.assess_again import assess_again
from decision_engine.exposure import Exposure
from decision_engine.policy.reason_table import language_of
from decision_engine.proposal import Proposal
from decision_engine.record.entry import HumanVerdict
from decision_engine.record.loss import LossFinding
from decision_engine.rulebook import Rulebook
from decision_engine.snapshot import Gathered, Snapshot, as_of_us, take_snapshot
from decision_engine.trace_marks import Trail, trail_of
from decision_engine.trace_proof import TraceProof
from domain.application import CreditApplication
from domain.customer import CreditData
from domain.decision import ReasonCode

#: A reply shows this many principal reasons; all are stored.
REASONS_SHOWN: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditCase:
    """Implements the ledger's `Case`: evaluated before recording, and again under the lock."""

    application: CreditApplication
    rulebook: Rulebook
    snapshot: Snapshot
    human: HumanVerdict | None = None
    loss: LossFinding | None = None

    @property
    def person_id(self) -> str:
        """The person behind the customer; empty when the customer is unknown."""
        return self.snapshot.person_id

    @property
    def profile_version(self) -> int:
        """The version of the profile that was read."""
        return self.snapshot.profile_version

    def assessor(self, exposure: Exposure) -> Assessor:
        """Return what puts this case through policy and price."""
        return Assessor(self.application, self.rulebook, self.snapshot, exposure, self.human)

    def assess(self, exposure: Exposure) -> Proposal:
        """Evaluate and price under an exposure."""
        return proposal_of(*self._assessed(exposure), exposure)

    def examine(self, exposure: Exposure) -> tuple[Proposal, Trail]:
        """Return the proposal together with the names and marks of its trace."""
        assessor, assessment = self._assessed(exposure)
        trail = trail_of(assessor, assessment)
        return replace(proposal_of(assessor, assessment, exposure), trace=trail), trail

    def _assessed(self, exposure: Exposure) -> tuple[Assessor, Assessment]:
        assessor = self.assessor(exposure)
        return assessor, assess_again(assessor) if exposure.commitments else assessor.assess()

    def with_profile(self, profile: CreditData | None) -> "CreditCase":
        """Return the case on a newer profile, or on none."""
        gathered = Gathered(profile, "aurora", self.snapshot.degraded)
        fields = self.rulebook.fields
        return replace(self, snapshot=take_snapshot(gathered, fields, self.snapshot.as_of))

    def with_loss(self, finding: LossFinding) -> "CreditCase":
        """Return the case under an open loss window; one that blocks assesses to REFERRED."""
        snapshot = self.snapshot
        if finding.blocks:
            snapshot = replace(snapshot, status="loss_window")
        return replace(self, snapshot=snapshot, loss=finding)

    def evidence(self) -> Mapping[str, object]:
        """Return what was read, in canonical plain form."""
        snapshot = self.snapshot
        policy = self.rulebook.policy
        # Decisions outside a loss window keep the bytes that they always had.
        loss = {"loss_window": self.loss.canonical()} if self.loss else {}
        return {
            **loss,
            "manifest": self.rulebook.manifest,
            "policy": {"id": policy.policy_id, "version": policy.version, "role": "champion"},
            "as_of": as_of_us(snapshot),
            "application": self.application.canonical(),
            "status": snapshot.status,
            "person": snapshot.person_id,
            "profile_version": snapshot.profile_version,
            "sources": [source.canonical() for source in snapshot.sources],
            "degraded": list(snapshot.degraded),
            "human": [self.human.outcome, *self.human.reasons] if self.human else None,
            "overridden": list(snapshot.overridden),
            "inputs": snapshot.attributes.canonical,
        }

    def reply_text(self, proposal: Proposal, language: str) -> Mapping[str, object]:
        """Return the fields of the reply that need the rulebook."""
        policy, model = self.rulebook.policy, self.rulebook.model
        text: dict[str, object] = {
            "policy": {
                "id": policy.policy_id,
                "version": policy.version,
                "hash": policy.content_hash,
                "role": "champion",
            },
            "reasons": self.reasons_shown(proposal.reasons, language),
        }
        if model is not None:
            text["model"] = {"id": model.id, "version": model.version, "hash": model.hash}
        if proposal.score is not None:
            text["score"] = {"value": proposal.score, "band": proposal.band}
        return text

    def reasons_shown(
        self, reasons: Sequence[ReasonCode], language: str
    ) -> list[dict[str, object]]:
        """Return the principal reasons with their texts, at most four."""
        tongue = language_of(language)
        shown = []
        for reason in reasons[:REASONS_SHOWN]:
            entry: dict[str, object] = {
                "code": reason.code,
                "family": reason.family,
                "text": self.rulebook.reasons[reason.code].text(
                    tongue, self._label(reason.attribute, language)
                ),
            }
            if reason.attribute:
                entry["attribute"] = reason.attribute
            shown.append(entry)
        return shown

    def _label(self, attribute: str, language: str) -> str:
        """Return how a person calls an attribute, an empty text for none."""
        reads = self.rulebook.compiled.reads if attribute else ()
        return next((field.label_in(language) for field in reads if field.name == attribute), "")


def proposal_of(assessor: Assessor, assessment: Assessment, exposure: Exposure) -> Proposal:
    """Return the recorded form of an assessment."""
    evaluation = assessment.asked.evaluation if assessment.asked else None
    return Proposal(
        outcome=assessment.outcome,
        reasons=assessment.reasons,
        offers=assessment.offers,
        score=assessment.score,
        band=assessment.band,
        bits=evaluation.bits.hex() if evaluation else "",
        trace=TraceProof(assessor, assessment),
        exposure=exposure,
    )
