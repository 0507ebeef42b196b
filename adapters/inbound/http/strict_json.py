"""
JSON without surprises, read once from raw bytes.

What two readers could understand differently is refused: other encodings, duplicate keys, NaN,
deep nesting, half characters. No field of the contract is a number with a fraction, so such a
number becomes a marker that fits no type and is refused where it stands.
"""

import json
from typing import Any, Final, Never

from adapters.inbound.http.refusals import ProblemError, refused

DEPTH_MAX: Final = 64
#: A whole number of the contract fits in 64 bits; longer ones are markers too.
DIGITS_MAX: Final = 18
WHOLE_MAX: Final = 10**DIGITS_MAX - 1


class NotWhole:
    """A JSON number with a fraction, an exponent or too many digits; fits no field."""

    def __repr__(self) -> str:
        return "NotWhole()"


NOT_WHOLE: Final = NotWhole()


def read_json(raw: bytes) -> Any:
    """
    Return the value that the bytes hold.

    Raises:
        ProblemError: `json-encoding`, `json-malformed`, `json-duplicate-key`, `json-depth`; or
            `invalid-input` for a NUL character.
    """
    try:
        value = _decoder.decode(raw.decode("utf-8"))
    except UnicodeDecodeError:
        raise ProblemError("json-encoding") from None
    except RecursionError:
        raise ProblemError("json-depth") from None
    except ValueError:
        raise ProblemError("json-malformed") from None
    # Too few brackets to nest too deep and no escape to hide a character: nothing to walk for.
    if raw.count(b"{") + raw.count(b"[") > DEPTH_MAX or b"\\u" in raw:
        _walk(value)
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ProblemError("json-duplicate-key")
    return result


def _whole(digits: str) -> int | NotWhole:
    return int(digits) if len(digits.lstrip("-")) <= DIGITS_MAX else NOT_WHOLE


def _refuse_constant(_: str) -> Never:
    raise ProblemError("json-malformed")


def _walk(value: Any) -> None:
    level = [value]
    for _ in range(DEPTH_MAX):
        level = [child for item in level for child in _children(item)]
    for item in level:
        if isinstance(item, dict | list):
            raise ProblemError("json-depth")
        _children(item)


def _children(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [*value, *value.values()]
    if isinstance(value, str):
        _check_text(value)
    return value if isinstance(value, list) else []


def _check_text(text: str) -> None:
    if "\x00" in text:
        raise refused("", "text-nul", "a text holds the character NUL")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise ProblemError("json-encoding") from None


_decoder: Final = json.JSONDecoder(
    object_pairs_hook=_unique,
    parse_float=lambda _: NOT_WHOLE,
    parse_int=_whole,
    parse_constant=_refuse_constant,
)
