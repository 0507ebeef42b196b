"""The projection stores and the cache behind their breakers, as decisions and reads use them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from adapters.bootstrap.stores import Stores
from adapters.resilience.breaker import Breaker, BreakerSettings
from adapters.resilience.guard import IN_FLIGHT, Guards, WorkClass
from adapters.resilience.guarded import GuardedCache, GuardedReader, GuardedWriter
from adapters.resilience.retry import Retries, RetryingReader
from decision_engine.gather import Tiers
from domain.ports.monitoring import Monitoring
from domain.ports.storage import DataReader
from domain.retries import Budget

#: A call is slow from half of the longest time on that somebody waits for it.
SETTINGS: Final[Mapping[str, BreakerSettings]] = {
    "redis": BreakerSettings(slow_s=0.05),
    "dynamodb": BreakerSettings(slow_s=0.15),
    "keyspaces": BreakerSettings(slow_s=0.25),
}
#: Every decision reads the cache, on one connection that has a bound of its own.
CACHE_IN_FLIGHT: Final = {**IN_FLIGHT, WorkClass.CRITICAL: 4_096}


@dataclass(frozen=True, slots=True)
class GuardedStores:
    """What a process reads through; `history` is the store of histories, read by people too."""

    tiers: Tiers
    history: DataReader
    breakers: Mapping[str, Breaker]
    monitoring: Monitoring


def guarded_stores(stores: Stores, monitoring: Monitoring, pause_s: float) -> GuardedStores:
    """Return the stores of a process, each behind a breaker that pauses for so many seconds."""
    clock = stores.clock
    of = {
        name: Guards.made(
            name,
            clock,
            monitoring,
            replace(settings, pause_s=pause_s),
            CACHE_IN_FLIGHT if name == "redis" else IN_FLIGHT,
        )
        for name, settings in SETTINGS.items()
    }
    redis, dynamodb, keyspaces = of["redis"], of["dynamodb"], of["keyspaces"]
    tiers = Tiers(
        cache=GuardedCache(stores.cache, redis.critical, redis.background),
        hot_reader=GuardedReader(stores.dynamodb, dynamodb.critical, clock),
        hot_writer=GuardedWriter(stores.dynamodb, dynamodb.background, clock),
        truth=stores.truth.api,
    )
    history = RetryingReader(
        GuardedReader(stores.keyspaces, keyspaces.standard, clock),
        Retries("keyspaces", Budget(), clock, stores.chance, monitoring),
    )
    breakers = {name: guards.breaker for name, guards in of.items()}
    return GuardedStores(tiers, history, breakers, monitoring)
