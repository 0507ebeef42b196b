"""Whether the platform can answer: truth must, the tiers above it may be away."""

import asyncio
from collections.abc import Awaitable, Mapping
from typing import Any, Final

from adapters.bootstrap.stores import Stores
from adapters.resilience.breaker import Breaker
from decision_engine.archive import ReadCustomerProfile
from decision_engine.rulebook import Rulebooks
from domain.errors import CreditError
from domain.ports.breakers import BreakerState
from domain.ports.time import Deadline
from domain.profile_row import PROFILE

PROBE_SECONDS: Final = 1.0
NOBODY: Final = "health-probe"


async def health(
    stores: Stores, rulebooks: Rulebooks, breakers: Mapping[str, Breaker]
) -> dict[str, Any]:
    """
    Return `ready`, `degraded` or `unavailable`, and each tier with its breaker's state.

    The stores are asked past their breakers and all at once: a silent one delays the answer by one
    probe's time, and what is seen of the others is no worse for it.
    """
    deadline = Deadline.after(stores.clock, PROBE_SECONDS)
    probes: dict[str, Awaitable[object]] = {
        "aurora": stores.truth.api.read([ReadCustomerProfile(NOBODY)], deadline),
        "redis": stores.cache.get(NOBODY, deadline),
        "dynamodb": stores.dynamodb.read_item(NOBODY, PROFILE, deadline),
        "keyspaces": stores.keyspaces.read_item(NOBODY, PROFILE, deadline),
    }
    answers = await asyncio.gather(*(_up(probe) for probe in probes.values()))
    up = dict(zip(probes, answers, strict=True))
    tiers = {name: _tier(up[name], breakers.get(name)) for name in probes}
    return {"status": _status(up, breakers), "tiers": tiers, "products": sorted(rulebooks.active)}


def _status(up: Mapping[str, bool], breakers: Mapping[str, Breaker]) -> str:
    if not up["aurora"]:
        return "unavailable"
    # A half-open one waits for a call to try, and on a quiet day nobody calls.
    shut = any(each.state is BreakerState.OPEN for each in breakers.values())
    return "degraded" if shut or not all(up.values()) else "ready"


def _tier(up: bool, breaker: Breaker | None) -> dict[str, Any]:  # noqa: FBT001 - what is shown
    seen: dict[str, Any] = {"status": "up" if up else "down"}
    if breaker is None:
        return {**seen, "breaker": BreakerState.CLOSED.value}
    view = breaker.view()
    seen["breaker"] = view.state.value
    if view.opened:
        seen |= {"opened": view.opened, "cause": view.cause}
    if view.state is not BreakerState.CLOSED:
        seen["retry_in_ms"] = round(view.retry_in_s * 1_000)
    return seen


async def _up(probe: Awaitable[object]) -> bool:
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            await probe
    except (CreditError, OSError):
        return False
    return True
