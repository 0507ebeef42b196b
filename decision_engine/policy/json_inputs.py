"""The inputs of an evaluation, read strictly from JSON: exact numbers under dotted names."""

import json
from decimal import Decimal
from typing import Any, Final, Never

from decision_engine.policy.limits import FILE_BYTES, JSON_DEPTH
from decision_engine.policy.values import Value
from domain.errors import InvalidInputError


def read_inputs(raw: bytes) -> dict[str, Value | None]:
    """
    Return the leaves of one JSON object by their dotted names; numbers are `Decimal`, null is None.

    A list is no value of any input and counts as missing.

    Raises:
        InvalidInputError: too large, not UTF-8, not one JSON object, a name twice (`{"a": {"b": 1},
            "a.b": 2}` too), NaN or Infinity, half a character, nested too deep.
    """
    if len(raw) > FILE_BYTES:
        raise InvalidInputError(f"the inputs have more than {FILE_BYTES} bytes")
    try:
        text = raw.decode()
        found = _quickly(text)
        return _carefully(text) if found is None else found
    except (ValueError, ArithmeticError, RecursionError):
        raise InvalidInputError("the inputs are not JSON in UTF-8") from None


def _quickly(text: str) -> dict[str, Value | None] | None:
    """
    Return the inputs when the text is certainly in order, else None.

    Every pair has its colon: with as many colons as different keys, none stands twice.
    """
    if "\\" in text or text[:1] != "{":
        return None
    value, end = _plain.raw_decode(text)
    found: dict[str, Value | None] = {}
    leaves, objects = _add(value, "", found, JSON_DEPTH)
    certain = leaves == len(found) and leaves + objects == text.count(":") and end == len(text)
    return found if certain else None


def _carefully(text: str) -> dict[str, Value | None]:
    value = _decode(text)
    if type(value) is not dict:
        raise InvalidInputError("the inputs must be one JSON object")
    found: dict[str, Value | None] = {}
    leaves, _ = _add(value, "", found, JSON_DEPTH)
    if leaves != len(found):
        raise InvalidInputError("a name stands twice in the inputs")
    for item in found.values():
        if type(item) is str:
            item.encode()  # half a character is a ValueError
    return found


def _add(
    value: dict[str, Any], prefix: str, found: dict[str, Value | None], depth: int
) -> tuple[int, int]:
    """Add the leaves of an object; return how many there are, and how many objects inside."""
    if not depth:
        raise InvalidInputError(f"the inputs are nested deeper than {JSON_DEPTH}")
    leaves, objects = len(value), 0
    for key, item in value.items():
        kind = type(item)
        if kind is dict:
            inner = _add(item, f"{prefix}{key}.", found, depth - 1)
            leaves += inner[0] - 1
            objects += inner[1] + 1
        else:
            found[prefix + key] = None if kind is list else item
    return leaves, objects


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise InvalidInputError("a name stands twice in the inputs")
    return result


def _refuse_constant(name: str) -> Never:
    raise InvalidInputError(f"{name} is not a number")


_plain: Final = json.JSONDecoder(
    parse_float=Decimal, parse_int=Decimal, parse_constant=_refuse_constant
)
_decode: Final = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_float=Decimal,
    parse_int=Decimal,
    parse_constant=_refuse_constant,
).decode
