"""JSON from outside: what two readers could understand differently is refused."""

import json
from typing import Final, Never

from domain.customer import JsonObject
from domain.errors import InvalidInputError

#: The largest event; a request of many events has its own limit.
EVENT_BYTES_MAX: Final = 65_536
#: Containers within containers; the deepest valid document needs five.
DEPTH_MAX: Final = 16


def decode(raw: bytes, size_max: int = EVENT_BYTES_MAX) -> object:
    """
    Return the value that a JSON text in UTF-8 stands for.

    Raises:
        InvalidInputError: too large, not UTF-8, not JSON, nested too deep, a duplicate key, or a
            number that is not a plain whole one (money and rates travel as text).
    """
    if len(raw) > size_max:
        raise InvalidInputError.at("", "too-large", f"at most {size_max} bytes")
    try:
        value: object = _DECODER.decode(raw.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        # The decoder's own message quotes the text, so it must not travel on.
        raise InvalidInputError.at("", "json", "not JSON text in UTF-8") from error
    # A text with few brackets cannot be deep, and nearly every text has few.
    if raw.count(b"{") + raw.count(b"[") > DEPTH_MAX:
        _refuse_deep(value)
    return value


def _refuse_deep(value: object) -> None:
    level = [value]
    for _ in range(DEPTH_MAX + 1):
        level = [child for item in level for child in _children(item)]
        if not level:
            return
    raise InvalidInputError.at("", "too-deep", f"nested more than {DEPTH_MAX} deep")


def _children(value: object) -> list[object]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _unique(pairs: list[tuple[str, object]]) -> JsonObject:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise InvalidInputError.at("", "duplicate-key", "a key stands twice in one object")
    return result


def _refuse_number(_: str) -> Never:
    raise InvalidInputError.at("", "number-format", "numbers are whole, without point or exponent")


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_unique, parse_float=_refuse_number, parse_constant=_refuse_number
)
