"""The Brazilian taxpayer number. Valid digits do not mean that the number exists at Receita."""

import re
from dataclasses import dataclass
from typing import Final

from domain.errors import InvalidInputError

SHAPE: Final = re.compile(r"[0-9]{11}|[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Cpf:
    """Eleven ASCII digits with right check digits; its text forms never show the whole number."""

    digits: str

    @classmethod
    def parse(cls, text: object, pointer: str = "") -> "Cpf":
        """
        Read eleven digits, plain or as `NNN.NNN.NNN-DD`.

        Raises:
            InvalidInputError: `cpf-format` or `cpf-check-digits`; the text is not echoed.
        """
        if not isinstance(text, str) or SHAPE.fullmatch(text) is None:
            raise InvalidInputError.at(pointer, "cpf-format", "a CPF is text of 11 digits")
        digits = text.replace(".", "").replace("-", "")
        if digits == digits[0] * 11 or digits[9:] != _check_digits(digits[:9]):
            raise InvalidInputError.at(
                pointer, "cpf-check-digits", "the check digits of the CPF are wrong"
            )
        return cls(digits)

    @property
    def masked(self) -> str:
        """The form that public bodies show: `***.456.789-**`. Still personal data."""
        return f"***.{self.digits[3:6]}.{self.digits[6:9]}-**"

    def __repr__(self) -> str:
        return "Cpf(***)"

    def __str__(self) -> str:
        return self.masked


def _check_digits(body: str) -> str:
    first = _check_digit(body)
    return first + _check_digit(body + first)


def _check_digit(body: str) -> str:
    weights = range(len(body) + 1, 1, -1)
    rest = sum(int(digit) * weight for digit, weight in zip(body, weights, strict=True)) % 11
    return str(11 - rest) if rest > 1 else "0"
