"""
The canonical encoder: one value, one sequence of bytes, on every machine and in every locale.

Keys sorted by code point, no blanks, UTF-8, no floats at all. Decimals and money travel as text
whose scale the caller fixed, so that nothing depends on how a number was made.
"""

import hashlib
import json
from typing import Any, Final

ENCODER_VERSION: Final = "1"

SCALARS: Final = frozenset({str, int, bool, type(None)})
TEXT: Final = frozenset({str})
type_error = "the canonical form knows None, bool, int, str, list, tuple and dict only"

Json = None | bool | int | str | list["Json"] | tuple["Json", ...] | dict[str, "Json"]

_encoder = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
)


def encode(value: object) -> bytes:
    """
    Return the canonical bytes.

    Raises:
        TypeError: a float, Decimal or another type that has no single text.
    """
    _refuse_foreign(value)
    return _encoder.encode(value).encode()


def digest(value: object) -> str:
    """Return `sha256:<hex>` over the canonical bytes."""
    return sha256_text(encode(value))


def sha256_text(data: bytes) -> str:
    """Return `sha256:<hex>` over bytes that are already canonical."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def _refuse_foreign(value: object) -> None:
    # Encoders would write floats and turn numbers that are keys into text without a word.
    waiting = [value]
    while waiting:
        item: Any = waiting.pop()
        kind = type(item)
        if kind is dict:
            if not TEXT.issuperset(map(type, item)):
                raise TypeError(type_error)
            item = item.values()
        elif kind in SCALARS:
            continue
        elif kind is not list and kind is not tuple:
            raise TypeError(type_error)
        if not SCALARS.issuperset(map(type, item)):
            waiting += [inner for inner in item if type(inner) not in SCALARS]
