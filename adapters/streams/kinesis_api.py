"""The few operations of Kinesis that streams use, as typed replies and typed errors."""

from collections.abc import Sequence
from typing import Any, Final, Protocol, TypeVar

import msgspec

from adapters.aws.errors import AwsRefusedError
from adapters.streams.kinesis_batches import Put, Record
from domain.errors import CreditError, NotFoundError, PermanentError, TransientError
from domain.ports.time import Deadline

S = TypeVar("S", bound="_Reply")

TARGET: Final = "Kinesis_20131202."
NO_RESOURCE: Final = "ResourceNotFoundException"
#: There is such a stream already.
IN_USE: Final = "ResourceInUseException"
EXPIRED: Final = "ExpiredIteratorException"
#: Pages of a list; some ten thousand shards are more than an account may have.
PAGES_MAX: Final = 100


class Calls(Protocol):
    """What is asked of a client of AWS (`adapters.aws.retrying.Retrying` is one)."""

    async def call(self, target: str, payload: bytes, deadline: Deadline) -> bytes:
        """
        Send a request of an operation, again while that may help, and return the reply's body.

        Raises:
            TransientError: not now. AwsRefusedError: never.
        """

    async def wait(self, attempt: int, deadline: Deadline) -> bool:
        """Wait before attempt `attempt + 1` of what failed in part; False: there shall be none."""


class _Reply(msgspec.Struct, rename="pascal", frozen=True):
    pass


class _Mode(_Reply, frozen=True):
    stream_mode: str = ""


class Summary(_Reply, frozen=True):
    """A stream as it describes itself; what an emulator or an older API leaves out is empty."""

    stream_name: str
    stream_status: str
    retention_period_hours: int
    stream_creation_timestamp: float
    open_shard_count: int = 0
    stream_mode_details: _Mode | None = None
    record_distribution_strategy: str | None = None


class _Described(_Reply, frozen=True):
    stream_description_summary: Summary


class _PutEntry(_Reply, frozen=True):
    shard_id: str | None = None
    sequence_number: str | None = None
    error_code: str | None = None


class _PutReply(_Reply, frozen=True):
    records: list[_PutEntry]


class _Numbers(_Reply, frozen=True):
    ending_sequence_number: str | None = None


class Shard(_Reply, frozen=True):
    """A shard as listed; a closed one has a last number, whose value means nothing to us."""

    shard_id: str
    sequence_number_range: _Numbers
    parent_shard_id: str | None = None
    adjacent_parent_shard_id: str | None = None

    @property
    def closed(self) -> bool:
        """Whether it takes no more records."""
        return self.sequence_number_range.ending_sequence_number is not None

    @property
    def parents(self) -> tuple[str, ...]:
        """The shards that it was split from or merged of; they may be forgotten by now."""
        both = (self.parent_shard_id, self.adjacent_parent_shard_id)
        return tuple(parent for parent in both if parent)


class _Shards(_Reply, frozen=True):
    shards: list[Shard]
    next_token: str | None = None


class _Iterator(_Reply, frozen=True):
    shard_iterator: str


class Found(_Reply, frozen=True):
    """A record as read."""

    sequence_number: str
    partition_key: str
    data: bytes
    approximate_arrival_timestamp: float = 0.0


class Page(_Reply, frozen=True):
    """What one read found, and where the next one begins; None at the end of a closed shard."""

    records: list[Found]
    next_shard_iterator: str | None = None
    millis_behind_latest: int | None = None


class KinesisApi:
    """
    One stream's operations.

    They raise as `Calls.call`; NotFoundError: there is no such stream or shard.
    """

    def __init__(self, calls: Calls, stream: str) -> None:
        self.calls = calls
        self.stream = stream

    async def describe(self, deadline: Deadline) -> Summary:
        """Return what the stream says of itself."""
        found = await self._ask("DescribeStreamSummary", {}, _Described, deadline)
        return found.stream_description_summary

    async def create(self, shards: int, deadline: Deadline) -> None:
        """Ask for the stream to be made; it is of use once it is ACTIVE."""
        fields = {"StreamName": self.stream, "ShardCount": shards}
        try:
            await self.calls.call(f"{TARGET}CreateStream", msgspec.json.encode(fields), deadline)
        except AwsRefusedError as error:
            if error.service_code != IN_USE:
                raise

    async def put(self, records: Sequence[Record], deadline: Deadline) -> list[Put]:
        """Put records in one call and return what became of each."""
        entries = [{"PartitionKey": key, "Data": data} for key, data in records]
        reply = await self._ask("PutRecords", {"Records": entries}, _PutReply, deadline)
        if len(reply.records) != len(records):
            raise TransientError("the stream's reply does not fit what was put")
        return [_put(entry) for entry in reply.records]

    async def shards(self, deadline: Deadline) -> list[Shard]:
        """Return every shard whose records are still kept, in the order listed."""
        found = await self._ask("ListShards", {}, _Shards, deadline)
        shards = found.shards
        for _ in range(PAGES_MAX):
            if not found.next_token:
                return shards
            # A token stands for the stream, which must not be named beside it.
            page = {"NextToken": found.next_token}
            found = await self._send("ListShards", page, _Shards, deadline)
            shards += found.shards
        raise PermanentError("the stream lists more shards than can be")

    async def iterator(self, shard_id: str, after: int, deadline: Deadline) -> str:
        """Return where reading begins behind a sequence number; 0 stands before the first."""
        where: dict[str, Any] = {"ShardId": shard_id, "ShardIteratorType": "TRIM_HORIZON"}
        if after:
            where["ShardIteratorType"] = "AFTER_SEQUENCE_NUMBER"
            where["StartingSequenceNumber"] = str(after)
        return (await self._ask("GetShardIterator", where, _Iterator, deadline)).shard_iterator

    async def read(self, iterator: str, limit: int, deadline: Deadline) -> Page:
        """Return the records behind an iterator, maybe none though more follow."""
        where = {"ShardIterator": iterator, "Limit": limit}
        return await self._send("GetRecords", where, Page, deadline)

    async def _ask(
        self, operation: str, fields: dict[str, Any], kind: type[S], deadline: Deadline
    ) -> S:
        return await self._send(operation, {"StreamName": self.stream, **fields}, kind, deadline)

    async def _send(
        self, operation: str, fields: dict[str, Any], kind: type[S], deadline: Deadline
    ) -> S:
        try:
            body = await self.calls.call(TARGET + operation, msgspec.json.encode(fields), deadline)
        except AwsRefusedError as error:
            raise _translated(error) from None
        try:
            return msgspec.json.decode(body, type=kind)
        except msgspec.DecodeError:
            # What it quotes may be data, so the cause is left out.
            raise TransientError("what answered is not Kinesis") from None


class IteratorExpiredError(TransientError):
    """The iterator was not used for five minutes: ask for a fresh one."""


def _translated(error: AwsRefusedError) -> CreditError:
    if error.service_code == NO_RESOURCE:
        return NotFoundError("no such stream or shard")
    if error.service_code == EXPIRED:
        return IteratorExpiredError("the iterator is too old")
    return error


def _put(entry: _PutEntry) -> Put:
    if entry.error_code:
        return Put(error=entry.error_code)
    if not entry.shard_id or not entry.sequence_number:
        return Put(error="NoSequenceNumber")
    return Put(entry.shard_id, int(entry.sequence_number))
