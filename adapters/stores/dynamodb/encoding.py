"""
Rows as items of the table, and back.

The payload is binary (type B). Of the readable columns the table keeps its own: `lastUpdated` and
`createdAt` in microseconds, `status`; other names are left out.
"""

from typing import Final

import msgspec

from adapters.stores.dynamodb.table import KEY, family_of, part_of
from domain.ports.storage import ProjectionRow

#: The service counts names and values, a KiB as 1,024 bytes.
ITEM_MAX: Final = 400 * 1024
#: More than names, numbers and index keys of a row can take.
FRAME: Final = 512
#: A payload and names below this many bytes and characters fit, whatever else a row has.
SMALL: Final = 256 * 1024
SHORT: Final = 4 * 1024


class Text(msgspec.Struct, frozen=True):
    """An attribute of type S."""

    value: str = msgspec.field(name="S")


class Number(msgspec.Struct, frozen=True):
    """An attribute of type N."""

    value: str = msgspec.field(name="N")


class Binary(msgspec.Struct, frozen=True):
    """An attribute of type B: base64 on the wire."""

    value: bytes = msgspec.field(name="B")


class Item(msgspec.Struct, frozen=True, rename="camel"):
    """A row as the table holds it."""

    customer_id: Text
    data_type: Text
    version: Number
    payload: Binary
    gsi1pk: Text | None = None
    gsi2pk: Text | None = None
    ttl: Number | None = None
    last_updated: Number | None = None
    created_at: Number | None = None
    status: Text | None = None


class Key(msgspec.Struct, frozen=True, rename="camel"):
    """A primary key."""

    customer_id: Text
    data_type: Text

    @property
    def pair(self) -> tuple[str, str]:
        """The key as rows have it."""
        return (self.customer_id.value, self.data_type.value)


class Capacity(msgspec.Struct, frozen=True):
    """What a call used, in capacity units of one table and its indices."""

    units: float = msgspec.field(default=0.0, name="CapacityUnits")


def item_of(row: ProjectionRow) -> dict[str, dict[str, str | bytes]]:
    """Return the item of a row; what is not known is left out."""
    columns = row.columns or {}
    part = part_of(row.customer_id)
    # Not an `Item`: making one of plain dictionaries takes half the time.
    item: dict[str, dict[str, str | bytes]] = {
        "customerId": {"S": row.customer_id},
        "dataType": {"S": row.data_type},
        "version": {"N": str(row.version)},
        "payload": {"B": row.payload},
        "gsi1pk": {"S": f"{family_of(row.data_type)}#{part}"},
    }
    if row.expires_s is not None:
        item["ttl"] = {"N": str(row.expires_s)}
    if (status := columns.get("status")) is not None:
        item["status"] = {"S": str(status)}
        item["gsi2pk"] = {"S": f"{status}#{part}"}
    for name in ("lastUpdated", "createdAt"):
        if (value := columns.get(name)) is not None:
            item[name] = {"N": str(value)}
    return item


def row_of(item: Item) -> ProjectionRow:
    """Return the row of an item."""
    columns: dict[str, str | int] = {}
    if item.last_updated is not None:
        columns["lastUpdated"] = int(item.last_updated.value)
    if item.status is not None:
        columns["status"] = item.status.value
    if item.created_at is not None:
        columns["createdAt"] = int(item.created_at.value)
    return ProjectionRow(
        item.customer_id.value, item.data_type.value, int(item.version.value),
        item.payload.value, columns=columns or None, expires_s=expires_of(item.ttl),
    )  # fmt: skip


def expires_of(ttl: Number | None) -> int | None:
    """Return the epoch second after which a row is not read any more."""
    return None if ttl is None else int(ttl.value)


def key_json(key: tuple[str, str]) -> dict[str, dict[str, str]]:
    """Return a primary key in the service's form."""
    return {name: {"S": value} for name, value in zip(KEY, key, strict=True)}


def too_large(row: ProjectionRow) -> bool:
    """Tell whether the service would refuse a row for its size (or nearly)."""
    if len(row.payload) < SMALL and len(row.customer_id) + len(row.data_type) < SHORT:
        return False
    texts = (row.customer_id, row.data_type, str((row.columns or {}).get("status", "")))
    # The type and the status stand twice: as themselves and in the key of an index.
    size = sum(len(text.encode()) for text in texts) * 2 + len(row.payload)
    return size + FRAME > ITEM_MAX
