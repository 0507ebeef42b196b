"""Functions of texts. A character is a Unicode code point; what is made has a bounded length."""

import re
from decimal import Decimal
from typing import Final

from decision_engine.policy.functions.signature import (
    TEXTS,
    Function,
    NoResultError,
    either,
    form,
)
from decision_engine.policy.limits import LIST_ITEMS, NUMBER_DIGITS, TEXT_CHARACTERS
from decision_engine.policy.values import Scalar, plain

_NUMBER: Final = re.compile(r"-?[0-9]+(?:\.[0-9]+)?", re.ASCII)
#: Unicode's White_Space; `str.strip` alone also takes the separators U+001C to U+001F.
_BLANKS: Final = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)


def joined(left: str, right: str) -> str:
    """Return one text after the other; over 65,536 characters there is none."""
    return _bounded(left + right)


def upper(text: str) -> str:
    """Return the text in upper case, by Unicode's full rules (`ß` becomes `SS`)."""
    return _bounded(text.upper())


def lower(text: str) -> str:
    """Return the text in lower case, by Unicode's full rules."""
    return _bounded(text.lower())


def split(text: str, separator: str) -> tuple[str, ...]:
    """
    Return the pieces between separators; there is always one more than separators.

    Raises:
        ArithmeticError: the separator is empty, or there are more than 1,000 pieces.
    """
    if not separator or text.count(separator) >= LIST_ITEMS:
        raise NoResultError
    return tuple(text.split(separator))


def number(value: Scalar) -> Decimal:
    """
    Return the number that a text says: digits with a point and a sign, and nothing else.

    Raises:
        ArithmeticError: it does not, or in more than 34 characters.
    """
    if isinstance(value, Decimal):
        return value
    text = str(value)
    if len(text) > NUMBER_DIGITS or _NUMBER.fullmatch(text) is None:
        raise NoResultError
    return Decimal(text)


def string(value: Scalar) -> str:
    """Return the one text of a value: no exponent, no zeros that say nothing."""
    return _bounded(plain(value))


def _bounded(text: str) -> str:
    if len(text) > TEXT_CHARACTERS:
        raise NoResultError
    return text


_ONE: Final = form("string", gives="string")
_PAIR: Final = form("string", "string", gives="boolean")
ENTRIES: Final = (
    Function("upper", "a text", _ONE, upper),
    Function("lower", "a text", _ONE, lower),
    Function("trim", "a text", _ONE, lambda text: text.strip(_BLANKS)),
    Function("startsWith", "two texts", _PAIR, str.startswith),
    Function("endsWith", "two texts", _PAIR, str.endswith),
    Function("split", "a text and a separator", form("string", "string", gives=TEXTS), split),
    Function(
        "string",
        "a number, a boolean or a text",
        either(
            form("number", gives="string"),
            form("boolean", gives="string"),
            form("string", gives="string"),
        ),
        string,
    ),
    Function(
        "number",
        "a text or a number",
        either(form("string", gives="number"), form("number", gives="number")),
        number,
    ),
)
