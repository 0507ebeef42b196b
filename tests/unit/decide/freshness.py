"""
How old a customer may be read: drawn histories of updates, fills, expiries, evictions and reads.

One customer. An update goes to truth, then to the hot store and through the cache, and is
acknowledged when all have it; calls take their time, writes come late and more than once. Then no
read that begins two seconds later may give anything older. An eviction takes what was idle for two
seconds, as an LRU does. In a history with `flushes` the cache may lose at any instant what it was
just given, and be away for a while: then the time to live is the bound. Every history is an
interleaving of its own: the loop draws the order of whatever is ready.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any, Final

from adapters.stores.embedded.cache import JITTER, MemoryCache
from decision_engine.gather import PROFILE_TTL_S, Gather, Tiers, profile_key
from domain.errors import CreditError, DeadlineExceededError, TransientError
from domain.ports.storage import Applied, ProjectionRow
from domain.ports.time import Deadline
from domain.profile_bytes import profile_to_bytes
from tests.contracts.opened import NEVER, START, Counted
from tests.simulation.kernel.loop import run
from tests.unit.decide.world import good_profile

NAME: Final = "c-1"
KEY: Final = profile_key(NAME)
UPDATES: Final = 4
READS: Final = 14
EVICTIONS: Final = 25
FLUSHES: Final = 4
SPAN_S: Final = 12.0
BOUND_S: Final = 2.0
#: A profile's time to live here is four seconds, so that it ends within a history.
TIME: Final = 4.0 / PROFILE_TTL_S
TTL_S: Final = PROFILE_TTL_S * TIME * (1 + JITTER)
PAYLOADS: Final = [
    profile_to_bytes(good_profile(NAME, profile_version=version))
    for version in range(1, UPDATES + 2)
]


class LoopClock:
    """The running loop's time."""

    def now(self) -> datetime:
        return START

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()


@dataclass(slots=True)
class DrawnChance:
    random: Random

    def token(self, size: int) -> bytes:
        return self.random.randbytes(size)

    def uniform(self) -> float:
        return self.random.random()


@dataclass(slots=True)
class Road:
    """The way to a store: mostly short, at times as long as the history allows."""

    chance: Random
    longest_s: float

    async def travel(self, deadline: Deadline = NEVER) -> None:
        longest = self.longest_s if self.chance.random() < 0.4 else 0.005
        seconds = self.chance.uniform(0.0, longest)
        left = deadline.at - asyncio.get_running_loop().time()
        await asyncio.sleep(max(0.0, min(seconds, left)))
        if left <= seconds:
            raise DeadlineExceededError("late")


class TravelledCache(MemoryCache):
    """The cache of the platform, at the end of a road; it may be away, and then forgets."""

    def __init__(self, clock: LoopClock, road: Road) -> None:
        super().__init__(clock, DrawnChance(road.chance))
        self.road, self.clock = road, clock
        self.away = False
        self.written_at = 0.0

    async def get(self, key: str, deadline: Deadline) -> tuple[int, bytes] | None:
        await self._arrive(deadline)
        found = await super().get(key, deadline)
        await self.road.travel(deadline)
        return found

    async def put_if_newer(
        self, key: str, version: int, value: bytes, ttl_s: float, deadline: Deadline
    ) -> None:
        await self._arrive(deadline)
        self.written_at = self.clock.monotonic()
        await super().put_if_newer(key, version, value, ttl_s * TIME, deadline)

    async def put_absent(self, key: str, ttl_s: float, deadline: Deadline) -> None:
        await self._arrive(deadline)
        await super().put_absent(key, ttl_s * TIME, deadline)

    async def evict(self) -> None:
        if self.clock.monotonic() - self.written_at > BOUND_S:
            await super().invalidate(KEY, NEVER)

    async def flush(self) -> None:
        self.away = True
        await super().invalidate(KEY, NEVER)
        await asyncio.sleep(self.road.chance.uniform(0.0, 1.5))
        self.away = False

    async def _arrive(self, deadline: Deadline) -> None:
        await self.road.travel(deadline)
        if self.away:
            raise TransientError("the cache is away")


@dataclass(slots=True)
class HotStore:
    """The store in the middle; guarded by the version as all are."""

    road: Road
    row: ProjectionRow | None = None

    async def read_item(self, _id: str, _type: str, deadline: Deadline) -> ProjectionRow | None:
        await self.road.travel(deadline)
        row = self.row
        await self.road.travel(deadline)
        return row

    async def query(self, *_: object) -> Sequence[ProjectionRow]:
        return []

    async def put_if_newer(self, rows: Sequence[ProjectionRow], *_: object) -> Sequence[Applied]:
        await self.road.travel()
        for row in rows:
            if self.row is None or self.row.version < row.version:
                self.row = row
        return [Applied.APPLIED for _ in rows]


@dataclass(slots=True)
class TruthStore:
    """The newest payload; empty before the first update."""

    road: Road
    payloads: list[bytes] = field(default_factory=list)

    async def read(self, _reads: object, deadline: Deadline) -> list[list[bytes]]:
        await self.road.travel(deadline)
        found = self.payloads[-1:]
        await self.road.travel(deadline)
        return [found]

    async def transact(self, *_: object) -> Any:
        raise AssertionError("reading a customer writes nothing to truth")


class History:
    """What happened to one customer, and what readers saw."""

    def __init__(self, seed: int, *, flushes: bool) -> None:
        self.chance = Random(seed)
        self.flushes = flushes
        longest_s = self.chance.choice((0.01, 0.3, 1.0, 3.0, 6.0))
        road = self.road = Road(self.chance, longest_s)
        self.clock = LoopClock()
        self.cache = TravelledCache(self.clock, road)
        self.hot, self.truth = HotStore(road), TruthStore(road)
        tiers = Tiers(self.cache, self.hot, self.hot, self.truth)
        self.gather = Gather(tiers, self.clock, Counted())
        self.writing = asyncio.Lock()
        self.acknowledged: list[tuple[float, int]] = []
        self.stale: list[str] = []
        self.seen: Counter[str] = Counter()

    async def play(self) -> None:
        steps = [self._updates()]
        steps += [self._at(self._read) for _ in range(READS)]
        # Without evictions what a flush let in is only ended by its time to live.
        lose, times = (self.cache.flush, FLUSHES) if self.flushes else (self.cache.evict, EVICTIONS)
        steps += [self._at(lose) for _ in range(times)]
        await asyncio.gather(*steps)
        await self.gather.close()
        # Whatever was given up has ended by then.
        await asyncio.sleep(SPAN_S)

    async def _at(self, step: Any) -> None:
        await asyncio.sleep(self.chance.uniform(0.0, SPAN_S))
        await step()

    async def _updates(self) -> None:
        for version, payload in enumerate(PAYLOADS, 1):
            # Somebody reads just before, and again when all is quiet.
            reading = asyncio.ensure_future(self._read())
            await self.road.travel()
            self.truth.payloads.append(payload)
            # A projector reads truth and writes, at times twice, and late.
            for _ in range(self.chance.choice((1, 1, 2))):
                await self._project(version, payload)
            self.acknowledged.append((self.clock.monotonic(), version))
            if self.flushes:
                await self.cache.flush()
            await asyncio.sleep(self.chance.uniform(0.0, 2 * SPAN_S / UPDATES))
            await reading
        await asyncio.sleep(BOUND_S + TTL_S)
        await self._read()

    async def _project(self, version: int, payload: bytes) -> None:
        row = ProjectionRow(NAME, "CUSTOMER_PROFILE", version, payload)
        await self.hot.put_if_newer([row])
        while True:
            try:
                await self.cache.put_if_newer(KEY, version, payload, PROFILE_TTL_S, NEVER)
            except TransientError:
                # A store that is away loses the write, as ingestion does; a late one is repeated.
                if self.cache.away or self.flushes:
                    return
            else:
                return

    async def _read(self) -> None:
        began = self.clock.monotonic()
        bound = BOUND_S + TTL_S if self.flushes else BOUND_S
        known = max(
            (version for at, version in self.acknowledged if at <= began - bound), default=0
        )
        try:
            found = await self.gather(NAME, Deadline(began + self.chance.choice((1.0, 8.0))))
        except CreditError:
            self.seen["failed"] += 1
            return
        self.seen[found.tier] += 1
        version = found.profile.profile_version if found.profile else 0
        if version < known:
            self.stale.append(f"{found.tier} gave {version} at {began:.3f}, not {known}")


def played(seed: int, *, flushes: bool) -> History:
    """Return a history that has happened."""

    async def whole() -> History:
        history = History(seed, flushes=flushes)
        await history.play()
        return history

    return run(seed, whole)


def check_freshness(histories: int, seed: int) -> dict[str, int]:
    """
    Play so many histories, a third of them with flushes; return what readers saw.

    Raises:
        AssertionError: a read was too old, or readers were mostly turned away.
    """
    seen: Counter[str] = Counter()
    for number in range(seed * histories, (seed + 1) * histories):
        history = played(number, flushes=number % 3 == 0)
        if history.stale:
            raise AssertionError(f"history {number}: {history.stale}")
        seen += history.seen
    if seen["failed"] > 0.2 * seen.total():
        raise AssertionError(f"it is no safety by silence: {dict(seen)}")
    return {"histories": histories, "reads": seen.total(), **seen}
