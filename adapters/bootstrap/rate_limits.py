"""Rate limits from the settings: shared where processes share a cache, else of the process."""

from typing import Final

from adapters.bootstrap.stores import Stores
from adapters.security.rate_limits import LocalLimits, RateClass, RateLimits, SharedLimits
from adapters.settings import ServicesSettings, ServingSettings
from domain.ports.monitoring import Monitoring
from domain.rate_limit import Limit

#: A burst is what the rate admits in so many seconds.
BURST_SECONDS: Final = 2


def rate_limits(stores: Stores, settings: ServingSettings, monitoring: Monitoring) -> RateLimits:
    """Return the limits; they are closed with the stores, and before them."""
    rates = {
        RateClass.DECISIONS: settings.rate_limit_decisions,
        RateClass.READS: settings.rate_limit_reads,
        RateClass.EVENTS: settings.rate_limit_events,
        RateClass.ADMIN: settings.rate_limit_admin,
    }
    limits = {kind: Limit(rate, rate * BURST_SECONDS) for kind, rate in rates.items()}
    if stores.buckets is None or not isinstance(settings, ServicesSettings):
        return LocalLimits(limits, stores.clock, monitoring)
    shared = SharedLimits(
        limits, stores.buckets, stores.clock, monitoring, settings.rate_limit_processes
    )
    stores.opened.push_async_callback(shared.close)
    return shared
