"""The shipped program over HTTP while its database dies and returns."""

import asyncio
import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from adapters.system import SystemClock
from tests.e2e.people import Customer, application
from tests.e2e.platform import Answer
from tests.integration.ledger_faults.desk import GRACE_S
from tests.integration.ledger_faults.processes import CREATED, PATIENCE_S, Api, Site, recent, up
from tests.services.lasting import Lasting

CLIENTS: Final = 8
CUSTOMERS: Final = 4
BETWEEN: Final = 20
DEADLINE_S: Final = 2.0
#: What a full machine may add before this process hears of an answer.
SLACK_S: Final = 5.0
OK: Final = 200
UNAVAILABLE: Final = 503
IN_PROGRESS: Final = 409
POLL_S: Final = 0.02
CLOCK: Final = SystemClock()


@dataclass(slots=True)
class Clients:
    """They ask one thing after the other, and again with the same key when told 503."""

    api: Api
    replies: dict[str, bytes] = field(default_factory=dict)
    told: Counter[int] = field(default_factory=Counter)
    longest_s: float = 0.0
    ends: bool = False

    async def ask(self, number: int) -> None:
        """Ask until the end, and leave no question open."""
        turn = 0
        while not self.ends:
            turn += 1
            key = f"{number}-{turn}"
            while (answer := await self._once(key, number)).status != CREATED:  # noqa: ASYNC110
                await asyncio.sleep(POLL_S)
            self.replies[key] = answer.body

    async def _once(self, key: str, number: int) -> Answer:
        body = application(f"d-{number % CUSTOMERS}", amount="1000.00")
        body |= {"external_reference": key}
        began = CLOCK.monotonic()
        answer = await self.api.decide(key, body, DEADLINE_S)
        took = CLOCK.monotonic() - began
        self.longest_s = max(self.longest_s, took)
        self.told[answer.status] += 1
        assert took < DEADLINE_S + GRACE_S + SLACK_S, f"{answer.status} after {took:.1f} s"
        assert answer.status in (CREATED, UNAVAILABLE, IN_PROGRESS), answer.body
        # Asked again too early: the first request with this key is still at work.
        assert answer.status != UNAVAILABLE or int(answer.headers["retry-after"]) > 0
        return answer

    async def repeat(self) -> None:
        """Ask again what was answered: it is the same, and known."""
        for key, reply in list(self.replies.items())[::10]:
            answer = await self._once(key, int(key.partition("-")[0]))
            assert answer.replayed, answer
            assert answer.body == reply

    async def until(self, status: int, more: int) -> None:
        """Wait until so many more have been told this."""
        wanted = self.told[status] + more
        async with asyncio.timeout(PATIENCE_S):
            while self.told[status] < wanted:  # noqa: ASYNC110
                await asyncio.sleep(POLL_S)


def check_dying(server: Lasting, redis_url: str, times: int) -> Mapping[str, float]:
    """Kill the database under load, and start it again; raise at what a client may not see."""
    with tempfile.TemporaryDirectory(prefix="dying-") as folder:
        site = Site.made(Path(folder), server.settings["MYSQL_URL"], redis_url)
        return asyncio.run(_live(site, server, times))


async def _live(site: Site, server: Lasting, times: int) -> Mapping[str, float]:
    back: list[float] = []
    async with up(site, "one") as api:
        for number in range(CUSTOMERS):
            customer = Customer(customer_id=f"d-{number}")
            events = recent(customer)
            await api.tell(events)
            await site.known(customer, len(events))
        clients = Clients(api)
        async with asyncio.TaskGroup() as group:
            for number in range(CLIENTS):
                group.create_task(clients.ask(number))
            for _ in range(times):
                await clients.until(CREATED, BETWEEN)
                await asyncio.to_thread(server.kill)
                await clients.until(UNAVAILABLE, CLIENTS)
                await _answers_from_below(api)
                await asyncio.to_thread(server.revive)
                began = CLOCK.monotonic()
                await clients.until(CREATED, 1)
                back.append(CLOCK.monotonic() - began)
            await clients.until(CREATED, BETWEEN)
            clients.ends = True
        await clients.repeat()
        _judge(site, clients)
    return {
        "decided": len(clients.replies),
        "longest answer s": round(clients.longest_s, 3),
        "slowest return s": round(max(back), 3),
        **{f"told {status}": number for status, number in sorted(clients.told.items())},
    }


async def _answers_from_below(api: Api) -> None:
    """The process lives, says that it cannot decide, and reads what the other tiers know."""
    assert (await api.request("GET", "/health/live")).status == OK
    assert (await api.request("GET", "/health/ready")).status == UNAVAILABLE
    found = await api.request("GET", "/v1/customers/d-0")
    assert found.status == OK, found.body


def _judge(site: Site, clients: Clients) -> None:
    """Raise unless what was acknowledged is there once, with these bytes, and nothing else."""
    decisions = site.bank.decisions()
    rows = Counter(row.idem_key.rpartition(":")[2] for row in decisions)
    assert rows == dict.fromkeys(clients.replies, 1)
    assert {row.idem_key.rpartition(":")[2]: row.reply for row in decisions} == clients.replies
    faults = list(site.bank.broken_lanes(decisions))
    assert not faults, faults
