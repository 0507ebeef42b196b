"""The board of circuit breakers, on the table `circuit-breaker-state`."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from adapters.aws.errors import AwsRefusedError
from adapters.aws.retrying import Retrying
from adapters.stores.dynamodb import breaker_table
from adapters.stores.dynamodb.calls import Calls, decoded
from adapters.stores.dynamodb.checking import check_table, create_table
from adapters.stores.dynamodb.errors import AccessRefusedError, TableMissingError, translated
from adapters.stores.dynamodb.table import TTL
from domain.errors import CreditError
from domain.ports.breakers import ROWS_MAX, BreakerRow, BreakerState
from domain.ports.monitoring import Monitoring
from domain.ports.time import Deadline

#: DynamoDB deletes what has expired within some days, so a page may hold few living rows.
PAGES_MAX: Final = 4
SERVICE: Final = breaker_table.KEY[0]
NAME_CHARS_MAX: Final = 256
OUTDATED: Final = "ConditionalCheckFailedException"
FORBIDDEN: Final = "AccessDeniedException"
#: A row that a process has written later stands.
NEWER: Final = "attribute_not_exists(#u) OR #u <= :u"
NUMBERS: Final = ("failure_count", "success_count", "last_failure_time", "updated")


class _Page(msgspec.Struct):
    items: list[dict[str, Any]] = msgspec.field(default_factory=list, name="Items")
    last: dict[str, Any] | None = msgspec.field(default=None, name="LastEvaluatedKey")


_PAGE: Final = msgspec.json.Decoder(_Page)


class DynamoBreakerBoard:
    """
    Implements `adapters.resilience.board.BreakerBoard`; reads are eventually consistent.

    What a row says that is none of ours is left out, and counted: it takes nobody else's away.
    """

    def __init__(
        self, client: Retrying, *, region: str, monitoring: Monitoring,
        table: str = breaker_table.NAME,
    ) -> None:  # fmt: skip
        """Take a client of DynamoDB, which this board closes; the first call connects."""
        self._calls = Calls(client, table, region)
        self._clock, self._monitoring = client.clock, monitoring

    async def publish(self, rows: Sequence[BreakerRow], deadline: Deadline) -> None:
        """See `BreakerBoard.publish`: a row each, so some may stand when this raises."""
        for row in rows:
            try:
                await self._calls.ask("PutItem", self._put(row), deadline)
            except AwsRefusedError as error:
                if error.service_code != OUTDATED:
                    raise translated(error, self._calls.region) from None
            except CreditError as error:
                raise translated(error, self._calls.region) from None

    async def read(self, deadline: Deadline) -> Sequence[BreakerRow]:
        """See `BreakerBoard.read`; of a table with more than four thousand rows, some."""
        body: dict[str, Any] = {
            "TableName": self._calls.table,
            "Limit": ROWS_MAX,
            "FilterExpression": "#t > :now",
            "ExpressionAttributeNames": {"#t": TTL},
            "ExpressionAttributeValues": {":now": _number(int(self._clock.now().timestamp()))},
        }
        found: list[BreakerRow] = []
        for _ in range(PAGES_MAX):
            page = await self._page(body, deadline)
            found += self._rows(page.items)
            if page.last is None or len(found) >= ROWS_MAX:
                return found[:ROWS_MAX]
            body["ExclusiveStartKey"] = page.last
        self._monitoring.count("breaker_board_cut_total")
        return found

    async def check(self, deadline: Deadline) -> None:
        """
        Look whether the table is as it has to be.

        Raises:
            HotTableError: it is not, or we may not see it; its kind and sentence say what to do.
            TransientError: the service is away, or the table is still being made.
        """
        try:
            await check_table(self._calls, deadline, breaker_table.FORM)
        except (TableMissingError, AccessRefusedError) as error:
            raise self._named(error) from error

    async def create(self, deadline: Deadline) -> None:
        """Make the table unless it is there, and wait until it is of use; raises as `check`."""
        await create_table(self._calls, deadline, breaker_table.FORM)

    async def close(self) -> None:
        """End every connection."""
        await self._calls.client.close()

    async def _page(self, body: Mapping[str, Any], deadline: Deadline) -> _Page:
        try:
            return decoded(_PAGE, await self._calls.ask("Scan", body, deadline))
        except CreditError as error:
            raise translated(error, self._calls.region) from None

    def _rows(self, items: Sequence[Mapping[str, Any]]) -> list[BreakerRow]:
        rows = [row for row in map(_row, items) if row is not None]
        if len(rows) < len(items):
            self._monitoring.count("breaker_board_unreadable_total", len(items) - len(rows))
        return rows

    def _put(self, row: BreakerRow) -> dict[str, Any]:
        return {
            "TableName": self._calls.table,
            "Item": {
                SERVICE: {"S": row.service_name},
                "state": {"S": row.state.value},
                **{name: _number(getattr(row, name)) for name in NUMBERS},
                TTL: _number(row.updated + breaker_table.LIFETIME_S),
            },
            "ConditionExpression": NEWER,
            "ExpressionAttributeNames": {"#u": "updated"},
            "ExpressionAttributeValues": {":u": _number(row.updated)},
        }

    def _named(self, error: TableMissingError | AccessRefusedError) -> CreditError:
        table, cause = self._calls.table, error.__cause__
        if isinstance(error, TableMissingError):
            return TableMissingError(
                f"there is no table {table} in {self._calls.region}: run `creditctl stores"
                " prepare`, or correct the region"
            )
        if isinstance(cause, AwsRefusedError) and cause.service_code == FORBIDDEN:
            return AccessRefusedError(
                "DynamoDB forbids it: allow PutItem, Scan, DescribeTable and DescribeTimeToLive on"
                f" {table}"
            )
        return AccessRefusedError(str(error))


def _number(value: int) -> dict[str, str]:
    return {"N": str(value)}


def _row(item: Mapping[str, Any]) -> BreakerRow | None:
    """Return what a row says, None if it is not in our form."""
    try:
        name, state = item[SERVICE]["S"], BreakerState(item["state"]["S"])
        numbers = {each: int(item[each]["N"]) for each in NUMBERS}
    except (KeyError, TypeError, ValueError):
        return None
    if not isinstance(name, str) or len(name) > NAME_CHARS_MAX or "/" not in name:
        return None
    return BreakerRow(service_name=name, state=state, **numbers)
