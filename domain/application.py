"""A request for credit, valid by construction."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from domain.errors import InvalidInputError
from domain.money import Money

MAX_TERM_MONTHS: Final = 480


class Amortization(StrEnum):
    """How the principal is paid back: equal instalments (Price) or equal parts (SAC)."""

    PRICE = "price"
    SAC = "sac"


class IofPayment(StrEnum):
    """Where the tax on credit goes: into the principal, paid apart, or none (quotes only)."""

    FINANCED = "financed"
    PAID_APART = "paid_apart"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditApplication:
    """
    What the customer asks for: amount in centavos, term in months.

    `first_due_on` None means one month after signature.
    """

    customer_id: str
    product: str
    amount: Money
    term_months: int
    amortization: Amortization = Amortization.PRICE
    first_due_on: date | None = None
    iof: IofPayment = IofPayment.FINANCED
    channel: str = "api"
    external_reference: str | None = None

    def __post_init__(self) -> None:
        if self.amount.centavos <= 0:
            raise InvalidInputError.at("/amount", "amount-not-positive", "amount must be over 0.00")
        if not 1 <= self.term_months <= MAX_TERM_MONTHS:
            raise InvalidInputError.at("/term_months", "term-range", "term_months is 1 to 480")

    def canonical(self) -> dict[str, object]:
        """Return the plain form that is hashed and kept as evidence; unset fields are left out."""
        fields: dict[str, object] = {
            "customer_id": self.customer_id,
            "product": self.product,
            "amount": str(self.amount),
            "term_months": self.term_months,
            "amortization": self.amortization.value,
            "iof": self.iof.value,
            "channel": self.channel,
        }
        if self.first_due_on is not None:
            fields["first_due_on"] = self.first_due_on.isoformat()
        if self.external_reference is not None:
            fields["external_reference"] = self.external_reference
        return fields
