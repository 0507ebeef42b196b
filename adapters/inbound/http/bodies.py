"""The request bodies of the contract, and what they mean to the core."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import ConfigDict, Field, WithJsonSchema

from adapters.inbound.http.fields import (
    Amount,
    AnyDueDate,
    DueDate,
    LoanIof,
    Method,
    MonthlyRate,
    Name,
    Note,
    OptionalName,
    QuoteIof,
    ReasonCodes,
    SigningDate,
    Term,
    Words,
    choice_schema,
    parsed,
)
from adapters.inbound.http.strict_json import WHOLE_MAX
from adapters.inbound.http.validation import StrictModel
from domain.application import Amortization, CreditApplication, IofPayment
from domain.errors import InvalidInputError

OVERRIDES_MAX: Final = 100
OVERRIDE_LENGTH_MAX: Final = 256
EVENTS_MAX: Final = 500
LOSS_CAUSES: Final = ("RESTORE", "REGION_LOSS", "OTHER")
ATTRIBUTE: Final = re.compile(r"[a-z][a-z0-9_.]{0,63}", re.ASCII)

Override = str | bool | int | None


def _overrides(value: object, pointer: str) -> Mapping[str, Override]:
    if not isinstance(value, dict) or len(value) > OVERRIDES_MAX:
        raise InvalidInputError.at(pointer, "overrides-format", "an object of up to 100 attributes")
    for name, given in value.items():
        if ATTRIBUTE.fullmatch(name) is None or not is_override(given):
            raise InvalidInputError.at(
                pointer,
                "overrides-format",
                "attribute names with text, true, false, a whole number or null",
            )
    return value


def is_override(given: object) -> bool:
    """Tell whether a JSON value can be the value of an attribute."""
    if isinstance(given, str):
        return len(given) <= OVERRIDE_LENGTH_MAX
    return given is None or isinstance(given, bool | int)


def _event(value: object, pointer: str) -> dict[str, Any]:
    if not isinstance(value, dict) or not _is_whole(value):
        raise InvalidInputError.at(
            pointer, "event-format", "an event is an object, its numbers are whole"
        )
    return value


def _is_whole(value: object) -> bool:
    """Tell whether a JSON value holds no number with a fraction, whose digits would be lost."""
    if isinstance(value, dict):
        return all(_is_whole(item) for item in value.values())
    if isinstance(value, list):
        return all(_is_whole(item) for item in value)
    return value is None or isinstance(value, str | int)


def _verdict(value: object, pointer: str) -> str:
    if value not in ("APPROVED", "DECLINED"):
        raise InvalidInputError.at(pointer, "choice-unknown", "one of APPROVED, DECLINED")
    return str(value)


def _cause(value: object, pointer: str) -> str:
    if value not in LOSS_CAUSES:
        raise InvalidInputError.at(pointer, "choice-unknown", f"one of {', '.join(LOSS_CAUSES)}")
    return str(value)


def values_by_name(most: int, description: str) -> dict[str, Any]:
    """Return the JSON Schema of at most so many plain values by dotted name."""
    return {
        "type": "object",
        "propertyNames": {"pattern": "^[a-z][a-z0-9_.]{0,63}$"},
        "additionalProperties": {
            "type": ["string", "boolean", "integer", "null"],
            "maxLength": OVERRIDE_LENGTH_MAX,
            "minimum": -WHOLE_MAX,
            "maximum": WHOLE_MAX,
        },
        "maxProperties": most,
        "description": description,
    }


Overrides = Annotated[
    Mapping[str, Override],
    parsed(_overrides),
    WithJsonSchema(
        values_by_name(OVERRIDES_MAX, "Attributes to replace by name; null makes one missing.")
        | {"examples": [{"behaviour.months_late": 0}]}
    ),
]
EventObject = Annotated[
    dict[str, Any],
    parsed(_event),
    WithJsonSchema({"$ref": "#/components/schemas/EventObject"}),
]


class EmptyBody(StrictModel):
    """Nothing, or an empty object."""


class ApplicationBody(StrictModel):
    """A request for credit."""

    model_config = ConfigDict(title="CreditApplication")

    customer_id: Name
    product: Name
    amount: Amount
    term_months: Term
    amortization: Method = Amortization.PRICE
    first_due_on: DueDate = None
    iof: LoanIof = IofPayment.FINANCED
    channel: Name = "api"
    external_reference: OptionalName = None

    def application(self) -> CreditApplication:
        """
        Return the application.

        Raises:
            InvalidInputError: `amount-not-positive` or `term-range`.
        """
        return CreditApplication(
            customer_id=self.customer_id,
            product=self.product,
            amount=self.amount,
            term_months=self.term_months,
            amortization=self.amortization,
            first_due_on=self.first_due_on,
            iof=self.iof,
            channel=self.channel,
            external_reference=self.external_reference,
        )


class WhatIfBody(ApplicationBody):
    """A request for credit that is evaluated and not recorded."""

    model_config = ConfigDict(title="WhatIf")

    overrides: Overrides = Field(default_factory=dict)
    policy: OptionalName = None


class QuoteBody(StrictModel):
    """A loan to price, without a customer."""

    model_config = ConfigDict(title="Quote")

    amount: Amount
    term_months: Term
    monthly_rate: MonthlyRate
    signed_on: SigningDate
    amortization: Method = Amortization.PRICE
    first_due_on: AnyDueDate = None
    iof: QuoteIof = IofPayment.FINANCED

    def plain(self) -> dict[str, Any]:
        """Return the fields in the plain form of the contract; unset ones are left out."""
        fields: dict[str, Any] = {
            "amount": str(self.amount),
            "term_months": self.term_months,
            "monthly_rate": str(self.monthly_rate),
            "signed_on": self.signed_on.isoformat(),
            "amortization": self.amortization.value,
            "iof": self.iof.value,
        }
        if self.first_due_on is not None:
            fields["first_due_on"] = self.first_due_on.isoformat()
        return fields


class ReviewBody(StrictModel):
    """Why a person asks for a review."""

    model_config = ConfigDict(title="ReviewRequest")

    note: Note = None


class ReviewDecisionBody(StrictModel):
    """A reviewer's answer: what was decided, and why."""

    model_config = ConfigDict(title="ReviewDecision")

    outcome: Annotated[str, parsed(_verdict), choice_schema("APPROVED", "DECLINED")]
    reasons: ReasonCodes = Field(min_length=1)
    note: Note = None

    def canonical(self) -> dict[str, Any]:
        """Return the plain form that is hashed; unset fields are left out."""
        fields: dict[str, Any] = {"outcome": self.outcome, "reasons": list(self.reasons)}
        return fields if self.note is None else fields | {"note": self.note}


class EventsBody(StrictModel):
    """Events of producers that cannot write to the stream themselves."""

    model_config = ConfigDict(title="Events")

    events: list[EventObject] = Field(min_length=1, max_length=EVENTS_MAX)


class LossWindowBody(StrictModel):
    """Why approvals must wait for a person."""

    model_config = ConfigDict(title="LossWindowOpening")

    cause: Annotated[str, parsed(_cause), choice_schema(*LOSS_CAUSES)]
    reason: Words


class LossReleaseBody(StrictModel):
    """Why it is safe to approve again."""

    model_config = ConfigDict(title="LossWindowRelease")

    note: Words
