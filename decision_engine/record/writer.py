"""
The ledger's writer of a process: natural batching, one batch at a time, no timer.

Whoever arrives while a commit is under way forms the next batch. The queue is bounded in length
and in age; a request whose time is up before its batch begins is withdrawn, one already in a batch
runs to its end whatever the caller does.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from decision_engine.record.batch import BatchProgram
from decision_engine.record.entry import Again, Entry, Result
from decision_engine.record.prepare import Lane, Results
from domain.errors import (
    AmbiguousError,
    CreditError,
    DeadlineExceededError,
    LedgerBusyError,
    ThrottledError,
    TransientError,
)
from domain.ports.monitoring import Monitoring
from domain.ports.time import Chance, Clock, Deadline, Ids
from domain.ports.truth import Truth, TruthError

MAX_BATCH: Final = 128
MAX_WAITING: Final = 4096
#: Requests wait at most this long for their batch before new ones are refused.
MAX_QUEUE_AGE_S: Final = 2.0
#: A person locked elsewhere is asked for again after 1-5 ms, and given up after this long.
LOCKED_PATIENCE_S: Final = 1.0
LOCKED_PAUSE_S: Final = 0.001
LOCKED_PAUSE_SPREAD_S: Final = 0.004
#: A batch, once begun, is waited for as long as it takes; recovery bounds itself by rounds.
BATCH_SECONDS: Final = 30.0


def _unheard() -> None:
    """Tell nobody of a commit."""


@dataclass(slots=True, eq=False)
class _Waiting:
    entry: Entry
    deadline: Deadline
    since: float
    reply: "asyncio.Future[Result]"


@dataclass(slots=True)
class LedgerWriter:
    """Records entries through `truth`, in batches of its own lane."""

    truth: Truth
    clock: Clock
    ids: Ids
    chance: Chance
    monitoring: Monitoring
    note: str
    #: Called after each batch, so that what it left in the outbox is published at once.
    committed: Callable[[], None] = _unheard
    _queue: deque[_Waiting] = field(default_factory=deque, init=False)
    _arrived: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _program: BatchProgram | None = field(default=None, init=False)
    _task: "asyncio.Task[None] | None" = field(default=None, init=False)
    _writing: "asyncio.Task[None] | None" = field(default=None, init=False)
    _parked: set["asyncio.Task[None]"] = field(default_factory=set, init=False)

    async def start(self) -> None:
        """Open a lane of this process and begin to write."""
        self._program = await self._open_lane()
        self._task = asyncio.create_task(self._run(), name="ledger-writer")

    async def stop(self) -> None:
        """Finish the batch under way and stop; those still waiting get an error."""
        if self._task is not None:
            self._task.cancel()
            underway = [self._writing] if self._writing is not None else []
            await asyncio.gather(self._task, *underway, *self._parked, return_exceptions=True)
            self._task = None
        while self._queue:
            self._answer(self._queue.popleft(), LedgerBusyError("the platform is stopping"))

    async def record(self, entry: Entry, deadline: Deadline) -> Result:
        """
        Return what became of the entry: recorded, known before, to be gathered again, or failed.

        Raises:
            ThrottledError: the queue is too long or too old.
            DeadlineExceededError: withdrawn before a batch took it; nothing was recorded.
            LedgerBusyError: its person stayed locked; nothing was recorded.
        """
        self._refuse_overload()
        waiting = _Waiting(
            entry,
            deadline,
            self.clock.monotonic(),
            asyncio.get_running_loop().create_future(),
        )
        self._queue.append(waiting)
        self._arrived.set()
        # The batch is never cancelled half-way, so a caller that leaves must not cancel the reply.
        return await asyncio.shield(waiting.reply)

    def _refuse_overload(self) -> None:
        if len(self._queue) >= MAX_WAITING:
            raise ThrottledError("too many requests wait for the ledger")
        if self._queue and self.clock.monotonic() - self._queue[0].since > MAX_QUEUE_AGE_S:
            raise ThrottledError("requests wait too long for the ledger")

    async def _open_lane(self) -> BatchProgram:
        program = BatchProgram(
            Lane(self.ids.uuid7(self.clock.now())),
            self.clock,
            self.ids,
            self.chance,
            lambda name: self.monitoring.count("ledger_recoveries_total", kind=name),
        )
        deadline = Deadline.after(self.clock, BATCH_SECONDS)
        try:
            await self.truth.transact(lambda: program.open_lane(self.note), deadline)
        except TruthError as error:
            # Whether the empty first batch landed is of no matter: the next try has a fresh lane.
            raise TransientError("no lane of the ledger could be opened") from error
        return program

    async def _run(self) -> None:
        while True:
            await self._arrived.wait()
            batch = self._take()
            if batch:
                # A task of its own: stopping the writer must not cut a batch in half.
                self._writing = asyncio.create_task(self._write(batch), name="ledger-batch")
                await asyncio.shield(self._writing)
            if not self._queue:
                self._arrived.clear()

    def _take(self) -> list[_Waiting]:
        batch: list[_Waiting] = []
        while self._queue and len(batch) < MAX_BATCH:
            waiting = self._queue.popleft()
            if waiting.deadline.remaining(self.clock) > 0:
                batch.append(waiting)
            else:
                self._answer(waiting, DeadlineExceededError("withdrawn before it was recorded"))
        return batch

    async def _write(self, batch: Sequence[_Waiting]) -> None:
        began = self.clock.monotonic()
        try:
            results = await self._transact([waiting.entry for waiting in batch])
        except CreditError as error:
            for waiting in batch:
                self._answer(waiting, error)
            return
        for waiting in batch:
            self._deliver(waiting, results[waiting.entry.key])
        self.committed()
        self.monitoring.observe("ledger_batch_seconds", self.clock.monotonic() - began)
        self.monitoring.observe("ledger_batch_size", float(len(batch)))

    async def _transact(self, entries: Sequence[Entry]) -> Results:
        if self._program is None:
            self._program = await self._open_lane()
        program = self._program
        deadline = Deadline.after(self.clock, BATCH_SECONDS)
        try:
            results = await self.truth.transact(lambda: program.record(entries), deadline)
        except CreditError:
            # What the lane last wrote is not certain: it is left, and a fresh one is opened.
            self._program = None
            raise
        except Exception as error:
            # A fault of ours must not end the writer; what it left behind is not known.
            self._program = None
            self.monitoring.count("ledger_faults_total", error=type(error).__name__)
            raise AmbiguousError("whether the batch landed is not known") from error
        if program.uncertain:
            self._program = None
        return results

    def _deliver(self, waiting: _Waiting, result: Result) -> None:
        if isinstance(result, Again) and result.why == "locked":
            self._park(waiting)
        else:
            waiting.reply.set_result(result)

    def _park(self, waiting: _Waiting) -> None:
        patience = self.clock.monotonic() - waiting.since
        if patience > LOCKED_PATIENCE_S or waiting.deadline.remaining(self.clock) <= 0:
            self._answer(waiting, LedgerBusyError("the person stayed locked"))
            return
        task = asyncio.create_task(self._return_later(waiting))
        self._parked.add(task)
        task.add_done_callback(self._parked.discard)

    async def _return_later(self, waiting: _Waiting) -> None:
        await asyncio.sleep(LOCKED_PAUSE_S + self.chance.uniform() * LOCKED_PAUSE_SPREAD_S)
        self._queue.appendleft(waiting)
        self._arrived.set()

    def _answer(self, waiting: _Waiting, error: CreditError) -> None:
        # Callers wait shielded, so the reply is still open whatever became of them.
        waiting.reply.set_exception(error)
