"""
The canonical encoder: one value, one sequence of bytes, on every machine and in every locale.

Keys sorted by code point, no blanks, UTF-8, no floats at all. Decimals and money travel as text
whose scale the caller fixed, so that nothing depends on how a number was made.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from json import encoder
from typing import Any, Final, NoReturn

ENCODER_VERSION: Final = "1"

SCALARS: Final = frozenset({str, int, bool, type(None)})
TEXT: Final = frozenset({str})
type_error = "the canonical form knows None, bool, int, str, list, tuple and dict only"

#: Writes the canonical bytes of what `encode_trusted` is given.
Write = Callable[[object], bytes]

#: What any writer has to write alike: every escape, the order of keys, numbers of any size.
SAMPLES: Final = (
    "".join(map(chr, range(0x100))) + "\u2028\uffff\U0001f600",
    {"b": [1, -(10**30), 2**64], "a": {"\U00010000": (True, False, None), "\uffff": {}, "": []}},
)

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
    check_plain(value)
    return encode_trusted(value)


def encode_trusted(value: object) -> bytes:
    """
    Return the canonical bytes of what was made of nothing but text, whole numbers and containers.

    The caller vouches for that: a float would be written without a word.
    """
    return _used.write(value)


def write_with(write: Write) -> None:
    """
    Let the process write the canonical form by other means; the bytes are the same.

    Raises:
        ValueError: they are not, for the samples that are tried here; nothing was changed.
    """
    if any(write(sample) != _standard(sample) for sample in SAMPLES):
        raise ValueError("that is another form than the canonical one")
    _used.write = write


def _standard(value: object) -> bytes:
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


class _Used:
    """What writes now: the standard library, unless an outer layer has put another in its place."""

    __slots__ = ("write",)

    def __init__(self) -> None:
        self.write: Write = _standard


_used: Final = _Used()


def digest(value: object) -> str:
    """Return `sha256:<hex>` over the canonical bytes."""
    return sha256_text(encode(value))


def sha256_text(data: bytes) -> str:
    """Return `sha256:<hex>` over bytes that are already canonical."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Checked(dict[str, Any]):
    """An object that was looked through once, and is never changed; see `checked`."""


def checked(value: Mapping[str, object]) -> Checked:
    """
    Return an object that many others hold: `encode` looks through it now and never again.

    Raises:
        TypeError, RecursionError: as `encode`.
    """
    made = Checked(value)
    check_plain(dict(made))
    return made


def check_plain(value: Any) -> None:
    """
    Do nothing when the value is text, whole numbers and containers of them only.

    Raises:
        TypeError: a float, Decimal or another type that has no single text.
        RecursionError: it holds itself, or is nested too deeply.
    """
    # Encoders would write floats and turn numbers that are keys into text without a word.
    kind = type(value)
    if kind is Checked:
        return
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
            check_plain(item)
