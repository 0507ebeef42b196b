"""Calls to one table: named, encoded, decoded, and what they used counted."""

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final, TypeVar

import msgspec

from adapters.aws.retrying import Retrying
from adapters.stores.dynamodb.encoding import Capacity
from domain.errors import TransientError
from domain.ports.storage import Applied
from domain.ports.time import Deadline

T = TypeVar("T")

API: Final = "DynamoDB_20120810."
CAPACITY: Final = "TOTAL"
COUNTED: Final = (
    "reads", "queries", *Applied, "unprocessed_keys", "transactions_cancelled",
)  # fmt: skip

encode: Final = msgspec.json.Encoder().encode


class Calls:
    """What all parts of the adapter share: the client, the table's name, and counters."""

    def __init__(self, client: Retrying, table: str, region: str) -> None:
        self.client, self.table, self.region = client, table, region
        self.table_json = encode(table)
        self.counts: Counter[str] = Counter(dict.fromkeys(COUNTED, 0))
        self._units: dict[str, float] = {"read_units": 0.0, "write_units": 0.0}

    async def ask(self, action: str, body: Mapping[str, Any], deadline: Deadline) -> bytes:
        """Make one call whose repetition does no harm; raises as `Retrying.call`."""
        return await self.client.call(API + action, encode(body), deadline)

    async def send(self, action: str, body: bytes, deadline: Deadline) -> bytes:
        """Make one call whose body is encoded already."""
        return await self.client.call(API + action, body, deadline)

    def used(self, kind: str, *capacities: Capacity | None) -> None:
        """Add what a call used to `read_units` or `write_units`."""
        for each in capacities:
            if each is not None:
                self._units[kind] += each.units

    def metrics(self) -> dict[str, float]:
        """Return counters since start."""
        return {**self.counts, **self._units, **self.client.metrics()}


def decoded(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """
    Return what a reply says.

    Raises:
        TransientError: it is not in the form of this table; what it says is not quoted.
    """
    try:
        return decoder.decode(body)
    except msgspec.DecodeError:
        raise TransientError("DynamoDB holds a row of another form, or answers in one") from None
