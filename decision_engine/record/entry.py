"""One request on its way into the ledger, and what becomes of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from decision_engine.exposure import Exposure
from decision_engine.proposal import Proposal
from decision_engine.record.loss import LossFinding, LossLook
from decision_engine.record.statements import IdempotencyKey
from domain.application import CreditApplication
from domain.customer import CreditData
from domain.errors import CreditError


class Case(Protocol):
    """An application with everything known about it: re-evaluated when the view changes."""

    @property
    def application(self) -> CreditApplication:
        """What is asked for."""

    @property
    def person_id(self) -> str:
        """The person behind the customer, as gathered; empty when the customer is unknown."""

    @property
    def profile_version(self) -> int:
        """The version of the profile as gathered."""

    def assess(self, exposure: Exposure) -> Proposal:
        """Evaluate and price under an exposure: pure, equal inputs give equal proposals."""

    def with_profile(self, profile: CreditData | None) -> "Case":
        """Return the case on a newer profile; None when the customer or person is not there."""

    def with_loss(self, finding: LossFinding) -> "Case":
        """Return the case under an open loss window; one that blocks assesses to REFERRED."""

    def evidence(self) -> Mapping[str, object]:
        """Return the part of the evidence that says what was read, in canonical plain form."""

    def reply_text(self, proposal: Proposal, language: str) -> Mapping[str, object]:
        """Return the fields of the reply that need the policy: reasons with text, score, policy."""


@dataclass(frozen=True, slots=True)
class HumanVerdict:
    """What a reviewer says: APPROVED waives the referrals that were hit, DECLINED gives reasons."""

    outcome: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReviewClosing:
    """The human side of a decision that closes a case."""

    review_id: str
    reviewed_decision: str
    reviewer: str
    note: str
    human: HumanVerdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A request with its proposal, evaluated as if the person had no open exposure."""

    client_id: str
    idem_key: str
    command_hash: str
    language: str
    case: Case
    proposal: Proposal
    review: ReviewClosing | None = None
    #: What other stores know of the person's decisions; None while no loss window is known.
    loss: LossLook | None = None

    @property
    def key(self) -> IdempotencyKey:
        """What makes the request unique in the ledger."""
        return (self.client_id, self.idem_key)

    @property
    def needs_person(self) -> bool:
        """Whether the person must be locked: it may reserve exposure, or close a case."""
        return self.proposal.offering or self.review is not None


@dataclass(frozen=True, slots=True)
class Done:
    """Recorded in this batch, durably."""

    decision_id: str
    reply: bytes


@dataclass(frozen=True, slots=True)
class Known:
    """The key was recorded before; `reply` is None once retention has ended."""

    decision_id: str
    command_hash: str
    reply: bytes | None


@dataclass(frozen=True, slots=True)
class Again:
    """Nothing recorded: `locked` offers itself again soon, `person` and `window` gather again."""

    why: str


@dataclass(frozen=True, slots=True)
class Failed:
    """Nothing recorded, and why."""

    error: CreditError


Result = Done | Known | Again | Failed
