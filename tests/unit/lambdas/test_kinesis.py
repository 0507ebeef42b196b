"""The handler's contract with Lambda: what it reads, and what it answers."""

import asyncio
import base64
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from adapters.inbound.lambdas.kinesis import NOT_BASE64, Handler, build_handler
from domain.errors import TransientError
from domain.ports.stream import StreamRecord
from domain.ports.time import Deadline
from ingestion.report import BatchReport
from tests.unit.ingestion.builders import envelope, record
from tests.unit.ingestion.fakes import FakeClock, FakeMonitoring
from tests.unit.ingestion.world import World

FIRST = 49590338271490256608559692538361571095921575989136588898
JSON_TYPES = "import json, sys; json.dump(sorted(sys.modules), sys.stdout)"


def raw_record(sequence: int, data: bytes | str, key: str = "c-1") -> dict[str, Any]:
    text = data if isinstance(data, str) else base64.b64encode(data).decode()
    return {
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": key,
            "sequenceNumber": str(sequence),
            "data": text,
            "approximateArrivalTimestamp": 1781524799.25,
        },
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": f"shardId-000000000006:{sequence}",
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": "arn:aws:iam::123456789012:role/lambda",
        "awsRegion": "us-east-1",
        "eventSourceARN": "arn:aws:kinesis:us-east-1:123456789012:stream/events",
    }


@dataclass
class Context:
    """As much of Lambda's context as the handler asks for."""

    millis: int = 30_000

    def get_remaining_time_in_millis(self) -> int:
        return self.millis


@dataclass
class FakeProcess:
    """Answers with one failed sequence, or raises; remembers what it was asked."""

    failed: int | None = None
    error: Exception | None = None
    asked: list[tuple[Sequence[StreamRecord], Deadline]] = field(default_factory=list)

    async def __call__(self, records: Sequence[StreamRecord], deadline: Deadline) -> BatchReport:
        self.asked.append((records, deadline))
        if self.error is not None:
            raise self.error
        return BatchReport(len(records), 0, 0, 0, self.failed)


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


def handler_of(process: Any, runner: asyncio.Runner, monitoring: Any = None) -> Handler:
    clock = FakeClock(seconds=100.0)
    return build_handler(process, runner.run, clock, monitoring or FakeMonitoring())


def test_records_are_read_as_they_stand_in_the_stream(runner: asyncio.Runner) -> None:
    process = FakeProcess()

    handler_of(process, runner)({"Records": [raw_record(FIRST, b"x", "c-9")]}, Context(2_500))

    ((records, deadline),) = process.asked
    shard = "shardId-000000000006"
    assert records == [StreamRecord(shard, FIRST, "c-9", b"x", 1_781_524_799_250_000)]
    assert deadline == Deadline(102.5)


def test_all_finished_is_an_empty_list_of_failures(runner: asyncio.Runner) -> None:
    handle = handler_of(FakeProcess(), runner)

    assert handle({"Records": [raw_record(FIRST, b"x")]}, Context()) == {"batchItemFailures": []}


@pytest.mark.parametrize("place", [0, 1, 2])
def test_the_failed_record_is_named_as_it_was_written(place: int, runner: asyncio.Runner) -> None:
    handle = handler_of(FakeProcess(failed=FIRST + place), runner)
    records = [raw_record(FIRST + n, b"x") for n in range(3)]
    records[place]["kinesis"]["sequenceNumber"] = f"00{FIRST + place}"

    answer = handle({"Records": records}, Context())

    assert answer == {"batchItemFailures": [{"itemIdentifier": f"00{FIRST + place}"}]}


def test_no_records_are_no_work(runner: asyncio.Runner) -> None:
    process = FakeProcess()

    assert handler_of(process, runner)({"Records": []}, Context()) == {"batchItemFailures": []}
    assert process.asked == []


def test_an_exception_fails_the_whole_batch(runner: asyncio.Runner) -> None:
    handle = handler_of(FakeProcess(error=ZeroDivisionError()), runner)

    with pytest.raises(ZeroDivisionError):
        handle({"Records": [raw_record(FIRST, b"x")]}, Context())


@pytest.mark.parametrize("text", ["%%%", "abc", '{"event_id":1}', "eHg=\n!"])
def test_what_is_not_base64_is_kept_and_can_be_no_event(text: str, runner: asyncio.Runner) -> None:
    process = FakeProcess()

    handler_of(process, runner)({"Records": [raw_record(FIRST, text)]}, Context())

    assert process.asked[0][0][0].data == NOT_BASE64 + text.encode()


def test_the_lag_of_the_oldest_record_is_observed(runner: asyncio.Runner) -> None:
    monitoring = FakeMonitoring()
    records = [raw_record(FIRST, b"x"), raw_record(FIRST + 1, b"x")]
    records[1]["kinesis"]["approximateArrivalTimestamp"] = 1781524900.0

    handler_of(FakeProcess(), runner, monitoring)({"Records": records}, Context())

    assert monitoring.observed == [("ingestion_lag_seconds", 0.75)]


def test_a_clock_set_back_shows_no_negative_lag(runner: asyncio.Runner) -> None:
    monitoring = FakeMonitoring()
    raw = raw_record(FIRST, b"x")
    raw["kinesis"]["approximateArrivalTimestamp"] = 1781524900.0

    handler_of(FakeProcess(), runner, monitoring)({"Records": [raw]}, Context())

    assert monitoring.observed == [("ingestion_lag_seconds", 0.0)]


def test_no_task_outlives_an_invocation(runner: asyncio.Runner) -> None:
    world = World()
    handle = handler_of(world.process, runner)
    records = [raw_record(FIRST + n, record(n + 1).data) for n in range(3)]

    assert handle({"Records": records}, Context()) == {"batchItemFailures": []}
    assert asyncio.all_tasks(runner.get_loop()) == set()
    assert world.agrees()


def test_one_loop_serves_every_invocation(runner: asyncio.Runner) -> None:
    loops = set()

    class Watched(FakeProcess):
        async def __call__(
            self, records: Sequence[StreamRecord], deadline: Deadline
        ) -> BatchReport:
            loops.add(asyncio.get_running_loop())
            return await super().__call__(records, deadline)

    handle = handler_of(Watched(), runner)
    for _ in range(2):
        handle({"Records": [raw_record(FIRST, b"x")]}, Context())

    assert loops == {runner.get_loop()}


def test_the_handler_and_the_use_case_report_one_lowest_failure(runner: asyncio.Runner) -> None:
    world = World()
    world.keyspaces.faults.append(TransientError("away"))
    handle = handler_of(world.process, runner)
    bodies = [record(n, envelope(n)).data for n in (1, 2)]
    records = [raw_record(FIRST + n, body) for n, body in enumerate(bodies)]

    answer = handle({"Records": records}, Context())

    assert answer == {"batchItemFailures": [{"itemIdentifier": str(FIRST)}]}
    assert handle({"Records": records}, Context()) == {"batchItemFailures": []}


def test_the_handler_imports_nothing_that_a_lambda_has_no_time_for() -> None:
    program = f"import adapters.inbound.lambdas.kinesis, ingestion.process; {JSON_TYPES}"

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)

    modules = set(done.stdout.decode().strip('[]"').split('", "'))
    # Powertools looks whether the SDK is there by importing its name alone, which is little.
    loaded = {name.split(".")[0] for name in modules - {"botocore"}}
    assert "aws_lambda_powertools" in loaded
    assert loaded & {"sqlalchemy", "fastapi", "boto3", "botocore", "pydantic", "aiohttp"} == set()
