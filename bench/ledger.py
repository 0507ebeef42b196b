"""
The ledger's writer on a real MySQL: batches that form by themselves against a transaction each.

Run: `.venv/bin/python -m bench ledger`; MYSQL_URL names a server, else MariaDB is started. A commit
is on disk before it is answered. "packed" makes the same trips for one request at a time,
"ordinary" sends one statement a trip, as a usual driver does; both get the best of several numbers
of connections. Rates swing between minutes: trust the ratios inside a round, medians of three.
"""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from itertools import islice
from resource import RUSAGE_SELF, getrusage
from statistics import median
from typing import Any, Final

import pymysql

from adapters.inbound.http.server import new_event_loop
from adapters.mysql_address import MysqlAddress
from adapters.stores.sql.migrations.server import Server
from adapters.stores.sql.mysql_truth import MysqlTruth
from adapters.system import SystemChance, SystemClock, SystemIds
from adapters.telemetry.lines import LineWriter
from adapters.telemetry.logs import Logs, at_least
from adapters.telemetry.metrics import Metrics
from adapters.telemetry.monitoring import Telemetry
from bench.ledger_load import MIXES, entries, seed
from decision_engine.record.batch import BatchProgram
from decision_engine.record.entry import Again, Done, Entry
from decision_engine.record.prepare import Lane
from decision_engine.record.writer import LedgerWriter
from domain.ports.time import Deadline
from domain.ports.truth import Program, Rows, TruthError
from tests.services.fleet import running

REQUESTS: Final = 4_000
BASELINE_REQUESTS: Final = 1_200
ALONE: Final = 400
ROUNDS: Final = 3
CONNECTIONS: Final = (4, 8, 16, 32)
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
        truth, second = self.truth(), self.truth()
        writer = LedgerWriter(
            truth=truth,
            clock=self.clock,
            ids=SystemIds(),
            chance=SystemChance(),
            monitoring=self.monitoring,
            note="bench",
            second=second,
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
    some = islice(load, count)

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


# --- what is measured ----------------------------------------------------------------------------


async def best_connections(bench: Bench, mix: str, as_sent: Programs) -> int:
    """Return the number of connections at which a transaction a request is fastest."""
    rates = {}
    for connections in CONNECTIONS:
        name = f"sweep-{mix}-{as_sent.__name__}-{connections}"
        async with bench.single(connections, as_sent) as record:
            measured = await burst(record, entries(mix, name), BASELINE_REQUESTS // 2, 64)
        rates[measured.rate] = connections
    return rates[max(rates)]


async def rates_of(bench: Bench, mix: str) -> tuple[float, bool]:
    """Print one mix; return group / ordinary at 64 and whether p99 holds."""
    best = {way: await best_connections(bench, mix, way) for way in (together, one_by_one)}
    found: dict[str, list[Measured]] = {}
    for number in range(ROUNDS):
        async with bench.grouped() as record:
            for concurrency in (64, 256):
                load = entries(mix, f"{mix}-group-{concurrency}-{number}")
                made = await burst(record, load, REQUESTS, concurrency)
                found.setdefault(f"group at {concurrency}", []).append(made)
        for name, way in (("packed", together), ("ordinary", one_by_one)):
            async with bench.single(best[way], way) as record:
                load = entries(mix, f"{mix}-{name}-{number}")
                made = await burst(record, load, BASELINE_REQUESTS, 64)
            found.setdefault(f"{name}, {best[way]} connections", []).append(made)
    for name, held in found.items():
        middle = sorted(held, key=lambda each: each.rate)[len(held) // 2]
        print(f"{mix:12}{name:28}{middle.text()}")
    group, wide, packed, ordinary = found.values()
    ratio = median(a.rate / b.rate for a, b in zip(group, ordinary, strict=True))
    tight = median(a.rate / b.rate for a, b in zip(group, packed, strict=True))
    spread = max(
        median(each.p99_ms * each.rate / 1e3 / concurrency for each in held)
        for held, concurrency in ((group, 64), (wide, 256))
    )
    ratios = f"group / ordinary {ratio:.1f}, / packed {tight:.1f}; p99 / (c / rate) {spread:.2f}"
    print(f"{mix:12}{ratios}")
    return ratio, spread <= P99_BAR


async def alone_of(bench: Bench, mix: str) -> float:
    """Return the median time of a request alone, in that of one packed transaction."""
    ratios = []
    for number in range(ROUNDS):
        async with bench.grouped() as record:
            ours = await burst(record, entries(mix, f"{mix}-alone-{number}"), ALONE, 1)
        async with bench.single(1, together) as record:
            theirs = await burst(record, entries(mix, f"{mix}-alone-p-{number}"), ALONE, 1)
        ratios.append(ours.p50_ms / theirs.p50_ms)
    return median(ratios)


P99_BAR: Final = 2.0
ALONE_BAR: Final = 1.2
BARS: Final = {"approvals": 6.0, "50/50": 5.0, "declines": 3.5}


async def measure(bench: Bench) -> bool:
    """Print the table; return whether every bar holds."""
    print(f"{'mix':12}{'way':28}{'req/s':>8}{'p50 /  p99 ms':>17}{'CPU us':>7}")
    holds = True
    for mix in MIXES:
        ratio, tight = await rates_of(bench, mix)
        alone = await alone_of(bench, mix)
        well = ratio >= BARS[mix] and tight and alone <= ALONE_BAR
        holds = holds and well
        print(f"{mix:12}bar {BARS[mix]}; alone {alone:.2f} of packed: {'ok' if well else 'MISSED'}")
    return holds


def prepared(url: str) -> MysqlAddress:
    """Return a database of our own on the server, with schema, persons and customers."""
    address = MysqlAddress.parse(url, "MYSQL_URL")
    own = replace(address, database="bench_ledger")
    connection: Any = pymysql.connect(
        host=address.host, port=address.port, user=address.user, password=address.password,
        autocommit=True, read_timeout=60,
    )  # fmt: skip
    with connection, connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {own.database}")
        cursor.execute(f"CREATE DATABASE {own.database}")
    Server.at(url.rpartition("/")[0] + f"/{own.database}").upgrade()
    seed(own)
    return own


def main() -> None:
    """Run the bench; end with 1 when a bar is missed."""
    with ExitStack() as stack:
        url = os.environ.get("MYSQL_URL", "")
        if not url:
            servers = stack.enter_context(running("mariadb"))
            url = servers["mariadb"].settings["MYSQL_URL"]
        clock = SystemClock()
        logs = Logs(LineWriter(sys.stderr), clock, sampler=at_least("warning"))
        bench = Bench(prepared(url), clock, Telemetry(Metrics(), logs))
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            if not runner.run(measure(bench)):
                raise SystemExit(1)


if __name__ == "__main__":
    main()
