"""One history from its seed: chaos first, then calm, and what everybody and every store says."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from typing import Any, Final

from adapters.stores.model.table import Row
from tests.simulation.kernel.faults import Faults, Rates
from tests.simulation.platform.clients import Clients, Heard, produce
from tests.simulation.platform.plan import Ask, Plan
from tests.simulation.platform.services import Api, Ingest, Relay, Service
from tests.simulation.platform.stores import Stores

ROUGH: Final = Rates(
    delay=0.1,
    delay_s_max=0.003,
    lost=0.008,
    landed=0.008,
    late=0.008,
    half_open=0.004,
    crash=0.0006,
    transient=0.006,
)
#: Late beyond the time that a lock is waited for.
ROUGH_COMMIT: Final = replace(
    ROUGH, delay=0.2, lost=0.04, landed=0.08, late=0.08, half_open=0.04, late_s_max=0.45
)
#: Between what a batch has read and what it writes, where others have to be kept away.
ROUGH_WRITE: Final = replace(ROUGH, delay=0.4, delay_s_max=0.006)
HARSH_COMMIT: Final = replace(ROUGH_COMMIT, lost=0.1, landed=0.2, late=0.3, half_open=0.1)
LATE: Final = replace(ROUGH, late=0.3, late_s_max=0.3)
CROWDED: Final = Rates(delay=0.2, delay_s_max=0.002)
CROWDED_WRITE: Final = Rates(delay=0.9, delay_s_max=0.02)
#: Longer than any late landing and any lingering session.
SETTLE_S: Final = 0.5
CHAOS_S: Final = 3.0
PATIENCE_S: Final = 60.0
POLL_S: Final = 0.1


def rough(seed: int) -> Faults:
    """Return the trouble of a seed: at every call to a store, most of it at COMMIT."""
    return Faults(seed, ROUGH, {"db.commit": ROUGH_COMMIT, "db.insert.ledger_batches": ROUGH_WRITE})


def harsh(seed: int) -> Faults:
    """Return trouble in which most COMMITs stay without an answer and projections come late."""
    return Faults(
        seed,
        ROUGH,
        {"db.commit": HARSH_COMMIT, "keyspaces": LATE, "dynamodb": LATE},
    )


def crowded(seed: int) -> Faults:
    """Return no fault at all, but writers that dawdle, so that they meet."""
    return Faults(seed, CROWDED, {"db.insert.ledger_batches": CROWDED_WRITE})


@dataclass(slots=True)
class History:
    """
    What was heard, and the stores as they are in the end.

    expected: how many answers there must be. unfinished: what was still to do when time was up.
    """

    plan: Plan
    stores: Stores
    heard: Heard = field(default_factory=Heard)
    expected: int = 0
    unfinished: list[str] = field(default_factory=list)
    _read: dict[str, list[Row]] = field(default_factory=dict)

    def rows(self, table: str) -> list[Row]:
        """Return the rows of a table at the end, read once."""
        if table not in self._read:
            self._read[table] = self.stores.database.rows(table)
        return self._read[table]


class World:
    """All processes over their stores."""

    def __init__(self, plan: Plan, faults: Faults) -> None:
        self._plan: Final = plan
        self._faults: Final = faults
        self._stores: Final = Stores(plan, faults)
        self._history: Final = History(plan, self._stores)
        apis = [Api(f"api-{number}", self._stores) for number in (1, 2)]
        self._clients: Final = Clients(apis, self._history.heard, self._stores)
        self._services: Final[list[Service]] = [
            *apis,
            *(Ingest(f"ingest-{n + 1}", self._stores) for n in range(plan.trouble.consumers)),
            *(Relay(f"relay-{n + 1}", self._stores) for n in range(plan.trouble.relays)),
        ]

    async def run(self) -> History:
        """Live through the plan."""
        supervisors = [_start(service.supervise()) for service in self._services]
        await self._open()
        await self._rage()
        await self._drain()
        await self._look_back()
        await self._drain()
        for supervisor in supervisors:
            supervisor.cancel()
        await asyncio.gather(*supervisors, return_exceptions=True)
        for service in self._services:
            await service.stop()
        return self._history

    async def _open(self) -> None:
        """Bring the first events in, while things break already."""
        stores, opening = self._stores, self._plan.opening
        await asyncio.gather(*(produce(put, stores) for put in opening))
        distinct = {made for put in opening for made in put.records}
        await self._until(lambda: len(stores.database.rows("inbox")) == len(distinct))

    async def _rage(self) -> None:
        """Do everything at once until it is done or time is up, then end all faults."""
        plan, stores = self._plan, self._stores
        chaos = [_start(self._kill(*each)) for each in plan.trouble.kills]
        if plan.trouble.outage_at_s is not None:
            chaos.append(_start(stores.outage(plan.trouble.outage_at_s)))
        work = [_start(produce(put, stores)) for put in plan.later]
        work += [_start(self._ask(ask)) for ask in plan.asks]
        await asyncio.wait(work, timeout=CHAOS_S)
        await asyncio.gather(*chaos)
        self._faults.heal()
        stores.say("world", "is calm from here on")
        await asyncio.gather(*work)
        await asyncio.sleep(SETTLE_S)

    async def _kill(self, number: int, at_s: float) -> None:
        await asyncio.sleep(at_s)
        process = self._services[number].process
        self._faults.note(process.name, "kill")
        process.kill()

    async def _ask(self, ask: Ask) -> None:
        self._history.expected += 1
        await self._clients.ask(ask)

    async def _look_back(self) -> None:
        """Ask once more under every key, and once under new ones; every API must answer."""
        asked = {answer.ask.key: answer.ask for answer in self._history.heard.answers}
        asks = [replace(ask, api=ask.api + 1, after_s=0.0) for ask in asked.values()]
        asks += self._plan.afterwards
        self._history.expected += len(asks)
        await asyncio.gather(*map(self._clients.ask_one, asks))

    async def _drain(self) -> None:
        """Wait until the outbox is empty and every record is handled."""
        await self._until(lambda: not self._stores.unfinished())
        self._history.unfinished = self._stores.unfinished()

    async def _until(self, done: Callable[[], bool]) -> None:
        for _ in range(int(PATIENCE_S / POLL_S)):
            if done():
                return
            await asyncio.sleep(POLL_S)


def _start(work: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
    return asyncio.get_running_loop().create_task(work)
