"""
The types of request fields: parsed by the domain, described for OpenAPI, strict on raw text.

pydantic's own Decimal and date types take other digits, blanks, exponents and numbers, so no
field of the contract uses them.
"""

import re
from collections.abc import Callable
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Final, TypeVar

from pydantic import Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from domain.application import MAX_TERM_MONTHS, Amortization, IofPayment
from domain.errors import InvalidInputError
from domain.identifiers import parse_name
from domain.instants import parse_date
from domain.money import Money, Rate

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)
JsonSchema = dict[str, Any]

#: No clock of this platform has shown an earlier day, so no first instalment can be due on one.
FIRST_DAY: Final = date(2026, 6, 10)
NOTE_LENGTH_MAX: Final = 1_000
#: C0, DEL and C1: what could change a terminal or a log line when a person reads a note.
CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")

NAME_SCHEMA: Final[JsonSchema] = {
    "type": "string",
    "pattern": "^[A-Za-z0-9._:-]{1,64}$",
    "minLength": 1,
    "maxLength": 64,
}
AMOUNT_SCHEMA: Final[JsonSchema] = {
    "type": "string",
    "format": "money",
    "pattern": r"^([1-9][0-9]{0,11}\.[0-9]{2}|0\.(0[1-9]|[1-9][0-9]))$",
    "description": "BRL with exactly two decimals, more than 0.00.",
    "examples": ["20000.00"],
}
RATE_SCHEMA: Final[JsonSchema] = {
    "type": "string",
    "format": "rate",
    "pattern": r"^(0(\.[0-9]{1,12})?|1(\.0{1,12})?)$",
    "description": "A decimal fraction from 0 to 1, at most 12 decimals: 0.025 is 2.5 %.",
    "examples": ["0.025"],
}
DUE_DATE_SCHEMA: Final[JsonSchema] = {
    "type": "string",
    "format": "due-date",
    "description": "A calendar day, 1 to 120 days after signature (America/Sao_Paulo).",
    "examples": ["2027-01-10"],
}
SIGNING_DATE_SCHEMA: Final[JsonSchema] = {
    "type": "string",
    "format": "signing-date",
    "description": "The calendar day of signature, which decides the tax rates.",
    "examples": ["2026-12-10"],
}
TERM_SCHEMA: Final[JsonSchema] = {
    "type": "integer",
    "minimum": 1,
    "maximum": MAX_TERM_MONTHS,
    "description": "Number of monthly instalments.",
}
#: No control characters: a note is one paragraph of text.
NOTE_SCHEMA: Final[JsonSchema] = {
    "type": "string",
    "pattern": r"^[^\u0000-\u001f\u007f-\u009f]+$",
    "minLength": 1,
    "maxLength": NOTE_LENGTH_MAX,
}


def parsed(parse: Callable[[object, str], T]) -> PlainValidator:
    """Return the validator that a parser of the domain makes; its fault keeps code and text."""

    def validate(value: object) -> T:
        try:
            return parse(value, "")
        except InvalidInputError as error:
            problem = error.problems[0]
            raise _fault(problem.code, problem.detail) from None

    return PlainValidator(validate)


def choice(kind: type[E], *members: E) -> PlainValidator:
    """Return the validator that takes the exact text of some members of an enumeration."""
    allowed = {member.value: member for member in members or tuple(kind)}
    names = ", ".join(allowed)

    def validate(value: object) -> E:
        member = allowed.get(value) if isinstance(value, str) else None
        if member is None:
            raise _fault("choice-unknown", f"one of {names}")
        return member

    return PlainValidator(validate)


def choice_schema(*values: str) -> WithJsonSchema:
    """Return the description of a field that takes one of some texts."""
    return WithJsonSchema({"type": "string", "enum": list(values)})


def _due_date(value: object, pointer: str) -> date:
    day = parse_date(value, pointer)
    if day <= FIRST_DAY:
        raise InvalidInputError.at(pointer, "date-past", "this day was over before any decision")
    return day


def _term(value: object, pointer: str) -> int:
    if type(value) is not int:
        raise InvalidInputError.at(pointer, "term-format", "a term is a whole number of months")
    if not 1 <= value <= MAX_TERM_MONTHS:
        raise InvalidInputError.at(pointer, "term-range", f"1 to {MAX_TERM_MONTHS} months")
    return value


def _positive(value: object, pointer: str) -> Money:
    amount = Money.parse(value, pointer)
    if amount.centavos == 0:
        raise InvalidInputError.at(pointer, "amount-not-positive", "more than 0.00")
    return amount


def _rate(value: object, pointer: str) -> Rate:
    rate = Rate.parse(value, pointer)
    if rate.fraction > 1:
        raise InvalidInputError.at(pointer, "rate-range", "a fraction from 0 to 1")
    return rate


def _note(value: object, pointer: str) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= NOTE_LENGTH_MAX:
        raise InvalidInputError.at(pointer, "text-format", "1 to 1000 characters of text")
    if CONTROLS.search(value):
        raise InvalidInputError.at(pointer, "text-format", "text without control characters")
    return value


def _fault(code: str, detail: str) -> PydanticCustomError:
    return PydanticCustomError(code, detail)


Name = Annotated[str, parsed(parse_name), WithJsonSchema(NAME_SCHEMA)]
Amount = Annotated[Money, parsed(_positive), WithJsonSchema(AMOUNT_SCHEMA)]
MonthlyRate = Annotated[Rate, parsed(_rate), WithJsonSchema(RATE_SCHEMA)]
#: Optional fields may be left out, not null: one way to say nothing.
OptionalName = Annotated[str | None, parsed(parse_name), WithJsonSchema(NAME_SCHEMA)]
DueDate = Annotated[date | None, parsed(_due_date), WithJsonSchema(DUE_DATE_SCHEMA)]
AnyDueDate = Annotated[date | None, parsed(parse_date), WithJsonSchema(DUE_DATE_SCHEMA)]
SigningDate = Annotated[date, parsed(parse_date), WithJsonSchema(SIGNING_DATE_SCHEMA)]
Term = Annotated[int, parsed(_term), WithJsonSchema(TERM_SCHEMA)]
Note = Annotated[str | None, parsed(_note), WithJsonSchema(NOTE_SCHEMA)]
#: A note that must be there.
Words = Annotated[str, parsed(_note), WithJsonSchema(NOTE_SCHEMA)]
Method = Annotated[Amortization, choice(Amortization), choice_schema("price", "sac")]
LoanIof = Annotated[
    IofPayment,
    choice(IofPayment, IofPayment.FINANCED, IofPayment.PAID_APART),
    choice_schema("financed", "paid_apart"),
]
QuoteIof = Annotated[
    IofPayment, choice(IofPayment), choice_schema("financed", "paid_apart", "none")
]
ReasonCodes = Annotated[
    tuple[Name, ...], Field(strict=False, max_length=20, description="Reason codes.")
]
