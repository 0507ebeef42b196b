"""
What it costs when a tier above truth goes away: rate and latency, phase by phase.

First, at half of what can be had, what a hit and a miss of the cache take (row 7: p95 of at most 10
and 25 ms).

One shipped process on real servers, with a proxy before cache, hot store and wide store; callers in
a closed loop. Bars (issue 7, row 2): with Redis gone at least half of the healthy rate, and a p99
of at most twice that of a healthy platform whose cache is empty, which is the next tier's. Nobody
gets a 5xx, and every decision is the one of a healthy platform. The default pause of the breakers
is shortened to a second.
"""

import asyncio
import sys
import tempfile
from pathlib import Path
from typing import Final

from tests.integration.ledger_faults.processes import Site
from tests.integration.whole.outages import (
    FINE,
    Load,
    Phase,
    behind_proxies,
    flushed,
    loaded,
    through_outages,
)
from tests.integration.whole.site import ALL, whole_site
from tests.services.fleet import running
from tests.services.proxy import FaultProxy

REQUESTS: Final = 600
POOR: Final = 420
RICH: Final = 60 * 16
DEADLINE_S: Final = 1.0
RATE_BAR: Final = 0.5
P99_BAR: Final = 2.0
#: The brief says 50 and 200; here it is to be these.
HIT_BAR_MS: Final = 10.0
MISS_BAR_MS: Final = 25.0


async def measure(site: Site, proxies: dict[str, FaultProxy], redis_url: str) -> bool:
    """Print each phase; return whether the bars hold."""
    async with loaded(site, RICH, DEADLINE_S, POOR) as load:
        # Connections and caches of the process are made by the first ones.
        rate = (await load.run("warm", REQUESTS)).rate
        holds = await _half_load(load, rate / 2, redis_url)
        below = await _cold(load, redis_url)
        holds = _told(below) and holds
        healthy = below
        async for phase in through_outages(load, proxies, REQUESTS):
            holds = _told(phase) and holds
            if phase.name == "healthy":
                healthy = phase
            if phase.name == "redis stopped":
                rate, p99 = phase.rate / healthy.rate, phase.p99_ms / below.p99_ms
                print(f"  rate {rate:.2f} of healthy (bar {RATE_BAR}), p99 {p99:.2f} of the next"
                      f" tier's (bar {P99_BAR})")  # fmt: skip
                holds = holds and rate >= RATE_BAR and p99 <= P99_BAR
        return holds


async def _half_load(load: Load, rate: float, redis_url: str) -> bool:
    """Print what a hit and a miss of the cache take through the API; return whether both hold."""
    await load.paced("warm", REQUESTS, rate)
    hits = await load.paced("cache hits, half load", REQUESTS, rate)
    flushed(redis_url)
    misses = await load.paced("cache misses, half load", POOR, rate)
    for phase, bar in ((hits, HIT_BAR_MS), (misses, MISS_BAR_MS)):
        print(f"{phase.text()}  p95 {phase.p95_ms:.1f} ms (bar {bar:.0f})")
    return hits.p95_ms <= HIT_BAR_MS and misses.p95_ms <= MISS_BAR_MS


async def _cold(load: Load, redis_url: str) -> Phase:
    flushed(redis_url)
    return await load.run("healthy, cache empty", REQUESTS)


def _told(phase: Phase) -> bool:
    print(phase.text())
    wrong = [status for status in phase.statuses if status not in FINE]
    for line in (*map(str, wrong), *phase.other[:3]):
        print(f"  WRONG {line}")
    return not wrong and not phase.other


def main() -> None:
    """Run the bench; end with 1 when a bar is missed."""
    with tempfile.TemporaryDirectory() as folder, running(*ALL) as servers:
        site = whole_site(Path(folder), servers, "tiers")
        redis_url = servers["redis"].settings["REDIS_URL"]
        with behind_proxies(site) as (seen, proxies):
            if not asyncio.run(measure(seen, proxies, redis_url)):
                sys.exit(1)


if __name__ == "__main__":
    main()
