"""An offer of credit: immutable, priced, and bound to expire."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from domain.application import Amortization
from domain.instants import instant_millis
from domain.money import format_centavos


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferTerms:
    """The priced terms of an offer; money in centavos, rates as exact fractions."""

    amount: int
    term_months: int
    amortization: Amortization
    monthly_rate: Decimal
    principal: int
    iof: int
    instalment: int
    last_instalment: int
    total: int
    cet_annual: Decimal
    cet_monthly: Decimal
    first_due_on: date

    def canonical(self) -> dict[str, object]:
        """Return the plain form of the public contract, without id and expiry."""
        return {
            "amount": format_centavos(self.amount),
            "term_months": self.term_months,
            "amortization": self.amortization.value,
            "monthly_rate": f"{self.monthly_rate:.4f}",
            "principal": format_centavos(self.principal),
            "iof": format_centavos(self.iof),
            "instalment": format_centavos(self.instalment),
            "last_instalment": format_centavos(self.last_instalment),
            "total": format_centavos(self.total),
            "cet_annual": f"{self.cet_annual:.4f}",
            "cet_monthly": f"{self.cet_monthly:.4f}",
            "first_due_on": self.first_due_on.isoformat(),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """An offer as made to a customer; it can be accepted until `expires_at`, once."""

    offer_id: str
    terms: OfferTerms
    expires_at: datetime

    def canonical(self) -> dict[str, object]:
        """Return the plain form of the public contract."""
        return {
            "offer_id": self.offer_id,
            **self.terms.canonical(),
            "expires_at": instant_millis(self.expires_at),
        }
