"""What evaluating an application gives, before anything is recorded."""

from dataclasses import dataclass
from typing import Protocol

from decision_engine.exposure import Exposure
from domain.decision import OFFERING, Outcome, ReasonCode
from domain.offer import OfferTerms


class Proof(Protocol):
    """
    What proves a trace.

    `digest` is the SHA-256 of all of it, and `marks` a short mark of each of its entries, in order,
    so that a replay can name the entry that differs.
    """

    @property
    def digest(self) -> str:
        """`sha256:<hex>` over the trace."""

    @property
    def marks(self) -> str:
        """Six hexadecimal digits an entry."""


@dataclass(frozen=True, slots=True)
class Marks:
    """Implements `Proof` with what is already known."""

    digest: str
    marks: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """
    The verdict of policy and price on one view of the facts.

    `bits` holds two bits a rule; `trace` proves what the verdict went through.
    """

    outcome: Outcome
    reasons: tuple[ReasonCode, ...]
    offers: tuple[OfferTerms, ...]
    score: int | None
    band: str
    bits: str
    trace: Proof
    exposure: Exposure

    @property
    def offering(self) -> bool:
        """Whether the proposal would reserve exposure."""
        return self.outcome in OFFERING

    @property
    def reserved_principal(self) -> int:
        """The largest principal among the offers, centavos: only one can be accepted."""
        return max((offer.principal for offer in self.offers), default=0)

    @property
    def reserved_instalment(self) -> int:
        """The largest instalment among the offers, centavos."""
        return max((offer.instalment for offer in self.offers), default=0)

    def canonical(self) -> dict[str, object]:
        """Return the plain form kept as evidence."""
        return {
            "outcome": self.outcome.value,
            "reasons": [[reason.code, reason.family, reason.attribute] for reason in self.reasons],
            "offers": [offer.canonical() for offer in self.offers],
            "score": self.score,
            "band": self.band,
            "bits": self.bits,
            "trace": self.trace.digest,
            "marks": self.trace.marks,
        }
