"""
The canonical encoder: one value, one sequence of bytes, on every machine and in every locale.

Keys sorted by code point, no blanks, UTF-8, no floats at all. Decimals and money travel as text
whose scale the caller fixed, so that nothing depends on how a number was made.
"""

import hashlib
import json
from json import encoder
from typing import Any, Final, NoReturn

ENCODER_VERSION: Final = "1"

SCALARS: Final = frozenset({str, int, bool, type(None)})
TEXT: Final = frozenset({str})
type_error = "the canonical form knows None, bool, int, str, list, tuple and dict only"

Json = None | bool | int | str | list["Json"] | tuple["Json", ...] | dict[str, "Json"]

#: Types that most values have; they are let go at once.
COMMON: Final = frozenset({str, int})

_encoder = json.JSONEncoder(
    sort_keys=True,
    separators=(",", ":"),
    ensure_ascii=False,
    allow_nan=False,
    # What was looked through below has no circles.
    check_circular=False,
)


def encode(value: object) -> bytes:
    """
    Return the canonical bytes.

    Raises:
        TypeError: a float, Decimal or another type that has no single text.
        RecursionError: it holds itself, or is nested too deeply.
    """
    _refuse_foreign(value)
    return encode_trusted(value)


def encode_trusted(value: object) -> bytes:
    """
    Return the canonical bytes of what was made of nothing but text, whole numbers and containers.

    The caller vouches for that: a float would be written without a word.
    """
    if _write is None:
        return _encoder.encode(value).encode()
    return "".join(_write(value, 0)).encode()


def _foreign(_value: object) -> NoReturn:
    raise TypeError(type_error)


def _writer() -> Any:
    # `JSONEncoder.encode` makes its writer anew for each value, which costs as much as a small one.
    make = getattr(encoder, "c_make_encoder", None)
    if make is None:
        return None
    sort_keys, skip_keys, allow_nan = True, False, False
    quote = encoder.encode_basestring
    return make(None, _foreign, quote, None, ":", ",", sort_keys, skip_keys, allow_nan)


_write: Final = _writer()


def digest(value: object) -> str:
    """Return `sha256:<hex>` over the canonical bytes."""
    return sha256_text(encode(value))


def sha256_text(data: bytes) -> str:
    """Return `sha256:<hex>` over bytes that are already canonical."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def _refuse_foreign(value: Any) -> None:
    # Encoders would write floats and turn numbers that are keys into text without a word.
    kind = type(value)
    if kind is dict:
        if not TEXT.issuperset(map(type, value)):
            raise TypeError(type_error)
        inner = value.values()
    elif kind is list or kind is tuple:
        inner = value
    elif kind in SCALARS:
        return
    else:
        raise TypeError(type_error)
    for item in inner:
        if type(item) not in COMMON:
            _refuse_foreign(item)
