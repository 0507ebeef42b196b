"""
Guarded writes: a row replaces what is stored if its version is higher, and nothing else.

One row is a PutItem with that condition. Several are TransactWriteItems of at most `chunk` puts,
each with its own: a transaction that is cancelled names the rows whose condition failed; they have
their verdict, and the others are sent again. After `ROUNDS` of it each goes alone.

A write whose reply was lost is sent again. If it had been carried out, the row that is found is
equal, and the verdict is SAME: it tells what is stored, not who wrote it.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from adapters.aws.errors import AwsRefusedError
from adapters.stores.dynamodb.calls import CAPACITY, Calls, decoded, encode
from adapters.stores.dynamodb.encoding import Capacity, Item, item_of, too_large
from adapters.stores.dynamodb.errors import ItemTooLargeError
from domain.errors import PermanentError, ThrottledError, TransientError
from domain.ports.storage import Applied, ProjectionRow
from domain.ports.time import Deadline

#: The service's limit of a transaction, in items and (with a margin) in bytes of JSON.
CHUNK_MAX: Final = 100
CHUNK_BYTES: Final = 3_500_000
ROUNDS: Final = 3
GUARD: Final = (
    b',"ConditionExpression":"attribute_not_exists(#v) OR #v < :v",'
    b'"ExpressionAttributeNames":{"#v":"version"},'
    b'"ExpressionAttributeValues":{":v":{"N":"%d"}},'
    b'"ReturnValuesOnConditionCheckFailure":"ALL_OLD"'
)
MEASURED: Final = b',"ReturnConsumedCapacity":"' + CAPACITY.encode() + b'"}'
FAILED: Final = "ConditionalCheckFailed"
UNTRIED: Final = "None"
THROTTLED: Final = frozenset({"ProvisionedThroughputExceeded", "ThrottlingError"})
BUSY: Final = THROTTLED | {UNTRIED, "TransactionConflict"}


class _Put(msgspec.Struct):
    used: Capacity | None = msgspec.field(default=None, name="ConsumedCapacity")


class _Transacted(msgspec.Struct):
    used: list[Capacity] = msgspec.field(default_factory=list, name="ConsumedCapacity")


class _Held(msgspec.Struct):
    item: Item | None = msgspec.field(default=None, name="Item")


class _Reason(msgspec.Struct):
    code: str = msgspec.field(default=UNTRIED, name="Code")
    item: Item | None = msgspec.field(default=None, name="Item")


class _Cancelled(msgspec.Struct):
    reasons: list[_Reason] = msgspec.field(name="CancellationReasons")


_PUT: Final = msgspec.json.Decoder(_Put)
_TRANSACTED: Final = msgspec.json.Decoder(_Transacted)
_HELD: Final = msgspec.json.Decoder(_Held)
_CANCELLED: Final = msgspec.json.Decoder(_Cancelled)


@dataclass(slots=True)
class _Write:
    row: ProjectionRow
    body: bytes
    verdict: Applied | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteLimits:
    """
    Puts in a transaction at most, and calls of one `put_if_newer` at once.

    A transaction costs twice the write units of as many single puts, and a tenth of their CPU on
    both sides; `chunk=1` writes every row alone.
    """

    chunk: int = CHUNK_MAX
    lanes: int = 4


class Writes:
    """Guarded writes to one table."""

    def __init__(self, calls: Calls, limits: WriteLimits) -> None:
        self._calls, self._limits = calls, limits

    async def put(self, rows: Sequence[ProjectionRow], deadline: Deadline) -> list[Applied]:
        """
        Write the rows that are newer.

        Raises:
            ItemTooLargeError: a row is larger than an item may be; the others are written.
            CreditError: as `Retrying.call`; some rows may be written.
        """
        if len(rows) == 1 and not too_large(rows[0]):
            return [await self._alone(rows[0], self._body(rows[0]), deadline)]
        writes = [_Write(row, self._body(row)) for row in rows if not too_large(row)]
        if writes:
            await self._in_lanes(deque(self._chunks(writes)), deadline)
        if len(writes) < len(rows):
            raise ItemTooLargeError("a row is larger than the 400 KiB that DynamoDB takes")
        return [_verdict(write) for write in writes]

    async def _in_lanes(self, chunks: "deque[Sequence[_Write]]", deadline: Deadline) -> None:
        """Write chunks side by side; after an error no other is begun, those begun end."""

        async def lane() -> None:
            while chunks:
                try:
                    await self._together(chunks.popleft(), deadline)
                except BaseException:
                    chunks.clear()
                    raise

        if len(chunks) == 1:
            await lane()
            return
        lanes = (lane() for _ in range(min(self._limits.lanes, len(chunks))))
        for result in await asyncio.gather(*lanes, return_exceptions=True):
            if isinstance(result, BaseException):
                raise result

    async def _together(self, writes: Sequence[_Write], deadline: Deadline) -> None:
        left = list(writes)
        for attempt in range(ROUNDS):
            if len(left) <= 1:
                break
            try:
                await self._transact(left, deadline)
            except AwsRefusedError as error:
                if error.service_code != "TransactionCanceledException":
                    raise
                reasons = decoded(_CANCELLED, error.body).reasons
                left = await self._cancelled(left, reasons, attempt, deadline)
            else:
                return
        for write in left:
            write.verdict = await self._alone(write.row, write.body, deadline)

    async def _transact(self, writes: Sequence[_Write], deadline: Deadline) -> None:
        puts = b",".join([b'{"Put":{' + write.body + b"}}" for write in writes])
        body = b'{"TransactItems":[' + puts + b"]" + MEASURED
        reply = decoded(_TRANSACTED, await self._calls.send("TransactWriteItems", body, deadline))
        self._calls.used("write_units", *reply.used)
        for write in writes:
            write.verdict = Applied.APPLIED

    async def _cancelled(
        self,
        writes: Sequence[_Write],
        reasons: Sequence[_Reason],
        attempt: int,
        deadline: Deadline,
    ) -> list[_Write]:
        """Judge the rows whose condition failed; return the others, after a pause if need be."""
        self._calls.counts["transactions_cancelled"] += 1
        left: list[_Write] = []
        for write, reason in zip(writes, reasons, strict=True):
            if reason.code == FAILED:
                write.verdict = _judged(write.row, reason.item)
            elif reason.code in BUSY:
                left.append(write)
            else:
                raise PermanentError(f"DynamoDB refuses a row: {reason.code}")
        busy = {reason.code for reason in reasons} - {FAILED, UNTRIED}
        if busy and not await self._calls.client.wait(attempt, deadline):
            kind = ThrottledError if busy & THROTTLED else TransientError
            raise kind(f"DynamoDB cancels the transaction: {', '.join(sorted(busy))}")
        return left

    async def _alone(self, row: ProjectionRow, body: bytes, deadline: Deadline) -> Applied:
        try:
            reply = await self._calls.send("PutItem", b"{" + body + MEASURED, deadline)
        except AwsRefusedError as error:
            if error.service_code != "ConditionalCheckFailedException":
                raise
            return _judged(row, decoded(_HELD, error.body).item)
        self._calls.used("write_units", decoded(_PUT, reply).used)
        return Applied.APPLIED

    def _body(self, row: ProjectionRow) -> bytes:
        """Return what a put of a row says, without the braces around it."""
        guard = GUARD % row.version
        return b'"TableName":' + self._calls.table_json + b',"Item":' + encode(item_of(row)) + guard

    def _chunks(self, writes: Sequence[_Write]) -> list[Sequence[_Write]]:
        chunks: list[Sequence[_Write]] = []
        chunk: list[_Write] = []
        size = 0
        for write in writes:
            full = len(chunk) == self._limits.chunk or size + len(write.body) > CHUNK_BYTES
            if chunk and full:
                chunks.append(chunk)
                chunk, size = [], 0
            chunk.append(write)
            size += len(write.body)
        return [*chunks, chunk]


def _judged(row: ProjectionRow, held: Item | None) -> Applied:
    """
    Return the verdict on a row whose condition failed because of what is held.

    Raises:
        TransientError: nothing is held, or an older row: it was replaced meanwhile.
    """
    version = -1 if held is None else int(held.version.value)
    if held is None or version < row.version:
        raise TransientError("DynamoDB refused a row for one that it does not show")
    if version > row.version:
        return Applied.STALE
    return Applied.SAME if held.payload.value == row.payload else Applied.CONFLICT


def _verdict(write: _Write) -> Applied:
    if write.verdict is None:
        raise TransientError("DynamoDB left a row without a verdict")
    return write.verdict
