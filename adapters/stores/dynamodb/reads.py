"""
Reads of single rows: a few at once are GetItems, what comes while those are under way gathers.

At most `LANES` calls are under way; whoever finds one free asks at once, by itself. The keys that
gather meanwhile go together when a call ends, as one BatchGetItem of at most 100, equal keys once;
no timer waits for more. Keys that the service leaves unprocessed are asked again after a jittered
pause.
"""

import asyncio
from asyncio import AbstractEventLoop, Future
from collections.abc import Iterable
from itertools import islice
from typing import Final

import msgspec

from adapters.stores.dynamodb.calls import CAPACITY, Calls, decoded
from adapters.stores.dynamodb.encoding import Capacity, Item, Key, key_json
from adapters.stores.dynamodb.errors import translated
from domain.errors import CreditError, DeadlineExceededError, ThrottledError, TransientError
from domain.ports.time import Deadline

LANES: Final = 4
BATCH_MAX: Final = 100
WAITING_MAX: Final = 4_096
NEVER: Final = float("inf")

RowKey = tuple[str, str]
Found = Item | None
Waiters = list[tuple["Future[Found]", float]]


class _Got(msgspec.Struct):
    item: Item | None = msgspec.field(default=None, name="Item")
    used: Capacity | None = msgspec.field(default=None, name="ConsumedCapacity")


class _Keys(msgspec.Struct):
    keys: list[Key] = msgspec.field(name="Keys")


class _GotMany(msgspec.Struct):
    items: dict[str, list[Item]] = msgspec.field(name="Responses")
    left: dict[str, _Keys] = msgspec.field(default_factory=dict, name="UnprocessedKeys")
    used: list[Capacity] = msgspec.field(default_factory=list, name="ConsumedCapacity")


_GOT: Final = msgspec.json.Decoder(_Got)
_GOT_MANY: Final = msgspec.json.Decoder(_GotMany)


async def get_one(calls: Calls, key: RowKey, deadline: Deadline, *, consistent: bool) -> Found:
    """Return the item of a key, or None."""
    body = {
        "TableName": calls.table,
        "Key": key_json(key),
        "ConsistentRead": consistent,
        "ReturnConsumedCapacity": CAPACITY,
    }
    got = decoded(_GOT, await calls.ask("GetItem", body, deadline))
    calls.used("read_units", got.used)
    return got.item


async def get_many(
    calls: Calls, keys: Iterable[RowKey], deadline: Deadline, *, consistent: bool
) -> dict[RowKey, Item]:
    """
    Return the items of at most 100 different keys; a key that is not there is left out.

    Raises:
        ThrottledError: the service left keys unprocessed again and again.
        CreditError: as `Retrying.call`.
    """
    found: dict[RowKey, Item] = {}
    left: list[RowKey] = list(keys)
    attempt = 0
    while True:
        asked = {"Keys": [key_json(key) for key in left], "ConsistentRead": consistent}
        body = {"RequestItems": {calls.table: asked}, "ReturnConsumedCapacity": CAPACITY}
        got = decoded(_GOT_MANY, await calls.ask("BatchGetItem", body, deadline))
        calls.used("read_units", *got.used)
        for item in got.items.get(calls.table, ()):
            found[item.customer_id.value, item.data_type.value] = item
        if calls.table not in got.left:
            return found
        left = [key.pair for key in got.left[calls.table].keys]
        calls.counts["unprocessed_keys"] += len(left)
        if not await calls.client.wait(attempt, deadline):
            raise ThrottledError("DynamoDB leaves keys unprocessed")
        attempt += 1


class Reads:
    """Reads of one event loop."""

    def __init__(self, loop: AbstractEventLoop, calls: Calls) -> None:
        self._loop, self._calls = loop, calls
        self._asked: dict[RowKey, Waiters] = {}
        self._trips: set[asyncio.Task[None]] = set()
        self._under_way = 0
        self._waiting = 0
        self._closed = False

    async def read(self, key: RowKey, deadline: Deadline) -> Found:
        """
        Return the item of a key, or None.

        Raises:
            ThrottledError: too many reads wait.
            DeadlineExceededError: the time is used up.
            TransientError: the service is away, or the store is closed.
        """
        deadline.check(self._calls.client.clock)
        if self._closed:
            raise TransientError("the hot store is closed")
        if self._under_way >= LANES:
            return await self._wait(key, deadline)
        self._under_way += 1
        try:
            return await get_one(self._calls, key, deadline, consistent=False)
        except CreditError as error:
            raise translated(error, self._calls.region) from None
        finally:
            self._ended()

    def close(self) -> None:
        """End every read that waits or has gathered; who waits is told."""
        self._closed = True
        for trip in self._trips:
            trip.cancel()
        _fail(self._asked.values(), TransientError("the hot store is closed"))
        self._asked = {}

    async def _wait(self, key: RowKey, deadline: Deadline) -> Found:
        if self._waiting >= WAITING_MAX:
            raise ThrottledError("too many reads wait for DynamoDB")
        future: Future[Found] = self._loop.create_future()
        self._asked.setdefault(key, []).append((future, deadline.at))
        left = deadline.remaining(self._calls.client.clock)
        timer = None if left == NEVER else self._loop.call_later(left, _expire, future)
        self._waiting += 1
        try:
            return await future
        finally:
            self._waiting -= 1
            if timer is not None:
                timer.cancel()

    def _ended(self) -> None:
        """Let those who gathered go, one batch for each call that may be under way."""
        self._under_way -= 1
        while self._asked and self._under_way < LANES:
            batch = dict(islice(self._asked.items(), BATCH_MAX))
            for key in batch:
                del self._asked[key]
            self._under_way += 1
            trip = self._loop.create_task(self._trip(batch))
            self._trips.add(trip)
            trip.add_done_callback(self._trips.discard)

    async def _trip(self, batch: dict[RowKey, Waiters]) -> None:
        try:
            await self._ask(batch)
        except CreditError as error:
            _fail(batch.values(), translated(error, self._calls.region))
        except BaseException:
            _fail(batch.values(), TransientError("the hot store has stopped"))
            raise
        finally:
            self._ended()

    async def _ask(self, batch: dict[RowKey, Waiters]) -> None:
        open_keys = [
            key for key, waiters in batch.items() if any(not future.done() for future, _ in waiters)
        ]
        if not open_keys:
            return
        deadline = Deadline(max(at for key in open_keys for _, at in batch[key]))
        found: dict[RowKey, Item] = {}
        if len(open_keys) == 1:
            item = await get_one(self._calls, open_keys[0], deadline, consistent=False)
            if item is not None:
                found[open_keys[0]] = item
        else:
            found = await get_many(self._calls, open_keys, deadline, consistent=False)
        for key in open_keys:
            for future, _ in batch[key]:
                if not future.done():
                    future.set_result(found.get(key))


def _fail(batch: Iterable[Waiters], error: CreditError) -> None:
    """Give everybody who still waits an error of their own."""
    for waiters in batch:
        for future, _ in waiters:
            if not future.done():
                future.set_exception(type(error)(str(error)))


def _expire(future: "Future[Found]") -> None:
    if not future.done():
        future.set_exception(DeadlineExceededError("DynamoDB did not answer in time"))
