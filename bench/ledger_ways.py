"""The shipped writer, and a transaction a request, as the bench of the ledger drives them."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import islice
from resource import RUSAGE_SELF, getrusage
from typing import Any, Final

from adapters.inbound.http.server import freeze_memory
from adapters.mysql_address import MysqlAddress
from adapters.stores.sql.mysql_truth import MysqlTruth
from adapters.system import SystemChance, SystemClock, SystemIds
from adapters.telemetry.lines import LineWriter
from adapters.telemetry.logs import Logs, at_least
from adapters.telemetry.metrics import Metrics
from adapters.telemetry.monitoring import Telemetry
from decision_engine.record.batch import BatchProgram
from decision_engine.record.entry import Again, Done, Entry
from decision_engine.record.prepare import Lane
from decision_engine.record.writer import LedgerWriter
from domain.ports.time import Deadline
from domain.ports.truth import Program, Rows, TruthError

PATIENCE_S: Final = 30.0

Record = Callable[[Entry], Awaitable[object]]
Programs = Callable[[Program[Any]], Program[Any]]


@dataclass(frozen=True, slots=True)
class Measured:
    """One burst."""

    rate: float
    p50_ms: float
    p99_ms: float
    cpu_us: float

    def text(self) -> str:
        """Return rate, p50 / p99 and CPU of the client."""
        return f"{self.rate:8,.0f} {self.p50_ms:7.1f} /{self.p99_ms:7.1f}{self.cpu_us:7.0f}"


def together(program: Program[Any]) -> Program[Any]:
    """Leave the trips of a program as they are."""
    return program


def one_by_one(running_program: Program[Any]) -> Program[Any]:
    """Make each statement a trip of its own."""
    try:
        trip = next(running_program)
        while True:
            results: list[Rows] = []
            try:
                for statement in trip:
                    results += yield (statement,)
            except TruthError as error:
                trip = running_program.throw(error)
            else:
                trip = running_program.send(results)
    except StopIteration as end:
        return end.value


@dataclass(slots=True)
class Bench:
    """The server, and the parts that every way of writing needs."""

    address: MysqlAddress
    clock: SystemClock
    monitoring: Telemetry

    def truth(self, connections: int = 1) -> MysqlTruth:
        """Return a store of truth of its own."""
        return MysqlTruth(self.address, self.clock, connections)

    @asynccontextmanager
    async def grouped(self) -> AsyncIterator[Record]:
        """Have the shipped writer."""
        truth, beside, second = self.truth(), self.truth(), self.truth()
        writer = LedgerWriter(
            truth=truth,
            clock=self.clock,
            ids=SystemIds(),
            chance=SystemChance(),
            monitoring=self.monitoring,
            note="bench",
            second=second,
            beside=[beside],
        )
        await writer.start()

        async def record(entry: Entry) -> object:
            result = await writer.record(entry, Deadline.after(self.clock, PATIENCE_S))
            return await record(entry) if isinstance(result, Again) else result

        try:
            yield record
        finally:
            await writer.stop()
            await truth.close()
            await beside.close()
            await second.close()

    @asynccontextmanager
    async def single(self, connections: int, as_sent: Programs) -> AsyncIterator[Record]:
        """Have a transaction a request, over so many connections with a lane each."""
        free: asyncio.Queue[tuple[MysqlTruth, BatchProgram]] = asyncio.Queue()
        truths = [self.truth() for _ in range(connections)]
        forever = Deadline(float("inf"))
        for truth in truths:
            lane = Lane(SystemIds().uuid7(self.clock.now()))
            program = BatchProgram(lane, self.clock, SystemIds(), SystemChance())
            await truth.transact(lambda p=program: p.open_lane("bench"), forever)  # type: ignore[misc]
            free.put_nowait((truth, program))

        async def record(entry: Entry) -> object:
            truth, program = await free.get()
            try:
                results = await truth.transact(lambda: as_sent(program.record([entry])), forever)
            finally:
                free.put_nowait((truth, program))
            result = results[entry.key]
            return await record(entry) if isinstance(result, Again) else result

        try:
            yield record
        finally:
            for truth in truths:
                await truth.close()


async def burst(record: Record, load: Iterator[Entry], count: int, concurrency: int) -> Measured:
    """Record `count` entries, so many at a time."""
    latencies: list[float] = []
    # As the shipped entry point does; what the load is made of must not count as its work.
    waiting = list(islice(load, count))
    freeze_memory()
    some = iter(waiting)

    async def worker() -> None:
        for entry in some:
            began = time.perf_counter()
            result = await record(entry)
            latencies.append(time.perf_counter() - began)
            if not isinstance(result, Done):
                raise RuntimeError(f"not recorded: {result}")  # noqa: TRY004

    cpu, began = _cpu(), time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(concurrency):
            group.create_task(worker())
    wall = time.perf_counter() - began
    latencies.sort()
    return Measured(
        rate=count / wall,
        p50_ms=latencies[count // 2] * 1e3,
        p99_ms=latencies[int(count * 0.99)] * 1e3,
        cpu_us=(_cpu() - cpu) / count * 1e6,
    )


def _cpu() -> float:
    used = getrusage(RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def bench_at(url: str) -> Bench:
    """Return the parts that work on a database."""
    clock = SystemClock()
    logs = Logs(LineWriter(sys.stderr), clock, sampler=at_least("warning"))
    return Bench(MysqlAddress.parse(url, "MYSQL_URL"), clock, Telemetry(Metrics(), logs))
