"""
Strict readers of single fields: the value in its inner form, or an error naming the place.

Errors carry our own names and sentences only, never what was sent: not even an unknown key.
"""

import re
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Final, NoReturn

from domain.customer import JsonObject
from domain.errors import InvalidInputError
from domain.instants import parse_instant

YEARS: Final = "(?:199[0-9]|20[0-9]{2}|2100)"
YEARS_OF_LIFE: Final = "(?:19[0-9]{2}|20[0-9]{2}|2100)"
_BOUNDED: Final = re.compile(rf"{YEARS}-.*", re.ASCII)
PERIOD_TEXT: Final = re.compile(rf"{YEARS}-(?:0[1-9]|1[0-2])", re.ASCII)
SIGNED_MONEY_TEXT: Final = re.compile(
    r"-?[1-9][0-9]{0,11}\.[0-9]{2}|0\.[0-9]{2}|-0\.(?:0[1-9]|[1-9][0-9])", re.ASCII
)
#: The longest text that a producer may send in one field.
TEXT_MAX: Final = 200
#: Free text without control characters; a lone surrogate could not be stored as UTF-8.
FREE_TEXT: Final = re.compile(rf"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{{1,{TEXT_MAX}}}")

NOTHING: Final[frozenset[str]] = frozenset()


def fail(pointer: str, code: str, detail: str) -> NoReturn:
    """Raise the error for one fault."""
    raise InvalidInputError.at(pointer, code, detail)


def object_of(
    value: object,
    pointer: str,
    required: AbstractSet[str],
    optional: AbstractSet[str] = NOTHING,
) -> JsonObject:
    """
    Read an object with exactly the fields named.

    Raises:
        InvalidInputError: `object-expected`, `field-missing` or `unknown-field`.
    """
    if type(value) is not dict:
        fail(pointer, "object-expected", "a JSON object is expected")
    keys = value.keys()
    if keys != required:
        _check_keys(keys, pointer, required, optional)
    return value


def _check_keys(
    keys: AbstractSet[str], pointer: str, required: AbstractSet[str], optional: AbstractSet[str]
) -> None:
    missing = min(required - keys, default=None)
    if missing is not None:
        fail(f"{pointer}/{missing}", "field-missing", "this field is mandatory")
    if not keys <= required | optional:
        fail(pointer, "unknown-field", "a field that the schema does not know")


def text_of(value: object, pointer: str, pattern: re.Pattern[str], code: str) -> str:
    """
    Read text of a stated shape.

    Raises:
        InvalidInputError: the code given.
    """
    if type(value) is not str or pattern.fullmatch(value) is None:
        fail(pointer, code, "text of another shape is expected")
    return value


def whole_of(value: object, pointer: str, low: int, high: int) -> int:
    """
    Read a whole number within bounds; a boolean is none.

    Raises:
        InvalidInputError: `whole-number`.
    """
    if type(value) is not int or not low <= value <= high:
        fail(pointer, "whole-number", f"a whole number from {low} to {high}")
    return value


def choice_of(value: object, pointer: str, allowed: AbstractSet[str]) -> str:
    """
    Read one of a closed set of words.

    Raises:
        InvalidInputError: `choice`.
    """
    if type(value) is not str or value not in allowed:
        fail(pointer, "choice", "one of " + ", ".join(sorted(allowed)))
    return value


def instant_of(value: object, pointer: str) -> datetime:
    """
    Read an instant in UTC of the years 1990 to 2100.

    Raises:
        InvalidInputError: `instant-format`.
    """
    text_of(value, pointer, _BOUNDED, "instant-format")
    return parse_instant(value, pointer)


def period_of(value: object, pointer: str) -> int:
    """
    Read a month `YYYY-MM` as the number that `instants.month_of` gives.

    Raises:
        InvalidInputError: `period-format`.
    """
    text = text_of(value, pointer, PERIOD_TEXT, "period-format")
    return int(text[:4]) * 12 + int(text[5:]) - 1


def signed_centavos(value: object, pointer: str) -> int:
    """
    Read money that may be negative (a credit balance), as centavos; there is no `-0.00`.

    Raises:
        InvalidInputError: `money-format`.
    """
    text = text_of(value, pointer, SIGNED_MONEY_TEXT, "money-format")
    return int(text.replace(".", "", 1))
