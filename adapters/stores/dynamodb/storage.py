"""The hot store: profiles with derived features, active policies, latest decisions."""

import asyncio
from asyncio import AbstractEventLoop
from collections.abc import Mapping, Sequence
from typing import Final

from adapters.aws.json_client import JsonClient
from adapters.aws.retrying import POLICY, Retrying, RetryPolicy
from adapters.stores.dynamodb import table as hot
from adapters.stores.dynamodb.calls import Calls
from adapters.stores.dynamodb.checking import check_table, create_table
from adapters.stores.dynamodb.encoding import Item, expires_of, row_of
from adapters.stores.dynamodb.errors import translated
from adapters.stores.dynamodb.listing import DynamoHotQueries
from adapters.stores.dynamodb.queries import by_prefix
from adapters.stores.dynamodb.reads import BATCH_MAX, Reads, get_many, get_one
from adapters.stores.dynamodb.writes import WriteLimits, Writes
from domain.errors import CreditError, TransientError
from domain.ports.storage import Applied, ProjectionRow
from domain.ports.time import Chance, Clock, Deadline

LIMITS: Final = WriteLimits()


class DynamoStorage:
    """
    Implements `domain.ports.storage.DataStorage` on the table `credit-hot-data`.

    Reads are eventually consistent unless the caller of `read_now` asks for more. Event loops of
    several threads may share it. No read raises anything but a `TransientError`; a write may raise
    `ItemTooLargeError` too.
    """

    def __init__(
        self, client: JsonClient, *, clock: Clock, chance: Chance, table: str = hot.NAME,
        limits: WriteLimits = LIMITS, policy: RetryPolicy = POLICY,
    ) -> None:  # fmt: skip
        """Take the client of DynamoDB, which this store closes; the first call connects."""
        self.name = "dynamodb"
        self._clock = clock
        retrying = Retrying(client, clock=clock, chance=chance, policy=policy)
        self._calls = Calls(retrying, table, client.endpoint.region)
        self._writes = Writes(self._calls, limits)
        self._reads: dict[AbstractEventLoop, Reads] = {}
        self._closed = False

    async def read_item(
        self, customer_id: str, data_type: str, deadline: Deadline
    ) -> ProjectionRow | None:
        """Return the row as a replica of the service holds it, or None."""
        self._calls.counts["reads"] += 1
        return self._alive(await self._reads_here().read((customer_id, data_type), deadline))

    async def read_now(
        self, customer_id: str, data_type: str, deadline: Deadline
    ) -> ProjectionRow | None:
        """Return the row as it was last written, at twice the read units; raises as `read_item`."""
        self._begin(deadline, "reads")
        key = (customer_id, data_type)
        try:
            return self._alive(await get_one(self._calls, key, deadline, consistent=True))
        except CreditError as error:
            raise translated(error, self._calls.region) from None

    async def read_many(
        self, keys: Sequence[tuple[str, str]], deadline: Deadline, *, consistent: bool = False
    ) -> Mapping[tuple[str, str], ProjectionRow]:
        """Return the rows of many keys; what is not there is left out. Raises as `read_item`."""
        self._begin(deadline, "reads", len(keys))
        asked = list(dict.fromkeys(keys))
        found: dict[tuple[str, str], ProjectionRow] = {}
        try:
            for first in range(0, len(asked), BATCH_MAX):
                part = asked[first : first + BATCH_MAX]
                items = await get_many(self._calls, part, deadline, consistent=consistent)
                rows = ((key, self._alive(item)) for key, item in items.items())
                found.update((key, row) for key, row in rows if row is not None)
        except CreditError as error:
            raise translated(error, self._calls.region) from None
        return found

    async def query(
        self, customer_id: str, prefix: str, limit: int, before: str, deadline: Deadline
    ) -> Sequence[ProjectionRow]:
        """Return rows by prefix, newest first."""
        self._begin(deadline, "queries")
        span = (limit, before)
        try:
            items = await by_prefix(
                self._calls, customer_id, prefix, span, now_s=self._now_s(), deadline=deadline
            )
        except CreditError as error:
            raise translated(error, self._calls.region) from None
        return [row_of(item) for item in items]

    async def put_if_newer(
        self, rows: Sequence[ProjectionRow], deadline: Deadline
    ) -> Sequence[Applied]:
        """
        Write the rows that are newer; durable once this returns.

        After a lost reply a row is put again, and what was written then is found SAME.

        Raises:
            ItemTooLargeError: a row is larger than an item may be; the others are written.
            TransientError: call again; some rows may be written, and each is guarded.
        """
        self._begin(deadline)
        try:
            results = await self._writes.put(rows, deadline)
        except CreditError as error:
            raise translated(error, self._calls.region) from None
        for result in results:
            self._calls.counts[result] += 1
        return results

    def queries(self) -> DynamoHotQueries:
        """Return the lists over this store; they share its calls and counters."""
        return DynamoHotQueries(self._calls, self._clock)

    def metrics(self) -> Mapping[str, float]:
        """
        Return counters since start.

        `reads`, `queries`, each result of a write; `read_units` and `write_units` that DynamoDB
        says calls have used; `attempts`, `retries`, `throttled`, `failed`, `unprocessed_keys`,
        `transactions_cancelled`.
        """
        return self._calls.metrics()

    async def check(self, deadline: Deadline) -> None:
        """
        Look whether the table is as it has to be.

        Raises:
            HotTableError: it is not, or we may not see it; its kind and sentence say what to do.
            TransientError: the service is away, or the table is still being made.
        """
        await check_table(self._calls, deadline)

    async def create(self, deadline: Deadline) -> None:
        """Make the table unless it is there, and wait until it is of use; raises as `check`."""
        await create_table(self._calls, deadline)

    async def close(self) -> None:
        """End every call; another loop ends its own in its next turn, so close it later."""
        self._closed = True
        here = asyncio.get_running_loop()
        for loop, reads in list(self._reads.items()):
            if loop is here:
                reads.close()
            elif not loop.is_closed():
                loop.call_soon_threadsafe(reads.close)
        await self._calls.client.close()

    def _begin(self, deadline: Deadline, counted: str = "", number: int = 1) -> None:
        deadline.check(self._clock)
        if self._closed:
            raise TransientError("the hot store is closed")
        if counted:
            self._calls.counts[counted] += number

    def _reads_here(self) -> Reads:
        loop = asyncio.get_running_loop()
        reads = self._reads.get(loop)
        if reads is None:
            if self._closed:
                raise TransientError("the hot store is closed")
            reads = self._reads[loop] = Reads(loop, self._calls)
            for other in list(self._reads):
                if other.is_closed():
                    self._reads.pop(other, None)
        return reads

    def _alive(self, item: Item | None) -> ProjectionRow | None:
        if item is None:
            return None
        expires_s = expires_of(item.ttl)
        # DynamoDB deletes what has expired within some days.
        return row_of(item) if expires_s is None or expires_s > self._now_s() else None

    def _now_s(self) -> int:
        return int(self._clock.now().timestamp())
