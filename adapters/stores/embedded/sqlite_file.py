"""
One SQLite file of the data folder: one thread writes, one reads, waiting writes share a commit.

Why one writing thread: SQLite has one writer anyway, and a queue in front of it is bounded, fair
and never SQLITE_BUSY. Why commits are shared: a flush of the disk costs as much as a hundred rows.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from itertools import groupby
from pathlib import Path
from typing import TypeVar

import apsw

from adapters.stores.embedded.opening import Layout, open_reader, open_writer
from adapters.stores.embedded.worker import AnyJob, Job, Work, Worker
from domain.errors import AmbiguousError, CreditError, DeadlineExceededError, TransientError
from domain.ports.time import Clock, Deadline

T = TypeVar("T")


def nowhere(_: str) -> None:
    """Let a crash point pass."""


class SqliteFile:
    """
    The file and its two threads; usable from any event loop.

    Crash points: `at` is called on the writing thread with `<name>.begin`, `<name>.before_commit`
    and `<name>.after_commit`; after the last, everything of the commit is durable and nobody has
    been told yet.
    """

    def __init__(
        self,
        path: Path,
        layout: Layout,
        clock: Clock,
        *,
        vfs: str | None = None,
        at: Callable[[str], None] = nowhere,
    ) -> None:
        self._path = path
        self._layout = layout
        self._vfs = vfs
        self._clock = clock
        self._at = at
        self._connection: apsw.Connection | None = open_writer(path, layout, vfs)
        self._reading = open_reader(path, vfs)
        self._writer = Worker(f"{layout.name}-writer", self._serve_writes)
        self._reader = Worker(f"{layout.name}-reader", self._serve_reads)

    async def run(self, work: Work[T], deadline: Deadline | None = None) -> T:
        """
        Run work on the writing thread; it opens and ends its own transactions.

        Once begun it runs to its end, also when the waiting task is cancelled.

        Raises:
            DeadlineExceededError: it had not begun when the deadline passed.
            ThrottledError: too many wait.
            TransientError: SQLite refused, or the file is closed.
        """
        return await self._submit(self._writer, Job(work, deadline))

    async def commit(self, work: Work[T], deadline: Deadline | None = None) -> T:
        """
        Run work inside a transaction shared with whoever waits; durable once this returns.

        Work that fails is undone alone. It may be run twice and must not mind.

        Raises:
            DeadlineExceededError, ThrottledError, TransientError: as `run`; nothing was written.
            AmbiguousError: the commit itself failed.
        """
        return await self._submit(self._writer, Job(work, deadline, grouped=True))

    async def read(self, work: Work[T], deadline: Deadline | None = None) -> T:
        """Run work on the reading thread, which sees every commit that has returned."""
        return await self._submit(self._reader, Job(work, deadline))

    def reopen(self) -> apsw.Connection:
        """Drop the writing connection and return a new one; only within `run`."""
        self._drop_connection()
        return self._writing()

    def close(self) -> None:
        """Finish what waits, end both threads and close the file."""
        self._writer.close()
        self._reader.close()
        # The last one to close folds the log into the file; a reader could not.
        self._reading.close()
        self._drop_connection()

    async def _submit(self, worker: Worker, job: Job[T]) -> T:
        worker.submit(job)
        return await asyncio.wrap_future(job.future)

    # --- on the threads ------------------------------------------------------------------------

    def _serve_reads(self, jobs: list[AnyJob]) -> None:
        for job in jobs:
            if self._begins(job):
                self._alone(job, lambda: self._reading)

    def _serve_writes(self, jobs: list[AnyJob]) -> None:
        for grouped, run in groupby(jobs, key=lambda job: job.grouped):
            begun = (job for job in run if self._begins(job))
            if grouped:
                self._together(list(begun))
                continue
            for job in begun:
                self._alone(job, self._writing)

    def _begins(self, job: AnyJob) -> bool:
        if not job.future.set_running_or_notify_cancel():
            return False
        if job.deadline is not None and self._clock.monotonic() >= job.deadline.at:
            job.future.set_exception(DeadlineExceededError("the deadline passed in the queue"))
            return False
        return True

    def _alone(self, job: AnyJob, connection: Callable[[], apsw.Connection]) -> None:
        try:
            result = job.work(connection())
        except BaseException as error:  # noqa: BLE001  whatever it is belongs to the waiter
            job.future.set_exception(self._translated(error))
        else:
            job.future.set_result(result)

    def _together(self, jobs: list[AnyJob]) -> None:
        if not jobs:
            return
        try:
            results = self._executed(jobs)
        except BaseException as error:  # noqa: BLE001  as above
            self._undone(jobs, error)
            return
        self._committed(jobs, results)

    def _executed(self, jobs: list[AnyJob]) -> list[object]:
        self._at(f"{self._layout.name}.begin")
        connection = self._writing()
        connection.execute("BEGIN IMMEDIATE")
        return [job.work(connection) for job in jobs]

    def _undone(self, jobs: list[AnyJob], error: BaseException) -> None:
        self._roll_back()
        if len(jobs) == 1:
            jobs[0].future.set_exception(self._translated(error))
            return
        for job in jobs:
            self._together([job])

    def _committed(self, jobs: list[AnyJob], results: list[object]) -> None:
        try:
            self._at(f"{self._layout.name}.before_commit")
            self._writing().execute("COMMIT")
            self._at(f"{self._layout.name}.after_commit")
        except BaseException as error:  # noqa: BLE001  as above
            self._roll_back()
            for job in jobs:
                job.future.set_exception(self._unknown(error))
            return
        for job, result in zip(jobs, results, strict=True):
            job.future.set_result(result)

    def _roll_back(self) -> None:
        # Should even this fail, the next BEGIN says so to whoever comes next.
        with suppress(apsw.Error):
            if self._connection is not None and self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    def _writing(self) -> apsw.Connection:
        # Missing when it could not be opened again; the fault may have passed since.
        if self._connection is None:
            self._connection = open_writer(self._path, self._layout, self._vfs)
        return self._connection

    def _drop_connection(self) -> None:
        held, self._connection = self._connection, None
        if held is not None:
            held.close()

    # --- errors: the name of what happened, never SQLite's text, which may quote -----------------

    def _translated(self, error: BaseException) -> BaseException:
        if not isinstance(error, apsw.Error | OSError):
            return error
        return _caused(TransientError(f"{self._layout.name}: {type(error).__name__}"), error)

    def _unknown(self, error: BaseException) -> BaseException:
        if not isinstance(error, apsw.Error):
            return error
        text = f"{self._layout.name}: commit failed, {type(error).__name__}"
        return _caused(AmbiguousError(text), error)


def _caused(error: CreditError, cause: BaseException) -> CreditError:
    error.__cause__ = cause
    return error
