"""
Load on a platform whose cache, hot store and wide store go away one after another.

A store is stopped (connections are reset and refused), slow (every byte takes ten seconds), or
fails for three in ten of its replies. Faults add up, so that each tier below is really asked.
Whatever happens, every request is answered, and every decision is the one of a healthy platform.
"""

import asyncio
import random
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from redis import Redis

from tests.e2e.people import MONTHS, Customer
from tests.e2e.platform import Answer
from tests.integration.ledger_faults.processes import Api, Site, recent, up
from tests.integration.whole.site import ALL, whole_site
from tests.services.fleet import running
from tests.services.proxy import NONE, FaultProxy, Faults, Verdict, Way, proxied
from tests.services.server import HOST

#: The setting that names a store -> how it is called in `/health/ready`; from the top down.
STORES: Final[Mapping[str, str]] = {
    "REDIS_URL": "redis",
    "DYNAMODB_ENDPOINT": "dynamodb",
    "CASSANDRA_ADDRESS": "keyspaces",
}
SLOW_S: Final = 10.0
FAILING: Final = 0.3
EVENTS: Final = 1 + 2 * MONTHS
#: So long a store is left alone: the test waits for that, the default is a minute.
PAUSE_S: Final = 1.0
CALLERS: Final = 12
#: Poor enough for a refusal, whatever else they owe.
POOR: Final = 300_00
RICH: Final = 6_000_00
TOO_LATE_S: Final = 120.0
CREATED: Final = 201
FINE: Final = frozenset({200, CREATED})
#: What a decision is, apart from ids and instants.
PLAIN_OFFER: Final = ("amount", "term_months", "monthly_rate", "principal", "instalment", "total")


def stopped(proxy: FaultProxy) -> None:
    """Take connections no more, and end those that there are."""
    proxy.close()
    proxy.cut()


def slow(proxy: FaultProxy) -> None:
    """Let every chunk of bytes take ten seconds."""
    proxy.faults = Faults(latency_s=SLOW_S)


def failing(proxy: FaultProxy) -> None:
    """Lose three in ten replies, and their connections with them."""
    chance = random.Random(7)

    def judge(way: Way, _data: bytes) -> Verdict:
        lost = way is Way.REPLY and chance.random() < FAILING
        return Verdict.CUT if lost else Verdict.PASS

    proxy.faults = Faults(judge=judge)


def mended(proxy: FaultProxy) -> None:
    """Let the store be as before."""
    proxy.faults = NONE
    proxy.cut()
    proxy.close()
    proxy.open()


MODES: Final[Mapping[str, Callable[[FaultProxy], None]]] = {
    "stopped": stopped,
    "slow": slow,
    "failing": failing,
}


@dataclass(slots=True)
class Phase:
    """What was answered while the stores were in one state."""

    name: str
    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    other: list[str] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Requests a second."""
        return sum(self.statuses.values()) / self.seconds

    @property
    def p99_ms(self) -> float:
        """The slowest in a hundred."""
        return statistics.quantiles(self.latencies, n=100)[98] * 1e3

    @property
    def p95_ms(self) -> float:
        """The slowest in twenty."""
        return statistics.quantiles(self.latencies, n=20)[18] * 1e3

    def text(self) -> str:
        """Return one line of a table."""
        outcomes = " ".join(f"{name} {count}" for name, count in sorted(self.outcomes.items()))
        return f"{self.name:34}{self.rate:8.0f}/s  p99 {self.p99_ms:7.1f} ms  {outcomes}"


@dataclass(slots=True)
class Load:
    """Callers who decide and read; `known` is what a healthy platform says of each kind."""

    api: Api
    poor: Sequence[Customer]
    rich: Iterator[Customer]
    deadline_s: float
    known: dict[str, object] = field(default_factory=dict)
    decided: list[tuple[str, str]] = field(default_factory=list)
    _number: int = 0

    async def run(self, name: str, requests: int) -> Phase:
        """Ask so many times, `CALLERS` at once."""
        phase = Phase(name)
        left = iter(range(requests))
        began = time.perf_counter()

        async def caller() -> None:
            for number in left:
                await self._one(phase, number)

        async with asyncio.TaskGroup() as group:
            for _ in range(CALLERS):
                group.create_task(caller())
        phase.seconds = time.perf_counter() - began
        return phase

    async def paced(self, name: str, requests: int, rate: float) -> Phase:
        """Decide for one refused customer after the other, so many a second."""
        phase = Phase(name)
        began = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for number in range(requests):
                customer = self.poor[number % len(self.poor)]
                group.create_task(self._timed(phase, customer))
                await asyncio.sleep(max(0.0, began + (number + 1) / rate - time.perf_counter()))
        phase.seconds = time.perf_counter() - began
        return phase

    async def _timed(self, phase: Phase, customer: Customer) -> None:
        began = time.perf_counter()
        answer = await self._decide(phase, customer, "poor")
        phase.latencies.append(time.perf_counter() - began)
        phase.statuses[answer.status] += 1

    async def _one(self, phase: Phase, number: int) -> None:
        customer = self.poor[number % len(self.poor)]
        began = time.perf_counter()
        match number % 10:
            case 0:
                answer = await self._get(f"/v1/customers/{customer.customer_id}")
            case 1:
                answer = await self._get(f"/v1/customers/{customer.customer_id}/transactions")
            case 2:
                answer = await self._newcomer(phase, customer)
            case _:
                answer = await self._decide(phase, customer, "poor")
        phase.latencies.append(time.perf_counter() - began)
        phase.statuses[answer.status] += 1

    async def _newcomer(self, phase: Phase, otherwise: Customer) -> Answer:
        """Let somebody ask who has not asked before, and is approved, while there is anybody."""
        fresh = next(self.rich, None)
        if fresh is None:
            return await self._decide(phase, otherwise, "poor")
        return await self._decide(phase, fresh, "rich")

    async def _get(self, path: str) -> Answer:
        return await self.api.request("GET", path, deadline_s=self.deadline_s)

    async def _decide(self, phase: Phase, customer: Customer, kind: str) -> Answer:
        self._number += 1
        wish = {
            "customer_id": customer.customer_id,
            "product": "personal_loan",
            "amount": "1500.00",
            "term_months": 12,
        }
        answer = await self.api.decide(f"{kind}-{self._number}", wish, self.deadline_s)
        if answer.status == CREATED:
            found = plain(answer.document)
            phase.outcomes[answer.document["outcome"]] += 1
            self.decided.append((customer.customer_id, answer.document["decision_id"]))
            if self.known.setdefault(kind, found) != found:
                phase.other.append(f"{kind}: {found} instead of {self.known[kind]}")
        return answer


def plain(document: Mapping[str, Any]) -> object:
    """Return what a decision says, without ids, instants and where its data came from."""
    offers = [tuple(offer[name] for name in PLAIN_OFFER) for offer in document["offers"]]
    reasons = [reason["code"] for reason in document["reasons"]]
    return (document["outcome"], document["score"], reasons, offers)


def flushed(redis_url: str) -> None:
    """Empty the cache."""
    with closing(Redis.from_url(redis_url)) as client:
        client.flushall()


@contextmanager
def behind_proxies(site: Site) -> Iterator[tuple[Site, dict[str, FaultProxy]]]:
    """Have a proxy before each store that may go away, and the site as seen through them."""
    with ExitStack() as stack:
        proxies: dict[str, FaultProxy] = {}
        changed: dict[str, str] = {}
        for setting, name in STORES.items():
            address = site.environment[setting]
            scheme = "" if "//" in address else "//"
            parts = urlsplit(f"{scheme}{address}")
            proxy = stack.enter_context(proxied(parts.port or 0))
            proxies[name] = proxy
            moved = parts._replace(netloc=f"{HOST}:{proxy.port}").geturl()
            changed[setting] = moved.removeprefix(scheme)
        pause = {"BREAKER_PAUSE_S": str(PAUSE_S)}
        yield replace(site, environment={**site.environment, **changed, **pause}), proxies


@asynccontextmanager
async def loaded(site: Site, rich: int, deadline_s: float, poor: int = 12) -> AsyncIterator[Load]:
    """Have a process that knows its customers, and a load on it."""
    poor_ones = [Customer(customer_id=f"poor-{n}", income=POOR) for n in range(poor)]
    rich_ones = [Customer(customer_id=f"rich-{n}", income=RICH) for n in range(rich)]
    async with up(site, "outages") as api:
        everybody = [*poor_ones, *rich_ones]
        for first in range(0, len(everybody), 30):
            some = everybody[first : first + 30]
            await api.tell([event for each in some for event in recent(each)])
        for each in everybody:
            await site.known(each, EVENTS)
        yield Load(api, poor_ones, iter(rich_ones), deadline_s)


async def through_outages(
    load: Load, proxies: Mapping[str, FaultProxy], requests: int
) -> AsyncIterator[Phase]:
    """Yield each phase: healthy, and each way of going away, store by store from the top down."""
    yield await load.run("healthy", requests)
    for mode, begin in MODES.items():
        for name, proxy in proxies.items():
            begin(proxy)
            yield await load.run(f"{name} {mode}", requests)
        for proxy in proxies.values():
            mended(proxy)
        yield await recovered(load, f"after {mode}")


async def recovered(load: Load, name: str) -> Phase:
    """Go on asking until every breaker is closed and every tier up, without a restart."""
    until = time.monotonic() + TOO_LATE_S
    total = Phase(name)
    while True:
        phase = await load.run(name, CALLERS)
        total.latencies += phase.latencies
        total.statuses += phase.statuses
        total.outcomes += phase.outcomes
        total.other += phase.other
        total.seconds += phase.seconds
        ready = (await load.api.request("GET", "/health/ready")).document
        if ready["status"] == "ready":
            return total
        assert time.monotonic() < until, ready


def prove_outages(requests: int = 1_000, deadline_s: float = 1.0) -> dict[str, str]:
    """Go through every outage with the usual second; return what was answered in each phase."""
    with tempfile.TemporaryDirectory() as folder, running(*ALL) as servers:
        site = whole_site(Path(folder), servers, "outages")
        with behind_proxies(site) as (seen, proxies):
            phases = asyncio.run(_proved(seen, proxies, requests, deadline_s))
    wrong = {phase.name: dict(phase.statuses) for phase in phases if set(phase.statuses) - FINE}
    assert not wrong, wrong
    assert not [phase.other for phase in phases if phase.other]
    return {phase.name: phase.text() for phase in phases}


async def _proved(
    site: Site, proxies: Mapping[str, FaultProxy], requests: int, deadline_s: float
) -> list[Phase]:
    # A tenth of the requests are for somebody new who is approved; recovery asks a little more.
    async with loaded(site, requests // 10 * 16, deadline_s) as load:
        return [phase async for phase in through_outages(load, proxies, requests)]
