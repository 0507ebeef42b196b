"""Whether the platform can answer: truth must, the tiers above it may be away."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from adapters.bootstrap.stores import Stores
from adapters.resilience.breaker import Breaker
from decision_engine.archive import ReadCustomerProfile
from decision_engine.gather import PROFILE
from decision_engine.rulebook import Rulebooks
from domain.errors import CreditError
from domain.ports.time import Deadline

PROBE_SECONDS: Final = 1.0
NOBODY: Final = "health-probe"


async def health(
    stores: Stores, rulebooks: Rulebooks, breakers: Mapping[str, Breaker]
) -> dict[str, Any]:
    """Return `ready`, `degraded` or `unavailable`, and each tier with its breaker's state."""
    deadline = Deadline.after(stores.clock, PROBE_SECONDS)
    truth = await _up(lambda: stores.truth.api.read([ReadCustomerProfile(NOBODY)], deadline))
    tiers = {
        "redis": await _up(lambda: stores.cache.get(NOBODY, deadline)),
        "dynamodb": await _up(lambda: stores.dynamodb.read_item(NOBODY, PROFILE, deadline)),
        "keyspaces": await _up(lambda: stores.keyspaces.read_item(NOBODY, PROFILE, deadline)),
    }
    status = "ready" if truth and all(tiers.values()) else "degraded" if truth else "unavailable"
    return {
        "status": status,
        "tiers": {
            name: {
                "status": "up" if up else "down",
                "breaker": breakers[name].state.value if name in breakers else "closed",
            }
            for name, up in {"aurora": truth, **tiers}.items()
        },
        "products": sorted(rulebooks.active),
    }


async def _up(probe: Callable[[], Awaitable[object]]) -> bool:
    try:
        await probe()
    except CreditError:
        return False
    return True
