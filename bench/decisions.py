"""
Durable decisions over HTTP against a FastAPI hello with the same token check, in one process.

Run: `.venv/bin/python -m bench decisions`. Everything is switched on: auth, idempotency, exposure,
evidence, outbox, relay, handler. The unit is CPU microseconds of the serving process a request
(user + system, all threads), which survives a busy machine; wall figures are shown beside. After
the load every answered decision is read again, some are replayed, and the stores must agree:
otherwise the figures are void and the bench fails.
"""

import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Final

import aiohttp

from adapters.bootstrap.shipped import DemoData
from adapters.inbound.cli.demo.book import event_records, read_book

CUSTOMERS: Final = 600
REQUESTS: Final = 600
ROUNDS: Final = 3
CONCURRENCY: Final = 64
EVENTS_A_CALL: Final = 500
REPLAYED: Final = 20
TICKS: Final = os.sysconf("SC_CLK_TCK")
CREATED: Final = 201
OK: Final = 200


@dataclass
class Round:
    """One burst of requests, as seen from outside."""

    requests: int
    wall_s: float
    cpu_us: float
    latencies_ms: list[float] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)

    def line(self, name: str) -> str:
        """Return the row of the table."""
        ordered = sorted(self.latencies_ms)
        p50, p99 = ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.99)]
        rate = self.requests / self.wall_s
        return f"{name:<28}{self.cpu_us:>10.0f}{rate:>10.0f}{p50:>10.1f}{p99:>10.1f}"


def cpu_seconds(pid: int) -> float:
    """Return user and system time of a process, all threads."""
    parts = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(parts[11]) + int(parts[12])) / TICKS


@asynccontextmanager
async def measured_server(
    data: Path, profile: str = "embedded", environment: Mapping[str, str] | None = None
) -> AsyncIterator[tuple[int, dict[str, Any]]]:
    """Start the server process; yield its pid and addresses; end it."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bench.server",
        str(data),
        profile,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, **(environment or {})},
    )
    if process.stdout is None:
        raise RuntimeError("the server has no pipe")
    try:
        yield process.pid, json.loads(await process.stdout.readline())
    finally:
        process.terminate()
        await process.wait()


Send = Callable[[int], Awaitable[tuple[int, bytes]]]


async def burst(pid: int, send: Send, count: int) -> Round:
    """Send `count` requests, `CONCURRENCY` at a time, and measure."""
    numbers, latencies, bodies = iter(range(count)), [], []

    async def worker() -> None:
        for number in numbers:
            began = time.perf_counter()
            status, body = await send(number)
            latencies.append((time.perf_counter() - began) * 1000)
            if status not in (OK, CREATED):
                raise RuntimeError(f"{status}: {body[:300]!r}")
            bodies.append(json.loads(body))

    cpu, began = cpu_seconds(pid), time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(CONCURRENCY)))
    wall = time.perf_counter() - began
    return Round(count, wall, (cpu_seconds(pid) - cpu) / count * 1e6, latencies, bodies)


@dataclass
class Client:
    """Requests to one server."""

    session: aiohttp.ClientSession
    where: dict[str, Any]

    async def post(self, base: str, path: str, body: object, key: str = "") -> tuple[int, bytes]:
        """Send a body and return status and reply."""
        headers = {"Authorization": f"Bearer {self.where['token']}", "Deadline-Ms": "10000"}
        if key:
            headers["Idempotency-Key"] = key
        url = self.where[base] + path
        async with self.session.post(url, json=body, headers=headers) as response:
            return response.status, await response.read()

    async def get(self, path: str) -> tuple[int, bytes]:
        """Read something of the platform."""
        headers = {"Authorization": f"Bearer {self.where['token']}"}
        async with self.session.get(self.where["platform"] + path, headers=headers) as response:
            return response.status, await response.read()


def ask(number: int) -> dict[str, object]:
    """Return a request of one of the seeded customers."""
    return {
        "customer_id": f"c-{number % CUSTOMERS + 1:06d}",
        "product": "personal_loan",
        "amount": f"{1000 + number % 40 * 250}.00",
        "term_months": 6 + number % 9 * 6,
    }


async def seed(client: Client) -> tuple[int, float]:
    """Send the events of the customers; return how many, and the seconds until decided upon."""
    records = [
        json.loads(data) for _, data in event_records(read_book(DemoData().taiwan, CUSTOMERS))
    ]
    began = time.perf_counter()
    for start in range(0, len(records), EVENTS_A_CALL):
        status, body = await client.post(
            "platform", "/v1/events", {"events": records[start : start + EVENTS_A_CALL]}
        )
        if status != OK:
            raise RuntimeError(f"{status}: {body[:300]!r}")
    last = records[-1]["customer_id"]
    while (await client.get(f"/v1/customers/{last}"))[0] != OK:  # noqa: ASYNC110 - over HTTP
        await asyncio.sleep(0.05)
    return len(records), time.perf_counter() - began


async def check(client: Client, bodies: list[dict[str, Any]]) -> None:
    """Read every answered decision again and replay some; a difference voids the figures."""
    for body in bodies:
        status, reply = await client.get(f"/v1/credit-decisions/{body['decision_id']}")
        if status != OK or json.loads(reply)["outcome"] != body["outcome"]:
            raise RuntimeError("an answered decision is not there: the figures are void")
    for body in bodies[:: max(1, len(bodies) // REPLAYED)]:
        path = f"/v1/credit-decisions/{body['decision_id']}/replay"
        _, reply = await client.post("platform", path, {})
        if json.loads(reply)["verdict"] != "EQUAL":
            raise RuntimeError("a replay is not equal: the figures are void")


async def run() -> None:
    """Measure interleaved rounds and print the table."""
    with tempfile.TemporaryDirectory() as folder:
        async with measured_server(Path(folder) / "data") as (pid, where):
            connector = aiohttp.TCPConnector(limit=CONCURRENCY)
            async with aiohttp.ClientSession(connector=connector) as session:
                await _measure(pid, Client(session, where))


async def _measure(pid: int, client: Client) -> None:
    events, seconds = await seed(client)
    print(f"events through HTTP, stream and handler: {events / seconds:,.0f} a second")
    rounds: dict[str, list[Round]] = {"FastAPI hello": [], "decision": [], "the same key again": []}
    for number in range(ROUNDS):

        async def hello(n: int) -> tuple[int, bytes]:
            return await client.post("hello", "/hello", ask(n))

        async def decide(n: int, offset: int = number * REQUESTS) -> tuple[int, bytes]:
            return await client.post(
                "platform", "/v1/credit-decisions", ask(n + offset), f"bench-{n + offset}"
            )

        rounds["FastAPI hello"].append(await burst(pid, hello, REQUESTS))
        rounds["decision"].append(await burst(pid, decide, REQUESTS))
        rounds["the same key again"].append(await burst(pid, decide, REQUESTS))
    await check(client, [body for each in rounds["decision"] for body in each.bodies])
    print(f"{'':<28}{'CPU µs':>10}{'req/s':>10}{'p50 ms':>10}{'p99 ms':>10}")
    for name, held in rounds.items():
        print(sorted(held, key=lambda each: each.cpu_us)[len(held) // 2].line(name))
    cpu = {name: median(each.cpu_us for each in held) for name, held in rounds.items()}
    ratio = cpu["FastAPI hello"] / cpu["decision"]
    print(f"R = hello / decision = {ratio:.2f} (CPU, medians of {ROUNDS} interleaved rounds)")


def main() -> None:
    """Run the bench."""
    asyncio.run(run())


if __name__ == "__main__":
    main()
