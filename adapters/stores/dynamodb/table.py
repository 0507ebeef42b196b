"""
The table `credit-hot-data`, as one document: keys, indices, expiry, capacity mode.

Few values of `dataType` and `status` have most of the rows, so each index is partitioned by the
value and a number of the customer's: `docs/hot-store.md` has the arithmetic.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from zlib import crc32

#: Counts up with every change to `definition`; a change of keys or indices needs a migration.
VERSION: Final = 1
NAME: Final = "credit-hot-data"
KEY: Final = ("customerId", "dataType")
TTL: Final = "ttl"
RECENT: Final = "GSI1"
STATUS: Final = "GSI2"
#: Partition and sort key of each index.
INDEXES: Final[Mapping[str, tuple[str, str]]] = {
    RECENT: ("gsi1pk", "lastUpdated"),
    STATUS: ("gsi2pk", "createdAt"),
}
#: What an index holds beside keys: enough for a list, and nothing personal.
PROJECTED: Final[Mapping[str, tuple[str, ...]]] = {
    RECENT: ("version", "status", "createdAt", TTL),
    STATUS: ("version", "status", "lastUpdated", TTL),
}
NUMBERS: Final = frozenset({"lastUpdated", "createdAt"})
BILLING: Final = "PAY_PER_REQUEST"
#: Parts that a value of an index is cut into.
PARTS: Final = 16


def part_of(customer_id: str) -> str:
    """Return the number of a customer's part, in two digits."""
    return f"{crc32(customer_id.encode()) % PARTS:02d}"


def parts_of(value: str) -> list[str]:
    """Return every partition of an index that holds rows of a value."""
    return [f"{value}#{part:02d}" for part in range(PARTS)]


def family_of(data_type: str) -> str:
    """Return the kind of a row: what comes before the first `#`."""
    return data_type.partition("#")[0]


def definition(name: str = NAME) -> dict[str, Any]:
    """Return what CreateTable takes."""
    names = sorted({*KEY, *(name for pair in INDEXES.values() for name in pair)})
    return {
        "TableName": name,
        "BillingMode": BILLING,
        "KeySchema": key_schema(KEY),
        "AttributeDefinitions": [
            {"AttributeName": each, "AttributeType": "N" if each in NUMBERS else "S"}
            for each in names
        ],
        "GlobalSecondaryIndexes": [
            {
                "IndexName": index,
                "KeySchema": key_schema(pair),
                "Projection": {
                    "ProjectionType": "INCLUDE",
                    "NonKeyAttributes": list(PROJECTED[index]),
                },
            }
            for index, pair in INDEXES.items()
        ],
    }


def expiry(name: str = NAME) -> dict[str, Any]:
    """Return what UpdateTimeToLive takes."""
    return {
        "TableName": name,
        "TimeToLiveSpecification": {"Enabled": True, "AttributeName": TTL},
    }


def key_schema(names: tuple[str, ...]) -> list[dict[str, str]]:
    """Return a partition key, and a sort key where there is one, in the service's form."""
    kinds = ("HASH", "RANGE")
    return [
        {"AttributeName": name, "KeyType": kind} for name, kind in zip(names, kinds, strict=False)
    ]


@dataclass(frozen=True, slots=True)
class Form:
    """What a table of ours has to be like; all are on demand, and expire by `ttl`."""

    key: tuple[str, ...]
    indexes: Mapping[str, tuple[str, str]]
    definition: Callable[[str], dict[str, Any]]


FORM: Final = Form(KEY, INDEXES, definition)
