"""
The ledger's writer on a real MySQL: batches that form by themselves against a transaction each.

Run: `.venv/bin/python -m bench ledger`; MYSQL_URL names a server, else MariaDB is started. A commit
is on disk before it is answered. "packed" makes the same trips for one request at a time,
"ordinary" sends one statement a trip, as a usual driver does; both get the best of several numbers
of connections. Rates swing between minutes: trust the ratios inside a round, medians of three.
"""

import asyncio
import os
from contextlib import ExitStack
from statistics import median
from typing import Final

from adapters.inbound.http.server import new_event_loop
from adapters.mysql_address import MysqlAddress
from bench.databases import fresh_database
from bench.ledger_load import MIXES, PERSONS, entries, seed
from bench.ledger_processes import rate_of
from bench.ledger_ways import Bench, Measured, Programs, bench_at, burst, one_by_one, together
from tests.services.fleet import running

REQUESTS: Final = 4_000
BASELINE_REQUESTS: Final = 1_200
ALONE: Final = 400
HOT: Final = 500
ROUNDS: Final = 3
CONNECTIONS: Final = (4, 8, 16, 32)
P99_BAR: Final = 2.0
ALONE_BAR: Final = 1.2
BARS: Final = {"approvals": 6.0, "50/50": 5.0, "declines": 3.5}
TWO_BAR: Final = 0.9
HOT_BAR: Final = 0.2


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


async def measure(bench: Bench) -> bool:
    """Print the table of one process; return whether its bars hold."""
    print(f"{'mix':12}{'way':28}{'req/s':>8}{'p50 /  p99 ms':>17}{'CPU us':>7}")
    holds = True
    for mix in MIXES:
        ratio, tight = await rates_of(bench, mix)
        alone = await alone_of(bench, mix)
        well = ratio >= BARS[mix] and tight and alone <= ALONE_BAR
        holds = holds and well
        print(f"{mix:12}bar {BARS[mix]}; alone {alone:.2f} of packed: {'ok' if well else 'MISSED'}")
    return holds


def measure_processes(url: str) -> bool:
    """Print what two processes do together; return whether their bars hold."""
    holds = True
    for mix in MIXES:
        ratios = []
        for _ in range(ROUNDS):
            one = rate_of(url, mix, processes=1, concurrency=64, count=REQUESTS)
            two = rate_of(url, mix, processes=2, concurrency=32, count=REQUESTS // 2)
            ratios.append(two / one)
        holds = holds and median(ratios) >= TWO_BAR
        print(f"{mix:12}two processes x 32 / one x 64: {median(ratios):.2f}, bar {TWO_BAR}")
    ratios = []
    for number in range(ROUNDS):
        many = rate_of(url, "50/50", processes=2, concurrency=32, count=REQUESTS // 2)
        hot = rate_of(
            url, "50/50", processes=2, concurrency=32, count=HOT, person=PERSONS - 1 - number
        )
        ratios.append(hot / many)
    print(f"one hot person from two processes x 32: {median(ratios):.2f} of 50/50, bar {HOT_BAR}")
    return holds and median(ratios) >= HOT_BAR


def prepared(url: str) -> str:
    """Return the address of a database of our own, with schema, persons and customers."""
    made = fresh_database(url, "bench_ledger")
    seed(MysqlAddress.parse(made, "MYSQL_URL"))
    return made


def main() -> None:
    """Run the bench; end with 1 when a bar is missed."""
    with ExitStack() as stack:
        url = os.environ.get("MYSQL_URL", "")
        if not url:
            servers = stack.enter_context(running("mariadb"))
            url = servers["mariadb"].settings["MYSQL_URL"]
        url = prepared(url)
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            alone = runner.run(measure(bench_at(url)))
        if not (measure_processes(url) and alone):
            raise SystemExit(1)


if __name__ == "__main__":
    main()
