"""
Durable decisions over HTTP on MariaDB and Redis, the shipped entry point of the services profile.

Run: `.venv/bin/python -m bench services`. Beside a FastAPI hello with the same token check in the
same process; the unit is CPU microseconds of that process a request (user + system, all threads:
the projections of the decisions, relay and handler, run in it too, and are told apart). The mix is
70 % distinct persons, 20 % persons that came before, 5 % keys again, 5 % invalid. Afterwards every
answered decision is read again and one in a hundred is replayed: else the figures are void.
"""

import asyncio
import json
import random
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Final

import aiohttp

from bench import decisions
from bench.databases import fresh_database
from bench.decisions import CREATED, OK, Client, Round, Send, ask, burst, measured_server
from tests.services.fleet import running

CUSTOMERS: Final = 1_500
REQUESTS: Final = 600
ROUNDS: Final = 3
CONCURRENCY: Final = 64
SMALL: Final = "1000.00"
REFUSED: Final = 422
HALF_LOAD_S: Final = 5.0
P99_BAR_MS: Final = 15.0
BARS: Final = {"declined": 1.0, "approved": 0.6}


def main() -> None:
    """Run the bench; end with 1 when a bar is missed."""
    with ExitStack() as stack:
        servers = stack.enter_context(running("mariadb", "redis"))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        environment = prepared(servers["mariadb"].settings["MYSQL_URL"])
        environment |= servers["redis"].settings
        environment |= {"KEYS_DIR": str(folder / "keys"), "PROJECTIONS": "files"}
        if not asyncio.run(measure(folder, environment)):
            raise SystemExit(1)


def prepared(url: str) -> dict[str, str]:
    """Make the databases, and return the settings that name them."""
    truth = fresh_database(url, "bench_decisions")
    return {"MYSQL_URL": truth, "KEYS_MYSQL_URL": f"{url.rpartition('/')[0]}/bench_keys"}


async def measure(folder: Path, environment: Mapping[str, str]) -> bool:
    """Measure interleaved rounds and print the table; return whether every bar holds."""
    decisions.CUSTOMERS = CUSTOMERS  # type: ignore[misc]
    async with measured_server(folder / "data", "services", environment) as (pid, where):
        connector = aiohttp.TCPConnector(limit=CONCURRENCY)
        async with aiohttp.ClientSession(connector=connector) as session:
            client = Client(session, where)
            await decisions.seed(client)
            await _until_all_are_known(client)
            return await _measure(pid, client)


async def _measure(pid: int, client: Client) -> bool:
    people = await _sorted_by_outcome(client)
    print({name: len(held) for name, held in people.items()})
    found = Found({"hello": [], **{name: [] for name in BARS}}, {name: [] for name in BARS})
    for turn in range(ROUNDS):
        found.rounds["hello"].append(
            await burst(pid, lambda n: client.post("hello", "/hello", ask(n)), REQUESTS)
        )
        for name in BARS:
            before = _threads(pid)
            send = _deciding(client, people[name], f"{name}-{turn}", turn * REQUESTS)
            found.rounds[name].append(await burst(pid, send, REQUESTS))
            found.threads[name].append(
                {tid: used - before.get(tid, 0.0) for tid, used in _threads(pid).items()}
            )
    bodies = [body for name in BARS for each in found.rounds[name] for body in each.bodies]
    await decisions.check(client, bodies)
    holds = _show(found)
    return await _half_load(client, people) and holds


@dataclass(frozen=True, slots=True)
class Found:
    """The bursts by what was sent, and the CPU seconds of each thread in them."""

    rounds: dict[str, list[Round]]
    threads: dict[str, list[dict[str, float]]]


def _deciding(client: Client, people: Sequence[str], name: str, first: int) -> Send:
    async def decide(number: int) -> tuple[int, bytes]:
        person = people[(first + number) % len(people)]
        body = {**ask(number), "customer_id": person, "amount": SMALL}
        return await client.post("platform", "/v1/credit-decisions", body, f"{name}-{number}")

    return decide


def _show(found: Found) -> bool:
    print(f"{'':<28}{'CPU µs':>10}{'req/s':>10}{'p50 ms':>10}{'p99 ms':>10}")
    for name, held in found.rounds.items():
        print(sorted(held, key=lambda each: each.cpu_us)[len(held) // 2].line(name))
    cpu = {name: median(each.cpu_us for each in held) for name, held in found.rounds.items()}
    holds = True
    for name, bar in BARS.items():
        seconds = found.threads[name][-1].values()
        shown = [round(each / REQUESTS * 1e6) for each in sorted(seconds, reverse=True)[:4]]
        ratio = cpu["hello"] / cpu[name]
        holds = holds and ratio >= bar
        verdict = "ok" if ratio >= bar else "MISSED"
        print(f"R {name} = {ratio:.2f}, bar {bar}: {verdict}; CPU µs by thread {shown}")
    return holds


async def _until_all_are_known(client: Client) -> None:
    """Wait until truth has every customer: shards go on at their own pace."""
    for number in range(1, CUSTOMERS + 1):
        while (await client.get(f"/v1/customers/c-{number:06d}"))[0] != OK:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def _sorted_by_outcome(client: Client) -> dict[str, list[str]]:
    """Ask once for every customer; return who is approved and who is declined."""
    found: dict[str, list[str]] = {}
    names = [f"c-{number:06d}" for number in range(1, CUSTOMERS + 1)]
    waiting = iter(names)

    async def worker() -> None:
        for name in waiting:
            body = {**ask(0), "customer_id": name, "amount": SMALL}
            status, reply = await client.post(
                "platform", "/v1/credit-decisions", body, f"first-{name}"
            )
            if status != CREATED:
                raise RuntimeError(f"{status}: {reply[:300]!r}")
            found.setdefault(json.loads(reply)["outcome"].lower(), []).append(name)

    await asyncio.gather(*(worker() for _ in range(CONCURRENCY)))
    return found


def _threads(pid: int) -> dict[str, float]:
    """Return the CPU seconds of each thread."""
    found = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        parts = (task / "stat").read_text().rpartition(")")[2].split()
        found[task.name] = (int(parts[11]) + int(parts[12])) / decisions.TICKS
    return found


# --- the mix, at half of what can be had ---------------------------------------------------------


def _mixed(number: int, people: Sequence[str], chance: random.Random) -> tuple[dict[str, Any], str]:
    """Return a body and a key: 70 % new persons, 20 % again, 5 % the same key, 5 % invalid."""
    draw = chance.random()
    name = people[number % len(people)]
    body = {**ask(number), "customer_id": name, "amount": SMALL}
    if draw < 0.05:  # noqa: PLR2004  shares of the mix
        return {**body, "amount": "12.345"}, f"mix-{number}"
    if draw < 0.10 and number:  # noqa: PLR2004
        return {**body, "customer_id": people[(number - 1) % len(people)]}, f"mix-{number - 1}"
    if draw < 0.30:  # noqa: PLR2004
        body["customer_id"] = people[chance.randrange(min(number + 1, len(people)))]
    return body, f"mix-{number}"


@dataclass(slots=True)
class Mix:
    """Sends the mix; `number` counts what was sent."""

    client: Client
    people: Sequence[str]
    chance: random.Random
    number: int = 0
    ends: list[tuple[int, float]] = field(default_factory=list)

    async def send(self) -> None:
        """Send the next request, and note its status and milliseconds."""
        body, key = _mixed(self.number, self.people, self.chance)
        self.number += 1
        began = time.perf_counter()
        status, _ = await self.client.post("platform", "/v1/credit-decisions", body, key)
        if status not in (OK, CREATED, REFUSED):
            raise RuntimeError(f"unexpected: {status}")
        self.ends.append((status, (time.perf_counter() - began) * 1e3))

    async def until(self, number: int) -> None:
        """Send one after the other until so many were sent."""
        while self.number < number:
            await self.send()


async def _half_load(client: Client, people: Mapping[str, Sequence[str]]) -> bool:
    everybody = [name for held in people.values() for name in held]
    mix = Mix(client, everybody, random.Random(20261210))
    began = time.perf_counter()
    await asyncio.gather(*(mix.until(REQUESTS * 2) for _ in range(CONCURRENCY)))
    rate = mix.number / (time.perf_counter() - began)
    mix.ends.clear()
    begin = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for turn in range(int(HALF_LOAD_S * rate / 2)):
            group.create_task(mix.send())
            await asyncio.sleep(max(0.0, begin + (turn + 1) * 2 / rate - time.perf_counter()))
    latencies = sorted(milliseconds for _, milliseconds in mix.ends)
    middle, p99 = median(latencies), latencies[int(len(latencies) * 0.99)]
    print(f"mix: {rate:,.0f}/s at most; at half of it p50 {middle:.1f} ms, p99 {p99:.1f} ms")
    return p99 <= P99_BAR_MS


if __name__ == "__main__":
    main()
