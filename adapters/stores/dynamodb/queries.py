"""Rows of one customer by prefix, newest first."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from adapters.stores.dynamodb.calls import CAPACITY, Calls, decoded
from adapters.stores.dynamodb.encoding import Capacity, Item, key_json
from adapters.stores.dynamodb.table import KEY, TTL
from domain.ports.time import Deadline

#: Above every character that a `data_type` can hold.
LAST: Final = "\U0010ffff"
ALIVE: Final = "attribute_not_exists(#t) OR #t > :now"
#: Rows that have expired and are not deleted yet use up a part of what a page may look at.
SPARE: Final = 8
PAGE_MAX: Final = 1_000


class _Page(msgspec.Struct):
    items: list[Item] = msgspec.field(default_factory=list, name="Items")
    last: dict[str, Any] | None = msgspec.field(default=None, name="LastEvaluatedKey")
    used: Capacity | None = msgspec.field(default=None, name="ConsumedCapacity")


_PAGE: Final = msgspec.json.Decoder(_Page)


async def by_prefix(
    calls: Calls, customer_id: str, prefix: str, span: tuple[int, str], *,
    now_s: int, deadline: Deadline,
) -> Sequence[Item]:  # fmt: skip
    """Return items newest first; `span` is how many at most, and before which `data_type`."""
    limit, before = span
    if limit < 1 or (before and before <= prefix):
        return []
    body = _body(calls.table, customer_id, prefix, now_s)
    if before and before < prefix + LAST:
        body["ExclusiveStartKey"] = key_json((customer_id, before))
    found: list[Item] = []
    while True:
        body["Limit"] = min(limit - len(found) + SPARE, PAGE_MAX)
        page = decoded(_PAGE, await calls.ask("Query", body, deadline))
        calls.used("read_units", page.used)
        found += page.items
        if page.last is None or len(found) >= limit:
            return found[:limit]
        body["ExclusiveStartKey"] = page.last


def _body(table: str, customer_id: str, prefix: str, now_s: int) -> dict[str, Any]:
    names = {"#c": KEY[0], "#t": TTL}
    values = {":c": {"S": customer_id}, ":now": {"N": str(now_s)}}
    condition = "#c = :c"
    if prefix:
        names["#d"], values[":d"] = KEY[1], {"S": prefix}
        condition += " AND begins_with(#d, :d)"
    return {
        "TableName": table,
        "KeyConditionExpression": condition,
        "FilterExpression": ALIVE,
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
        "ScanIndexForward": False,
        "ReturnConsumedCapacity": CAPACITY,
    }
