"""The task that anchors: at once, each minute, at the end, and whatever fails."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest

from adapters.bootstrap.anchoring import EVERY_S, Anchoring
from domain.errors import TransientError
from tests.unit.ingestion.fakes import FakeMonitoring


@dataclass
class FakeKeeper:
    """Counts its rounds; `fault` is raised by each."""

    fault: Exception | None = None
    rounds: int = 0

    async def run_once(self) -> int:
        self.rounds += 1
        if self.fault is not None:
            raise self.fault
        return 1


@dataclass
class World:
    keeper: FakeKeeper = field(default_factory=FakeKeeper)
    monitoring: FakeMonitoring = field(default_factory=FakeMonitoring)
    minutes: int = 0
    sleeps: list[float] = field(default_factory=list)

    async def sleep(self, seconds: float) -> None:
        """Let `minutes` waits end at once, and the one after never."""
        self.sleeps.append(seconds)
        if len(self.sleeps) > self.minutes:
            self.waiting.set()
            await asyncio.Event().wait()

    async def live(self) -> None:
        self.waiting = asyncio.Event()
        keeper: Any = self.keeper
        anchoring = Anchoring(keeper, self.monitoring, self.sleep)
        anchoring.start()
        assert anchoring._task is not None
        # A task that ends early must fail the test, not hang it.
        waiting = asyncio.ensure_future(self.waiting.wait())
        await asyncio.wait({waiting, anchoring._task}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        await anchoring.stop()


def test_it_anchors_at_once_each_minute_and_at_the_end() -> None:
    world = World(minutes=3)
    asyncio.run(world.live())

    assert world.keeper.rounds == 5
    assert world.sleeps == [EVERY_S] * 4


@pytest.mark.parametrize(
    ("fault", "code"), [(TransientError("away"), "unavailable"), (ZeroDivisionError(), "ZeroDivi")]
)
def test_what_fails_is_counted_and_told_and_tried_again(fault: Exception, code: str) -> None:
    world = World(keeper=FakeKeeper(fault), minutes=1)
    asyncio.run(world.live())

    assert world.keeper.rounds == 3
    assert world.monitoring.counts["anchor_failures"] == 3
    (name, fields), *_ = world.monitoring.events
    assert (name, fields["level"]) == ("anchoring_failed", "error")
    assert str(fields["code"]).startswith(code)


def test_stopping_what_never_started_is_nothing() -> None:
    world = World()
    keeper: Any = world.keeper
    asyncio.run(Anchoring(keeper, world.monitoring, world.sleep).stop())

    assert world.keeper.rounds == 0
