"""What `/health/ready` says of stores and their breakers."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from adapters.bootstrap.health import health
from adapters.resilience.breaker import Breaker
from decision_engine.rulebook import Rulebooks
from domain.errors import TransientError
from tests.simulation.kernel.loop import run
from tests.unit.decide.virtual import LoopClock
from tests.unit.decide.world import Counts

TIERS = ("redis", "dynamodb", "keyspaces")


@dataclass
class Probed:
    """Answers, fails or is silent, whatever is asked."""

    kind: str = "up"

    async def read(self, *_: Any) -> Any:
        if self.kind == "down":
            raise TransientError("away")
        if self.kind == "broken":
            raise ConnectionResetError
        if self.kind == "silent":
            await asyncio.Event().wait()
        return []

    get = read_item = read


@dataclass
class Site:
    clock: LoopClock = field(default_factory=LoopClock)
    stores: dict[str, Probed] = field(
        default_factory=lambda: {name: Probed() for name in ("aurora", *TIERS)}
    )

    def __post_init__(self) -> None:
        self.breakers = {name: Breaker(name, self.clock, Counts()) for name in TIERS}

    async def seen(self) -> dict[str, Any]:
        held: Any = SimpleNamespace(
            clock=self.clock,
            truth=SimpleNamespace(api=self.stores["aurora"]),
            cache=self.stores["redis"],
            dynamodb=self.stores["dynamodb"],
            keyspaces=self.stores["keyspaces"],
        )
        return await health(held, Rulebooks.empty("2026.1"), self.breakers)


def played(scenario: Callable[[Site], Awaitable[None]]) -> None:
    async def whole() -> None:
        await scenario(Site())

    run(0, whole)


def test_all_is_well() -> None:
    async def scenario(site: Site) -> None:
        seen = await site.seen()

        assert seen["status"] == "ready"
        assert list(seen["tiers"]) == ["aurora", *TIERS]
        assert set(map(str, seen["tiers"].values())) == {"{'status': 'up', 'breaker': 'closed'}"}

    played(scenario)


@pytest.mark.parametrize("kind", ["down", "broken", "silent"])
@pytest.mark.parametrize("name", ["aurora", *TIERS])
def test_one_store_in_trouble_is_seen_and_no_other(name: str, kind: str) -> None:
    async def scenario(site: Site) -> None:
        site.stores[name].kind = kind
        seen = await site.seen()
        states = {tier: held["status"] for tier, held in seen["tiers"].items()}

        assert states == {tier: "down" if tier == name else "up" for tier in states}
        assert seen["status"] == ("unavailable" if name == "aurora" else "degraded")
        assert site.clock.monotonic() <= 1.0

    played(scenario)


def test_a_breaker_that_is_open_is_told_until_a_call_may_try() -> None:
    async def scenario(site: Site) -> None:
        breaker = site.breakers["redis"]
        for _ in range(5):
            breaker.failed(breaker.enter())
        await asyncio.sleep(20)
        seen = await site.seen()

        assert seen["status"] == "degraded"
        assert seen["tiers"]["redis"] == {
            "status": "up",
            "breaker": "open",
            "opened": 1,
            "cause": "failures_in_a_row",
            "retry_in_ms": 40_000,
        }
        await asyncio.sleep(40)
        seen = await site.seen()
        assert (seen["status"], seen["tiers"]["redis"]["breaker"]) == ("ready", "half_open")

    played(scenario)
