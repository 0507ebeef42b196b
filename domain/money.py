"""Exact money and rates. Money is whole centavos; a rate is a decimal fraction."""

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Final

from domain.errors import InvalidInputError

MONEY_TEXT: Final = re.compile(r"(0|[1-9][0-9]{0,11})\.[0-9]{2}", re.ASCII)
RATE_TEXT: Final = re.compile(r"(0|[1-9][0-9]{0,3})(\.[0-9]{1,12})?", re.ASCII)

#: One real in centavos.
REAL: Final = 100
#: Precision 34 (decimal128): wide enough for 12 digits of money times 12 digits of rate, exactly.
EXACT: Final = Context(prec=34, rounding=ROUND_HALF_EVEN)


@dataclass(frozen=True, slots=True, order=True)
class Money:
    """An amount in Brazilian reais, kept as whole centavos; may be negative (a credit balance)."""

    centavos: int

    @classmethod
    def parse(cls, text: object, pointer: str = "") -> "Money":
        """
        Read `"10000.00"`: ASCII digits, exactly two decimals, no sign, blank or exponent.

        Raises:
            InvalidInputError: `money-format`, with the pointer given; the text is not echoed.
        """
        if not isinstance(text, str) or MONEY_TEXT.fullmatch(text) is None:
            raise InvalidInputError.at(
                pointer, "money-format", 'money is text with exactly two decimals, like "10000.00"'
            )
        return cls(int(text[:-3]) * 100 + int(text[-2:]))

    @classmethod
    def of(cls, value: Decimal) -> "Money":
        """Round reais half-even to centavos (NBR 5891): a named rounding point of the caller."""
        return cls(int((value * 100).to_integral_value(ROUND_HALF_EVEN)))

    @property
    def reais(self) -> Decimal:
        """The exact amount in reais, with two decimals."""
        return reais(self.centavos)

    def __str__(self) -> str:
        return format_centavos(self.centavos)

    def __add__(self, other: "Money") -> "Money":
        return Money(self.centavos + other.centavos)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.centavos - other.centavos)


def reais(centavos: int) -> Decimal:
    """Return the exact amount in reais, with two decimals."""
    return EXACT.scaleb(Decimal(centavos), -2)


def format_centavos(centavos: int) -> str:
    """Return centavos as the text of the public contract: `"10000.00"`, `"-0.05"`."""
    if centavos >= REAL:
        text = str(centavos)
        return f"{text[:-2]}.{text[-2:]}"
    sign = "-" if centavos < 0 else ""
    whole, cents = divmod(abs(centavos), REAL)
    return f"{sign}{whole}.{cents:02d}"


def round_half_even(numerator: int, denominator: int) -> int:
    """Return numerator / denominator rounded half-even to a whole number; denominator > 0."""
    quotient, rest = divmod(numerator, denominator)
    twice = 2 * rest
    if twice > denominator or (twice == denominator and quotient & 1):
        return quotient + 1
    return quotient


@dataclass(frozen=True, slots=True, order=True)
class Rate:
    """A fraction per period as an exact decimal: 0.025 is 2.5 %."""

    fraction: Decimal

    def __post_init__(self) -> None:
        if not self.fraction.is_finite():
            raise InvalidInputError.at("", "rate-format", "a rate is a finite decimal fraction")

    @classmethod
    def parse(cls, text: object, pointer: str = "") -> "Rate":
        """
        Read `"0.025"`: ASCII digits, at most 12 decimals, no sign, blank or exponent.

        Raises:
            InvalidInputError: `rate-format`, with the pointer given.
        """
        if not isinstance(text, str) or RATE_TEXT.fullmatch(text) is None:
            raise InvalidInputError.at(
                pointer, "rate-format", 'a rate is text, a decimal fraction like "0.025"'
            )
        return cls(Decimal(text))

    def __str__(self) -> str:
        return format(self.fraction, "f")
