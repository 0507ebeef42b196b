"""The verdict on an application; never edited, only followed by another one."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from domain.application import CreditApplication
from domain.errors import InvalidInputError
from domain.offer import Offer


class Outcome(StrEnum):
    """The four answers that a lender may give."""

    APPROVED = "APPROVED"
    COUNTER_OFFER = "COUNTER_OFFER"
    DECLINED = "DECLINED"
    REFERRED = "REFERRED"


#: Outcomes that carry offers, and therefore reserve exposure.
OFFERING = frozenset({Outcome.APPROVED, Outcome.COUNTER_OFFER})


@dataclass(frozen=True, slots=True)
class ReasonCode:
    """Why the answer is not the one asked for; `attribute` names an input that is to blame."""

    code: str
    family: str
    attribute: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditDecision:
    """The verdict with its reasons and offers, as recorded."""

    decision_id: str
    application: CreditApplication
    person_id: str
    outcome: Outcome
    reasons: tuple[ReasonCode, ...]
    offers: tuple[Offer, ...]
    decided_at: datetime
    duplicate_of: str = ""
    reviewed_decision: str = ""

    def __post_init__(self) -> None:
        # An adverse answer must name its reasons, so a bare refusal cannot exist.
        if self.outcome is not Outcome.APPROVED and not self.reasons:
            raise InvalidInputError(f"a {self.outcome} decision needs a reason")
        if (self.outcome in OFFERING) != bool(self.offers):
            raise InvalidInputError("offers belong to APPROVED and COUNTER_OFFER, and to them only")
        if self.decided_at.tzinfo is None:
            raise InvalidInputError("decided_at needs a time zone")
