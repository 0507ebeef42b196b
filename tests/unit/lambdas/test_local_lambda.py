"""The container and the destination that this machine has in the place of AWS's."""

import asyncio
import json
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adapters.streams.event_source_mapping import FailedBatch, LambdaEvent, sequence_text
from adapters.streams.local_lambda import FailureFolder, HandlerThread, LocalInvocation
from domain.errors import TransientError
from domain.ports.stream import StreamRecord
from tests.unit.ingestion.fakes import FakeClock


def thread_of(
    handle: Callable[[Any, LambdaEvent, LocalInvocation], object],
    timeout_s: float = 60.0,
    threads: int = 1,
) -> HandlerThread:
    def build(run: Callable[[Any], Any]) -> Callable[[LambdaEvent, LocalInvocation], object]:
        return lambda event, context: handle(run, event, context)

    return HandlerThread(build, FakeClock(seconds=5.0), timeout_s, threads)


def invoked(thread: HandlerThread, *events: LambdaEvent) -> list[object]:
    async def main() -> list[object]:
        try:
            return list(await asyncio.gather(*(thread(event) for event in events)))
        finally:
            await thread.close()

    return asyncio.run(main())


def test_invocations_take_turns_in_one_thread_with_one_loop() -> None:
    seen: set[tuple[int, int]] = set()
    running: list[int] = []

    async def inside() -> None:
        seen.add((threading.get_ident(), id(asyncio.get_running_loop())))
        await asyncio.sleep(0)

    def handle(run: Any, event: LambdaEvent, _: LocalInvocation) -> object:
        running.append(1)
        assert len(running) == 1
        run(inside())
        running.pop()
        return event["n"]

    assert invoked(thread_of(handle), {"n": 1}, {"n": 2}, {"n": 3}) == [1, 2, 3]
    assert len(seen) == 1
    assert threading.get_ident() not in {thread for thread, _ in seen}


def test_several_threads_run_side_by_side_each_with_its_own_loop() -> None:
    together = threading.Barrier(2, timeout=30)
    loops: set[int] = set()

    async def inside() -> None:
        loops.add(id(asyncio.get_running_loop()))

    def handle(run: Any, _: LambdaEvent, __: LocalInvocation) -> object:
        together.wait()
        run(inside())
        return None

    assert invoked(thread_of(handle, threads=2), {}, {}, {}, {}) == [None] * 4
    assert len(loops) == 2


def test_a_handler_that_cannot_be_built_is_known_at_once() -> None:
    def build(_: object) -> Any:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        HandlerThread(build, FakeClock())


def test_what_a_handler_raises_is_raised() -> None:
    def handle(*_: object) -> object:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        invoked(thread_of(handle), {})


def test_the_context_tells_the_time_that_is_left() -> None:
    def handle(_: object, __: object, context: LocalInvocation) -> object:
        return context.get_remaining_time_in_millis(), context.function_name

    assert invoked(thread_of(handle, 2.5), {}) == [(2500, "ingestion")]


BATCH = FailedBatch("shard-1", 4, [StreamRecord("shard-1", n, "c-1", b"x", 0) for n in (7, 8)])


def test_a_batch_that_was_given_up_is_kept_as_aws_keeps_it(tmp_path: Path) -> None:
    folder = tmp_path / "failed"

    for _ in range(2):
        asyncio.run(FailureFolder(folder)(BATCH))

    (path,) = folder.iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    kept = json.loads(path.read_text())
    assert kept["requestContext"] == {
        "condition": "RetryAttemptsExhausted",
        "approximateInvokeCount": 4,
    }
    assert kept["KinesisBatchInfo"]["startSequenceNumber"] == sequence_text(7)
    assert kept["KinesisBatchInfo"]["endSequenceNumber"] == sequence_text(8)
    assert kept["KinesisBatchInfo"]["batchSize"] == 2
    assert [each["kinesis"]["data"] for each in kept["payload"]["Records"]] == ["eA==", "eA=="]


def test_a_folder_that_cannot_be_written_is_away(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(TransientError):
        asyncio.run(FailureFolder(tmp_path / "file" / "failed")(BATCH))
