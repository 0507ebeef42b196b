"""The world of decisions in virtual time, over stores that take theirs, fail or say nothing."""

import asyncio
import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from decision_engine.gather import Gather, Tiers
from domain.errors import DeadlineExceededError
from domain.ports.storage import Applied, ProjectionRow
from domain.ports.time import Deadline
from tests.unit.decide.world import AS_OF, ArchiveTruth, MemoryCache, MemoryHot, World
from tests.unit.record.ports import HandClock


class LoopClock(HandClock):
    """The time of the running loop."""

    def now(self) -> datetime:
        return AS_OF + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        try:
            return asyncio.get_running_loop().time()
        except RuntimeError:
            return 0.0


class Pace:
    """How long calls take: a few milliseconds, drawn, or what a test says."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance

    async def wait(self, seconds: float | None) -> None:
        await asyncio.sleep(self.chance.uniform(0.0, 0.004) if seconds is None else seconds)


class SlowCache(MemoryCache):
    """A cache that takes its time and keeps its deadlines."""

    def __init__(
        self, world: "VirtualWorld", entries: Any = None, *, at_once: bool = False
    ) -> None:
        super().__init__(entries=entries or {})
        self.world = world
        self.at_once = at_once
        self.slow_s: float | None = None
        self.slow_puts_s: float | None = None

    async def get(self, key: str, deadline: Deadline) -> tuple[int, bytes] | None:
        if not self.at_once:
            await self._wait(self.slow_s, deadline)
        return await super().get(key, deadline)

    async def put_if_newer(
        self, key: str, version: int, value: bytes, ttl_s: float, deadline: Deadline
    ) -> None:
        await self._wait(self.slow_puts_s, deadline)
        await super().put_if_newer(key, version, value, ttl_s, deadline)

    async def _wait(self, seconds: float | None, deadline: Deadline) -> None:
        try:
            async with asyncio.timeout(deadline.remaining(self.world.clock)):
                await self.world.pace.wait(seconds)
        except TimeoutError as error:
            raise DeadlineExceededError("the cache did not answer in time") from error


class SlowHot(MemoryHot):
    """A projection store that takes its time, whatever the deadline says."""

    def __init__(self, world: "VirtualWorld") -> None:
        super().__init__()
        self.world = world
        self.slow_s: float | None = None
        self.asked = asyncio.Event()

    async def read_item(
        self, customer_id: str, data_type: str, deadline: Deadline
    ) -> ProjectionRow | None:
        self.reads.append("dynamodb")
        self.asked.set()
        await self.world.pace.wait(self.slow_s)
        return self.rows.get((customer_id, data_type))

    async def put_if_newer(
        self, rows: Sequence[ProjectionRow], deadline: Deadline
    ) -> Sequence[Applied]:
        await self.world.pace.wait(self.slow_s)
        before = len(self.reads)
        results = await super().put_if_newer(rows, deadline)
        del self.reads[before:]
        return results


class SlowTruth(ArchiveTruth):
    """Truth that takes its time when profiles are read alone."""

    world: "VirtualWorld"

    async def read(self, statements: Any, deadline: Deadline) -> list[list[Any]]:
        world = self.world
        world.truth_reads += 1
        if world.truth_error is not None:
            await world.pace.wait(world.truth_s)
            raise world.truth_error
        # What a statement sees is what was committed when it began.
        rows = await super().read(statements, deadline)
        try:
            async with asyncio.timeout(deadline.remaining(world.clock)):
                await world.pace.wait(world.truth_s)
        except TimeoutError as error:
            raise DeadlineExceededError("truth did not answer in time") from error
        return rows


class VirtualWorld(World):
    """A world whose stores and clock run on the virtual loop."""

    cache: SlowCache
    hot: SlowHot

    def __init__(self, chance: random.Random) -> None:
        self.pace = Pace(chance)
        self.truth_reads = 0
        self.truth_s: float | None = None
        self.truth_error: Exception | None = None
        truth = SlowTruth()
        truth.world = self
        super().__init__(
            truth=truth, cache=SlowCache(self), hot=SlowHot(self), clock=LoopClock(AS_OF)
        )
        self.gather = Gather(
            Tiers(self.cache, self.hot, self.hot, self.truth), self.clock, self.monitoring
        )
