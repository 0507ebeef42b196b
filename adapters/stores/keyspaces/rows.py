"""
A row as the table holds it.

Money stands there as decimals with two places, instants with milliseconds, as the brief's columns
have them; what is exact is in `payload`, whose bytes are UTF-8 text.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from struct import error
from typing import Any, Final

from adapters.stores.keyspaces.encoding import (
    bigint,
    decimal_of_centavos,
    int32,
    timestamp_of_micros,
)
from adapters.stores.keyspaces.statements import READABLE, SHAPES
from domain.errors import PermanentError
from domain.ports.storage import ProjectionRow

#: Keyspaces refuses larger rows; a part of it is left for keys and columns.
ROW_BYTES_MAX: Final = 1_000_000
VERSION_MAX: Final = 2**63 - 1
#: Five years. Servers refuse what ends after 2038 (Cassandra) or lives more than twenty years
#: (Keyspaces); such a row is kept, and its column alone ends it for readers.
TTL_MAX: Final = 157_680_000
MILLI: Final = 1_000
PLACES: Final = 2
EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001  the driver gives naive instants in UTC
MONEY: Final = frozenset({"amount", "monthly_income", "existing_debts"})
INSTANTS: Final = frozenset({"created_at", "updated_at"})
HUNDRED: Final = 10**PLACES
TEXTS: Final = frozenset({"transaction_id", "status"})


def _centavos(amount: Decimal) -> int:
    return int(amount * HUNDRED)


def _micros(instant: datetime) -> int:
    return epoch_millis(instant) * MILLI


#: How a column's value is written and read; None where the driver's form is ours.
ENCODERS: Final[Mapping[str, Callable[[Any], bytes]]] = {
    name: str.encode if name in TEXTS
    else decimal_of_centavos if name in MONEY
    else timestamp_of_micros if name in INSTANTS
    else int32
    for name in READABLE
}  # fmt: skip
DECODERS: Final[Sequence[Callable[[Any], int] | None]] = [
    _centavos if name in MONEY else _micros if name in INSTANTS else None for name in READABLE
]


def shape_of(row: ProjectionRow) -> tuple[str, ...]:
    """Return the columns to write of an appended row: those it has, or all when that is new."""
    given = row.columns or {}
    shape = tuple(name for name in READABLE if given.get(name) is not None)
    return shape if shape in SHAPES else READABLE


def key_of(row: ProjectionRow) -> list[bytes | None]:
    """Return the key's bytes."""
    return [row.customer_id.encode(), row.data_type.encode()]


def values_of(row: ProjectionRow, shape: Sequence[str] = READABLE) -> list[bytes | None]:
    """
    Return the bytes of the row after its key: the fixed columns, then those of the shape.

    Raises:
        PermanentError: the table cannot hold this row.
    """
    payload = row.payload
    if len(payload) > ROW_BYTES_MAX or not 0 <= row.version <= VERSION_MAX:
        raise PermanentError("a row of more than 1 MB, or a version of more than 63 bits")
    try:
        payload.decode()
    except UnicodeDecodeError:
        raise PermanentError("a payload that is no UTF-8 text") from None
    ttl = None if row.expires_s is None else bigint(row.expires_s * MILLI)
    values = [bigint(row.version), payload, row.event_id.encode(), ttl]
    given = row.columns
    if not given:
        return values + [None] * len(shape)
    try:
        for name in shape:
            value = given.get(name)
            values.append(None if value is None else ENCODERS[name](value))
    except (TypeError, AttributeError, error):
        raise PermanentError("a readable column has a value of another type") from None
    return values


def row_of(found: Sequence[Any]) -> ProjectionRow:
    """Return the row of what was read in the order of `COLUMNS`."""
    customer_id, data_type, version, payload, event_id, ttl, *readable = found
    columns: dict[str, str | int] = {}
    for name, value, decode in zip(READABLE, readable, DECODERS, strict=True):
        if value is not None:
            columns[name] = decode(value) if decode else value
    return ProjectionRow(
        customer_id,
        data_type,
        version,
        payload.encode(),
        event_id or "",
        columns or None,
        None if ttl is None else epoch_millis(ttl) // MILLI,
    )


def epoch_millis(instant: datetime) -> int:
    """Return the milliseconds since the epoch of what the driver gave for an instant."""
    since = instant - EPOCH
    return (since.days * 86_400 + since.seconds) * MILLI + since.microseconds // MILLI


def ttl_of(row: ProjectionRow, now: datetime) -> int | None:
    """Return the seconds that the server keeps the row, 0 or less once past; None for ever."""
    if row.expires_s is None:
        return None
    left = row.expires_s - int(now.astimezone(UTC).timestamp())
    return left if left <= TTL_MAX else None
