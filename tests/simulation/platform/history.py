"""One history from its seed: chaos first, then calm, and what everybody and every store says."""

import asyncio
from dataclasses import dataclass, field, replace
from typing import Final

from tests.simulation.kernel.faults import Faults, Rates
from tests.simulation.platform.clients import Answer, Clients, Heard, produce
from tests.simulation.platform.plan import Ask, Plan
from tests.simulation.platform.services import Api, Ingest, Relay, Service
from tests.simulation.platform.stores import Stores

ROUGH: Final = Rates(
    yields_max=1,
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
    ROUGH, delay=0.2, lost=0.04, landed=0.08, late=0.08, half_open=0.04, late_s_max=0.6
)
QUIET: Final = Rates(yields_max=1)
#: Longer than any late landing and any lingering session.
SETTLE_S: Final = 0.8
CHAOS_S: Final = 3.0
DRAIN_S: Final = 60.0
POLL_S: Final = 0.1


def rough(seed: int) -> Faults:
    """Return the trouble of a seed: at every call to a store, most of it at COMMIT."""
    return Faults(seed, ROUGH, {"db.commit": ROUGH_COMMIT})


@dataclass(slots=True)
class History:
    """What was heard, and the stores as they are in the end."""

    plan: Plan
    stores: Stores
    heard: Heard = field(default_factory=Heard)
    #: Asked anew when everything was calm: nobody had asked under these keys before.
    afterwards: list[Answer] = field(default_factory=list)
    #: Every ask of before once more, through the other API.
    replays: list[Answer] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)


class World:
    """All processes over their stores."""

    def __init__(self, plan: Plan, faults: Faults) -> None:
        self.faults: Final = faults
        self.stores: Final = Stores(plan, faults)
        self.history: Final = History(plan, self.stores)
        self.apis: Final = [Api(f"api-{number}", self.stores) for number in (1, 2)]
        self.services: Final[list[Service]] = [
            *self.apis,
            Ingest("ingest", self.stores),
            *(Relay(f"relay-{number + 1}", self.stores) for number in range(plan.relays)),
        ]
        self.clients: Final = Clients(self.apis, self.history.heard)
        self._tasks: Final[list[asyncio.Task[None]]] = []

    async def run(self) -> History:
        """Live through the plan."""
        self._tasks.extend(asyncio.ensure_future(each.supervise()) for each in self.services)
        await self._open()
        await self._trouble()
        await self._calm()
        await self._stop()
        return self.history

    async def _open(self) -> None:
        plan = self.history.plan
        await asyncio.gather(*(produce(put, self.stores) for put in plan.opening))
        while len(self.stores.database.rows("inbox")) < len({e for p in plan.opening for e in p.records}):
            await asyncio.sleep(POLL_S)

    async def _trouble(self) -> None:
        plan, stores = self.history.plan, self.stores
        chaos = [asyncio.ensure_future(self._kill(*each)) for each in plan.kills]
        if plan.outage_at_s is not None:
            chaos.append(asyncio.ensure_future(stores.outage(plan.outage_at_s)))
        work = [asyncio.ensure_future(produce(put, stores)) for put in plan.later]
        asks = [asyncio.ensure_future(self.clients.ask(ask)) for ask in plan.asks]
        await asyncio.wait([*work, *asks], timeout=CHAOS_S)
        await asyncio.gather(*chaos)
        self.faults.heal()
        self.faults.override("", QUIET)
        await asyncio.gather(*work, *asks)

    async def _kill(self, number: int, at_s: float) -> None:
        await asyncio.sleep(at_s)
        process = self.services[number].process
        self.faults.note(process.name, "kill")
        process.kill()

    async def _calm(self) -> None:
        await asyncio.sleep(SETTLE_S)
        await self._drain()
        asked = {answer.ask.key: answer.ask for answer in self.history.heard.answers}
        again = [replace(ask, api=ask.api + 1, after_s=0.0) for ask in asked.values()]
        fresh = [Ask(f"after-{name}", name, "", 0, 0.0) for name in ("a", "o")]
        clients = Clients(self.apis, self.history.heard)
        answers = await asyncio.gather(*(clients.ask(ask) for ask in [*again, *fresh]))
        self.history.replays = answers[: len(again)]
        self.history.afterwards = answers[len(again) :]
        await self._drain()

    async def _drain(self) -> None:
        for _ in range(int(DRAIN_S / POLL_S)):
            self.history.unfinished = self.stores.unfinished()
            if not self.history.unfinished:
                return
            await asyncio.sleep(POLL_S)

    async def _stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for service in self.services:
            await service.stop()
