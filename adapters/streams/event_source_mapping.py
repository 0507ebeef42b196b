"""
Lambda's event source mapping for Kinesis, on this machine.

It drives the same handler that Lambda runs, from any `StreamReader`, and keeps what AWS promises:
records of one shard in order, one batch of a shard at a time; the lowest reported failure is the
checkpoint; a malformed answer or an exception fails the whole batch; a failed batch is halved,
which costs no attempt; a batch that cannot be halved any more is tried a finite number of times,
then handed to the on-failure destination, and the shard moves on.

What AWS leaves open is settled so: attempts begin anew once a batch has made progress, and a
batch is halved too when the handler reports its very first record, which isolates that record.
"""

import asyncio
import base64
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from consistency.waiting import pause
from domain.errors import CreditError
from domain.ports.monitoring import Monitoring
from domain.ports.stream import StreamReader, StreamRecord

MICROS: Final = 1_000_000
#: What Lambda takes in one invocation, and about what a record adds to its data in it.
PAYLOAD_BYTES_MAX: Final = 6_000_000
RECORD_BYTES: Final = 600
#: Kinesis' sequence numbers are decimal texts of this width.
SEQUENCE_WIDTH: Final = 56
REGION: Final = "local"
ARN: Final = f"arn:aws:kinesis:{REGION}:000000000000:stream/events"
IDENTITY: Final = "arn:aws:iam::000000000000:role/ingestion"

LambdaEvent = dict[str, Any]
Invoke = Callable[[LambdaEvent], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class MappingSettings:
    """
    How a stream is mapped to the handler; the names of AWS differ, the meaning does not.

    `attempts_max` are invocations (MaximumRetryAttempts + 1): with the waits between them some
    five minutes for one record, longer than a store is away, shorter than a shard may stand still.
    """

    batch_size: int = 1000
    attempts_max: int = 60
    bisect: bool = True
    first_wait_s: float = 0.1
    longest_wait_s: float = 5.0
    idle_s: float = 0.2


@dataclass(frozen=True, slots=True)
class FailedBatch:
    """Records that were tried as often as allowed, and are given up by the mapping."""

    shard_id: str
    attempts: int
    records: Sequence[StreamRecord]

    def document(self) -> dict[str, Any]:
        """Return what AWS writes to an S3 destination, payload included."""
        first, last = self.records[0], self.records[-1]
        return {
            "requestContext": {
                "condition": "RetryAttemptsExhausted",
                "approximateInvokeCount": self.attempts,
            },
            "KinesisBatchInfo": {
                "shardId": self.shard_id,
                "startSequenceNumber": sequence_text(first.sequence),
                "endSequenceNumber": sequence_text(last.sequence),
                "batchSize": len(self.records),
                "streamArn": ARN,
            },
            "payload": kinesis_event(self.records),
        }


OnFailure = Callable[[FailedBatch], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _Part:
    """A run of records that is handed over together, and how often that failed without halving."""

    records: Sequence[StreamRecord]
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class EventSourceMapping:
    """
    Moves records of all shards through the handler; a shard that fails holds up no other.

    The checkpoint of a shard moves only over records that are finished or given up, so a crash
    anywhere delivers again and loses nothing. `invoke` answers as the handler does, or raises;
    `on_failure` raises a CreditError when it could not keep what it was handed; `progress` hears
    the shard and how many of its records are done.
    """

    reader: StreamReader
    invoke: Invoke
    on_failure: OnFailure
    sleep: Callable[[float], Awaitable[None]]
    monitoring: Monitoring
    settings: MappingSettings = field(default_factory=MappingSettings)
    progress: Callable[[str, int], None] = lambda _shard_id, _records: None

    async def run_until_caught_up(self, stop: asyncio.Event | None = None) -> int:
        """
        Handle records until every shard is empty, or `stop` is set, and return how many.

        Raises:
            CreditError: the stream or the on-failure destination is away; call again.
        """
        stop = stop or asyncio.Event()
        total = 0
        while not stop.is_set():
            drains = [self._drain(shard, stop) for shard in await self.reader.shards()]
            results = await asyncio.gather(*drains, return_exceptions=True)
            done = sum(map(_value, results))
            total += done
            if not done:
                break
        return total

    async def run(self, stop: asyncio.Event) -> None:
        """Handle records as they come until `stop` is set; an invocation under way is finished."""
        while not stop.is_set():
            try:
                await self.run_until_caught_up(stop)
            except CreditError as error:
                self.monitoring.count("mapping_failures", code=error.code)
            await pause(self.sleep, self.settings.idle_s, stop)

    async def _drain(self, shard_id: str, stop: asyncio.Event) -> int:
        done = 0
        while not stop.is_set():
            after = await self.reader.checkpoint(shard_id)
            records = await self.reader.read(shard_id, after, self.settings.batch_size)
            if not records:
                break
            done += await self._handle(shard_id, _fitting(records), stop)
        return done

    async def _handle(
        self, shard_id: str, records: Sequence[StreamRecord], stop: asyncio.Event
    ) -> int:
        """Bring a batch to its end, part by part and in order; return how many are done."""
        parts = deque([_Part(records)])
        failures = 0
        while parts and not stop.is_set():
            part = parts.popleft()
            rest = await self._step(shard_id, part)
            parts.extendleft(reversed(rest))
            if rest:
                moved = sum(len(each.records) for each in rest) < len(part.records)
                failures = 0 if moved else failures + 1
                await pause(self.sleep, self._wait_s(failures), stop)
        return len(records) - sum(len(each.records) for each in parts)

    async def _step(self, shard_id: str, part: _Part) -> list[_Part]:
        """Invoke once, and return what remains of the part, in order."""
        finished = await self._finished(part.records)
        rest = part.records[finished:]
        if finished:
            await self._advance(shard_id, part.records[:finished])
            return [_Part(rest)] if rest else []
        if self.settings.bisect and len(rest) > 1:
            half = len(rest) // 2
            return [_Part(rest[:half], part.attempts), _Part(rest[half:], part.attempts)]
        attempts = part.attempts + 1
        if attempts < self.settings.attempts_max:
            return [_Part(rest, attempts)]
        self.monitoring.count("mapping_given_up", len(rest))
        await self.on_failure(FailedBatch(shard_id, attempts, rest))
        await self._advance(shard_id, rest)
        return []

    async def _finished(self, records: Sequence[StreamRecord]) -> int:
        try:
            reply = await self.invoke(kinesis_event(records))
        except Exception as error:  # noqa: BLE001  whatever a handler raises fails its batch
            self.monitoring.count("mapping_handler_errors", error=type(error).__name__)
            return 0
        return finished_records(reply, [sequence_text(record.sequence) for record in records])

    async def _advance(self, shard_id: str, records: Sequence[StreamRecord]) -> None:
        await self.reader.set_checkpoint(shard_id, records[-1].sequence)
        self.progress(shard_id, len(records))

    def _wait_s(self, failures: int) -> float:
        return min(self.settings.longest_wait_s, self.settings.first_wait_s * 2.0**failures)


def finished_records(reply: object, identifiers: Sequence[str]) -> int:
    """Return how many records, from the first on, a handler's answer says are finished."""
    if reply is None or reply == {}:
        return len(identifiers)
    if not isinstance(reply, dict) or "batchItemFailures" not in reply:
        return 0
    failures = reply["batchItemFailures"]
    if failures is None:
        return len(identifiers)
    if not isinstance(failures, list):
        return 0
    places = {identifier: place for place, identifier in enumerate(identifiers)}
    named = [item.get("itemIdentifier") if isinstance(item, dict) else None for item in failures]
    # One name that is not in the batch makes the whole answer worthless.
    known = [places.get(name, 0) if isinstance(name, str) else 0 for name in named]
    return min(known, default=len(identifiers))


def kinesis_event(records: Sequence[StreamRecord]) -> LambdaEvent:
    """Return what Lambda hands to a handler for these records of one shard."""
    return {"Records": [_event_record(record) for record in records]}


def sequence_text(sequence: int) -> str:
    """Return a sequence number as Kinesis writes it."""
    return f"{sequence:0{SEQUENCE_WIDTH}d}"


def _event_record(record: StreamRecord) -> LambdaEvent:
    sequence = sequence_text(record.sequence)
    return {
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": record.partition_key,
            "sequenceNumber": sequence,
            "data": base64.b64encode(record.data).decode(),
            "approximateArrivalTimestamp": record.arrived_us / MICROS,
        },
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": f"{record.shard_id}:{sequence}",
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": IDENTITY,
        "awsRegion": REGION,
        "eventSourceARN": ARN,
    }


def _fitting(records: Sequence[StreamRecord]) -> Sequence[StreamRecord]:
    """Return as many of the first records as fit into one invocation, and at least one."""
    size = 0
    for number, record in enumerate(records):
        size += len(record.data) * 4 // 3 + RECORD_BYTES
        if size > PAYLOAD_BYTES_MAX and number:
            return records[:number]
    return records


def _value(result: int | BaseException) -> int:
    if isinstance(result, BaseException):
        raise result
    return result
