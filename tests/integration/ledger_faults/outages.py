"""The database dies, stands still, or takes no writes while clients ask: what they are told."""

import asyncio
import threading
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from adapters.stores.sql.mysql_limits import TRIP_SECONDS
from tests.integration.ledger_faults.bank import LIMIT, Bank
from tests.integration.ledger_faults.desk import DRIVERS, Desk, desk
from tests.services.lasting import Lasting
from tests.unit.record.toy import entry

CLIENTS: Final = 24
PERSONS: Final = 400
#: So many answers between two outages: there is load when the next one comes.
BETWEEN: Final = 100
PATIENCE_S: Final = 60.0
DEADLINE_S: Final = 2.0
POLL_S: Final = 0.005
KILLS: Final = 20
#: So long after the database the service is back as well.
BACK_S: Final = 2.0
BACK: Final = "slowest return s"

Measured = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Outage:
    """Makes the database go away, and brings it back; `heard` when somebody has to be told."""

    goes: Callable[[], object]
    returns: Callable[[], object]
    heard: bool = True


@dataclass(slots=True)
class Load:
    """Clients that ask one thing after the other, and ask again with the same key when told 503."""

    made: Desk
    chance: Random
    answered: int = 0
    longest_s: float = 0.0
    _ends: bool = False
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def client(self, number: int) -> None:
        """Ask until the load ends, and leave no question open."""
        turn = 0
        while not self._ends:
            turn += 1
            # Not in step with the others: at any moment some look up, and some are being written.
            await asyncio.sleep(self.chance.random() * 2 * POLL_S)
            # A third is refused without a lock; of the others three fit for each person.
            refused = self.chance.random() < 1 / 3
            limit, amount = (0, 600_00) if refused else (LIMIT, 300_00)
            person = f"p{self.chance.randrange(PERSONS)}"
            began = self.made.clock.monotonic()
            asked = entry(f"{number}/{turn}", person=person, limit=limit, amount=amount)
            await self.made.settle(asked, DEADLINE_S)
            self.longest_s = max(self.longest_s, self.made.clock.monotonic() - began)
            self.answered += 1
            self._news.set()

    async def more(self, count: int) -> None:
        """Wait until so many more have been answered."""
        wanted = self.answered + count
        async with asyncio.timeout(PATIENCE_S):
            while self.answered < wanted:
                self._news.clear()
                await self._news.wait()

    async def told(self) -> None:
        """Wait until somebody has been told an error."""
        before = self.made.errors.total()
        async with asyncio.timeout(PATIENCE_S):
            while self.made.errors.total() == before:  # noqa: ASYNC110
                await asyncio.sleep(POLL_S)

    def end(self) -> None:
        """Let every client come to its end."""
        self._ends = True


@asynccontextmanager
async def load(made: Desk, seed: int) -> AsyncIterator[Load]:
    """Have clients that ask."""
    running = Load(made, Random(f"outages/{seed}"))
    async with asyncio.TaskGroup() as group:
        for number in range(CLIENTS):
            group.create_task(running.client(number))
        yield running
        running.end()


def check_outages(bank: Bank, server: Lasting, seed: int) -> Measured:
    """Let every kind of outage come, at full counts; raise if the service is not back in time."""
    kinds: dict[str, Measured] = {
        **{f"kill, {driver}": check_kills(bank, server, KILLS, seed, driver) for driver in DRIVERS},
        "read only": check_read_only(bank, KILLS, seed),
        "short standstill": check_standstill(bank, server, [0.5] * KILLS, 0.3, seed),
        "standstill of 20 s": check_standstill(bank, server, [20.0], TRIP_SECONDS, seed),
    }
    late = {kind: found[BACK] for kind, found in kinds.items() if found[BACK] > BACK_S}
    assert not late, late
    return {
        f"{kind}: {name}": value for kind, found in kinds.items() for name, value in found.items()
    }


def check_kills(bank: Bank, server: Lasting, times: int, seed: int, driver: str) -> Measured:
    """Kill the server under load, and start it again on what it left behind."""
    return check(bank, Outage(server.kill, server.revive), times, seed, driver=driver)


def check_read_only(bank: Bank, times: int, seed: int) -> Measured:
    """Let the server take no writes from those who are not its masters."""

    def set_to(value: int) -> Callable[[], object]:
        return lambda: bank.server.run(f"SET GLOBAL read_only = {value}")

    return check(bank, Outage(set_to(1), set_to(0)), times, seed)


def check_standstill(
    bank: Bank, server: Lasting, pauses_s: Sequence[float], trip_s: float, seed: int
) -> Measured:
    """
    Let the server stand still just before a COMMIT is sent to it, with every connection open.

    An answer is given up after `trip_s`; what was sent by then arrives when the server goes on.
    """
    armed = threading.Event()
    pauses = iter(pauses_s)

    def at(place: str) -> None:
        if place == "truth.before_commit" and armed.is_set():
            armed.clear()
            server.freeze()

    async def frozen() -> None:
        armed.set()
        while armed.is_set():  # noqa: ASYNC110 - another thread may clear it
            await asyncio.sleep(POLL_S)
        await asyncio.sleep(next(pauses))

    # Whoever asks meanwhile may as well be answered afterwards.
    outage = Outage(frozen, server.thaw, heard=False)
    return check(bank, outage, len(pauses_s), seed, trip_seconds=trip_s, at=at)


def check(bank: Bank, outage: Outage, times: int, seed: int, **options: Any) -> Measured:
    """Let clients ask through so many outages of a kind; raise at whatever they were told wrong."""
    bank.server.empty()
    bank.add_persons(f"p{number}" for number in range(PERSONS))
    return asyncio.run(_outages(bank, outage, times, seed, options))


async def _outages(
    bank: Bank, outage: Outage, times: int, seed: int, options: Mapping[str, Any]
) -> Measured:
    back: list[float] = []
    async with desk(bank.address, **options) as made:
        async with load(made, seed) as running:
            for _ in range(times):
                await running.more(BETWEEN)
                told = [running.told()] if outage.heard else []
                await asyncio.gather(_done(outage.goes), *told)
                await _done(outage.returns)
                began = made.clock.monotonic()
                await running.more(1)
                back.append(made.clock.monotonic() - began)
            await running.more(BETWEEN)
        faults = bank.faults(made)
        assert not faults, faults
        assert len(bank.decisions()) == running.answered == len(made.answers)
        # Each of both connections, and those of the look-ups; a lane that was left leaves none.
        assert len(bank.sessions()) <= 2 + 4, bank.sessions()
        await bank.settled()
    await bank.left_alone()
    return {
        "answered": running.answered,
        BACK: round(max(back), 3),
        "longest question s": round(running.longest_s, 3),
        **{f"told {name}": number for name, number in sorted(made.errors.items())},
        **_recoveries(made.seen.counts),
    }


def _recoveries(counts: Counter[str]) -> Measured:
    return {name: number for name, number in sorted(counts.items()) if "recover" in name}


async def _done(work: Callable[[], object]) -> None:
    """Run something that waits for the server, beside the clients."""
    if asyncio.iscoroutinefunction(work):
        waits: Awaitable[None] = work()
        await waits
    else:
        await asyncio.to_thread(work)
