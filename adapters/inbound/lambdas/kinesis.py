"""
The Lambda handler of the event stream.

It answers with at most one failed sequence number, the lowest unfinished one: with
`ReportBatchItemFailures` Lambda delivers everything from it on again. It needs that setting.
"""

import base64
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Final, Protocol

from aws_lambda_powertools.utilities.data_classes import KinesisStreamEvent

from domain.instants import epoch_micros
from domain.ports.monitoring import Monitoring
from domain.ports.stream import StreamRecord
from domain.ports.time import Clock, Deadline
from ingestion.report import BatchReport

MICROS: Final = 1_000_000
#: Set before what is not base64, so that it can be nothing but poison and is still kept whole.
NOT_BASE64: Final = b"not base64: "

Reply = dict[str, list[dict[str, str]]]
Run = Callable[[Coroutine[Any, Any, BatchReport]], BatchReport]


class Process(Protocol):
    """The use case behind the handler (`ingestion.process.ProcessBatch`)."""

    def __call__(
        self, records: Sequence[StreamRecord], deadline: Deadline
    ) -> Coroutine[Any, Any, BatchReport]:
        """Process the records of one shard in their order."""


class Invocation(Protocol):
    """What is asked of Lambda's context object."""

    def get_remaining_time_in_millis(self) -> int:
        """Return how long this invocation may still take."""


Handler = Callable[[dict[str, Any], Invocation], Reply]


def build_handler(process: Process, run: Run, clock: Clock, monitoring: Monitoring) -> Handler:
    """
    Return the handler; `run` drives a coroutine to its end on the one loop of the process.

    An exception out of the handler makes Lambda deliver the whole batch again.
    """

    def handle(event: dict[str, Any], context: Invocation) -> Reply:
        # The wrappers of single records cost more than reading them, so only the batch has one.
        raw = KinesisStreamEvent(event)["Records"]
        if not raw:
            return _reply(None, raw)
        records = [_record(each) for each in raw]
        _measure_lag(records, clock, monitoring)
        deadline = Deadline.after(clock, context.get_remaining_time_in_millis() / 1000)
        return _reply(run(process(records, deadline)).failed_sequence, raw)

    return handle


def _record(raw: Mapping[str, Any]) -> StreamRecord:
    kinesis = raw["kinesis"]
    return StreamRecord(
        shard_id=raw["eventID"].partition(":")[0],
        sequence=int(kinesis["sequenceNumber"]),
        partition_key=kinesis["partitionKey"],
        data=_data(kinesis["data"]),
        arrived_us=round(kinesis["approximateArrivalTimestamp"] * MICROS),
    )


def _data(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return NOT_BASE64 + text.encode()


def _measure_lag(records: Sequence[StreamRecord], clock: Clock, monitoring: Monitoring) -> None:
    oldest_us = min(record.arrived_us for record in records)
    lag_us = max(0, epoch_micros(clock.now()) - oldest_us)
    monitoring.observe("ingestion_lag_seconds", lag_us / MICROS)


def _reply(failed: int | None, raw: Sequence[Mapping[str, Any]]) -> Reply:
    if failed is None:
        return {"batchItemFailures": []}
    texts = (each["kinesis"]["sequenceNumber"] for each in raw)
    # As it came: an identifier that is not in the batch would fail all of it.
    item = next(text for text in texts if int(text) == failed)
    return {"batchItemFailures": [{"itemIdentifier": item}]}
