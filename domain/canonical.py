"""
The canonical encoder: one value, one sequence of bytes, on every machine and in every locale.

Keys sorted by code point, no blanks, UTF-8, no floats at all. Decimals and money travel as text
whose scale the caller fixed, so that nothing depends on how a number was made.
"""

import hashlib
import json
from typing import Final

ENCODER_VERSION: Final = "1"

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
    kind = type(value)
    if kind is dict:
        for key, item in value.items():  # type: ignore[attr-defined]
            if type(key) is not str:
                raise TypeError(type_error)
            _refuse_foreign(item)
    elif kind is list or kind is tuple:
        for item in value:  # type: ignore[attr-defined]
            _refuse_foreign(item)
    elif value is not None and kind not in (str, int, bool):
        raise TypeError(type_error)
