"""
Lists over all customers, from the indices: every part is asked, the answers are merged.

An index is sorted by instant, and rows of one instant are in no order that the service tells. So a
page reads each part down to an instant that no row of the page has, and sorts by itself.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from adapters.stores.dynamodb.calls import CAPACITY, Calls, decoded
from adapters.stores.dynamodb.encoding import Capacity, Number, Text
from adapters.stores.dynamodb.errors import translated
from adapters.stores.dynamodb.queries import ALIVE
from adapters.stores.dynamodb.table import INDEXES, RECENT, STATUS, TTL, parts_of
from domain.errors import CreditError, TransientError
from domain.ports.storage import HotPlace, HotRow
from domain.ports.time import Clock, Deadline

#: Rows of a call at most, and calls to one part for one page: more rows of one instant are a fault.
CALL_MAX: Final = 200
CALLS_MAX: Final = 50
#: Calls of one page at once.
LANES: Final = 8


class _Listed(msgspec.Struct, frozen=True, rename="camel"):
    customer_id: Text
    data_type: Text
    version: Number
    status: Text | None = None
    last_updated: Number | None = None
    created_at: Number | None = None


class _Page(msgspec.Struct):
    items: list[_Listed] = msgspec.field(default_factory=list, name="Items")
    last: dict[str, Any] | None = msgspec.field(default=None, name="LastEvaluatedKey")
    used: Capacity | None = msgspec.field(default=None, name="ConsumedCapacity")


_PAGE: Final = msgspec.json.Decoder(_Page)


@dataclass(frozen=True, slots=True)
class _List:
    """What is listed: an index, its sort key, how many rows, and behind which place."""

    index: str
    limit: int
    after: HotPlace | None

    def order(self, row: HotRow) -> tuple[int, str, str]:
        """Return the place of a row: the newest first."""
        instant = row.updated_us if self.index == RECENT else row.created_us
        return (-(instant or 0), row.customer_id, row.data_type)

    def is_behind(self, row: HotRow) -> bool:
        """Tell whether a row comes after the place where the list goes on."""
        after = self.after
        if after is None:
            return True
        return self.order(row) > (-after.instant_us, after.customer_id, after.data_type)


class DynamoHotQueries:
    """Implements `domain.ports.storage.HotQueries` on the two indices of the table."""

    def __init__(self, calls: Calls, clock: Clock) -> None:
        self._calls, self._clock = calls, clock

    async def newest_of_type(
        self, family: str, limit: int, after: HotPlace | None, deadline: Deadline
    ) -> Sequence[HotRow]:
        """Return rows of a type, the one updated last first."""
        return await self._merged(family, _List(RECENT, limit, after), deadline)

    async def newest_of_status(
        self, status: str, limit: int, after: HotPlace | None, deadline: Deadline
    ) -> Sequence[HotRow]:
        """Return rows of a status, the one created last first."""
        return await self._merged(status, _List(STATUS, limit, after), deadline)

    async def _merged(self, value: str, listed: _List, deadline: Deadline) -> list[HotRow]:
        deadline.check(self._clock)
        self._calls.counts["queries"] += 1
        parts = parts_of(value)
        rows: list[HotRow] = []

        async def lane() -> None:
            while parts:
                try:
                    rows.extend(await self._of_part(parts.pop(), listed, deadline))
                except BaseException:
                    # Without one part there is no page: the others need not be asked.
                    parts.clear()
                    raise

        lanes = (lane() for _ in range(LANES))
        for result in await asyncio.gather(*lanes, return_exceptions=True):
            if isinstance(result, CreditError):
                raise translated(result, self._calls.region) from None
            if isinstance(result, BaseException):
                raise result
        return sorted(rows, key=listed.order)[: listed.limit]

    async def _of_part(self, part: str, listed: _List, deadline: Deadline) -> list[HotRow]:
        body = self._body(part, listed)
        found: list[HotRow] = []
        for _ in range(CALLS_MAX):
            page = decoded(_PAGE, await self._calls.ask("Query", body, deadline))
            self._calls.used("read_units", page.used)
            rows = [_row_of(item) for item in page.items]
            found += filter(listed.is_behind, rows)
            if page.last is None or _is_enough(found, rows, listed):
                return found
            body["ExclusiveStartKey"] = page.last
        raise TransientError("too many rows of one instant, or expired ones, for one page")

    def _body(self, part: str, listed: _List) -> dict[str, Any]:
        partition, sort = INDEXES[listed.index]
        condition, values = "#p = :p", {":p": {"S": part}}
        if listed.after is not None:
            condition += " AND #s <= :s"
            values[":s"] = {"N": str(listed.after.instant_us)}
        values[":now"] = {"N": str(int(self._clock.now().timestamp()))}
        names = {"#p": partition, "#t": TTL}
        return {
            "TableName": self._calls.table,
            "IndexName": listed.index,
            "KeyConditionExpression": condition,
            "FilterExpression": ALIVE,
            "ExpressionAttributeNames": names | ({"#s": sort} if listed.after else {}),
            "ExpressionAttributeValues": values,
            "ScanIndexForward": False,
            "Limit": min(listed.limit + 1, CALL_MAX),
            "ReturnConsumedCapacity": CAPACITY,
        }


def _is_enough(found: Sequence[HotRow], rows: Sequence[HotRow], listed: _List) -> bool:
    """Tell whether whatever comes later in this part is behind a full page."""
    if len(found) < listed.limit or not rows:
        return False
    # What comes later may be of the same instant as the last row, but not of a newer one.
    return listed.order(rows[-1])[0] > listed.order(found[listed.limit - 1])[0]


def _row_of(item: _Listed) -> HotRow:
    return HotRow(
        item.customer_id.value, item.data_type.value, int(item.version.value),
        None if item.status is None else item.status.value,
        _whole(item.created_at), _whole(item.last_updated),
    )  # fmt: skip


def _whole(number: Number | None) -> int | None:
    return None if number is None else int(number.value)
