"""
Values as the protocol's bytes.

The driver's `bind` looks every value's type up by name; a write of a row has fifteen of them, and
that alone costs a fifth of it. Types and forms: the CQL binary protocol, version 4, section 6.
"""

from collections.abc import Sequence
from struct import Struct
from typing import Any, Final

from cassandra.query import BoundStatement

_BIGINT: Final = Struct(">q").pack
_INT: Final = Struct(">i").pack
#: A decimal is its scale and then its digits; ours are centavos.
_TWO_PLACES: Final = _INT(2)

bigint = _BIGINT
int32 = _INT


def decimal_of_centavos(centavos: int) -> bytes:
    """Return a decimal with two places."""
    size = (centavos.bit_length() + 8) // 8
    return _TWO_PLACES + centavos.to_bytes(size, "big", signed=True)


def timestamp_of_micros(micros: int) -> bytes:
    """Return a timestamp, which has milliseconds; what is finer is cut."""
    return _BIGINT(micros // 1_000)


def texts(values: Sequence[str]) -> bytes:
    """Return a list of texts."""
    parts = [_INT(len(values))]
    for value in values:
        each = value.encode()
        parts += (_INT(len(each)), each)
    return b"".join(parts)


def statement_of(prepared: Any, values: list[bytes | None]) -> Any:
    """Return a prepared statement with its values."""
    statement = BoundStatement(prepared)
    statement.values = statement.raw_values = values
    return statement
