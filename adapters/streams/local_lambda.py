"""What stands in for AWS around the handler on this machine: a container and a destination."""

import asyncio
import json
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.streams.event_source_mapping import REGION, FailedBatch, LambdaEvent
from domain.errors import TransientError
from domain.ports.time import Clock, Deadline

Run = Callable[[Any], Any]
Handle = Callable[[LambdaEvent, "LocalInvocation"], object]


@dataclass(frozen=True, slots=True)
class LocalInvocation:
    """Lambda's context object, as far as handlers and powertools ask it."""

    clock: Clock
    deadline: Deadline
    function_name: str = "ingestion"
    memory_limit_in_mb: int = 1024
    invoked_function_arn: str = f"arn:aws:lambda:{REGION}:000000000000:function:ingestion"
    aws_request_id: str = "local"

    def get_remaining_time_in_millis(self) -> int:
        """Return how long this invocation may still take."""
        return int(self.deadline.remaining(self.clock) * 1000)


class HandlerThread:
    """
    A synchronous handler in threads of its own, each as one container that Lambda would run.

    `build` makes a thread's handler from the `run` of that thread's only asyncio.Runner.
    Invocations beyond the number of threads wait; those of one shard never overlap anyway.
    """

    def __init__(
        self,
        build: Callable[[Run], Handle],
        clock: Clock,
        timeout_s: float = 60.0,
        threads: int = 1,
    ) -> None:
        self._runners = [asyncio.Runner() for _ in range(threads)]
        self._handles = [build(runner.run) for runner in self._runners]
        self._clock = clock
        self._timeout_s = timeout_s
        self._own = threading.local()
        self._pool = ThreadPoolExecutor(threads, "handler", self._start)

    async def __call__(self, event: LambdaEvent) -> object:
        """Run the handler on one event and return its answer, or raise what it raises."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, self._invoke, event)

    async def close(self) -> None:
        """Finish the invocations under way, end the threads, and close their loops."""
        await asyncio.to_thread(self._end)

    # --- in the threads ------------------------------------------------------------------------

    def _start(self) -> None:
        self._own.handle = self._handles.pop()

    def _invoke(self, event: LambdaEvent) -> object:
        deadline = Deadline.after(self._clock, self._timeout_s)
        return self._own.handle(event, LocalInvocation(self._clock, deadline))

    def _end(self) -> None:
        self._pool.shutdown()
        for runner in self._runners:
            runner.close()


@dataclass(frozen=True, slots=True)
class FailureFolder:
    """
    An on-failure destination: one file a batch, which only the owner can read.

    Records may hold what producers wrote in clear, so the folder is no place to forget them in.
    """

    folder: Path

    async def __call__(self, batch: FailedBatch) -> None:
        """
        Keep a batch durably; the same batch again replaces its file.

        Raises:
            TransientError: the file could not be written.
        """
        try:
            await asyncio.to_thread(self._write, batch)
        except OSError as error:
            raise TransientError("the on-failure folder cannot be written") from error

    def _write(self, batch: FailedBatch) -> None:
        name = f"{batch.shard_id}-{batch.records[0].sequence}-{batch.records[-1].sequence}.json"
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = self.folder / f"{name}.draft"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(batch.document(), file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.folder / name)
        _sync_folder(self.folder)


def _sync_folder(folder: Path) -> None:
    """Make the new name durable too: a file's own sync says nothing about its folder."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
