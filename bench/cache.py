"""
What a read of the shared cache costs its process, beside plain redis-py on the same Redis.

Run: `.venv/bin/python -m bench cache`. CPU microseconds of this process a read (user + system), on
uvloop as the service runs, one caller and 64 at once; the contenders take turns in rounds, medians
are shown. Ours includes the deadline, the version and the check of what was read. A bar that is
missed is printed as MISSED, and the bench fails. It starts a Redis of its own.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from statistics import median
from typing import Final, NoReturn

import redis.asyncio
import uvloop

from adapters.stores.redis.cache import RedisCache
from adapters.system import SystemChance, SystemClock
from domain.ports.time import Deadline
from tests.services.fleet import running

KEYS: Final = 1_000
VALUE: Final = b"p" * 617
VERSION: Final = 7
TTL_S: Final = 600.0
READS: Final = {1: 3_000, 64: 12_000}
ROUNDS: Final = 7
DEADLINE_S: Final = 5.0
#: Of what redis-py costs, at 64 callers.
BAR: Final = 0.15
BARRED: Final = 64

Read = Callable[[str], Awaitable[object]]


class Nothing:
    """A monitoring that expects to hear nothing: whatever is counted voids the figures."""

    def count(self, name: str, amount: int = 1, **labels: str) -> NoReturn:
        """See `Monitoring.count`."""
        raise RuntimeError(f"{name} {amount} {labels}: the figures are void")

    def observe(self, name: str, value: float, **labels: str) -> NoReturn:
        """See `Monitoring.observe`."""
        raise RuntimeError(f"{name} {value} {labels}: the figures are void")

    gauge = observe

    def event(self, name: str, *, level: str = "info", **fields: str | float | bool) -> NoReturn:
        """See `Monitoring.event`."""
        raise RuntimeError(f"{name} {level} {fields}: the figures are void")


async def cpu_us(read: Read, callers: int) -> float:
    """Return the CPU microseconds of a read, by so many callers at once."""
    count = READS[callers]
    numbers = iter(range(count))

    async def call() -> None:
        for number in numbers:
            # A stride that has no factor in common with the keys reads all of them.
            if await read(f"profile:{number * 7_919 % KEYS}") is None:
                raise RuntimeError("a value is not there: the figures are void")

    began = time.process_time()
    await asyncio.gather(*(call() for _ in range(callers)))
    return (time.process_time() - began) / count * 1e6


async def measure(url: str) -> dict[tuple[str, int], float]:
    """Return medians by contender and number of callers."""
    clock = SystemClock()
    cache = RedisCache(url, clock=clock, chance=SystemChance(), monitoring=Nothing())
    plain = redis.asyncio.Redis.from_url(url, max_connections=BARRED)

    async def ours(key: str) -> object:
        return await cache.get(key, Deadline.after(clock, DEADLINE_S))

    try:
        for number in range(KEYS):
            deadline = Deadline.after(clock, DEADLINE_S)
            await cache.put_if_newer(f"profile:{number}", VERSION, VALUE, TTL_S, deadline)
        if await ours("profile:1") != (VERSION, VALUE):
            raise RuntimeError("a value is not what was written: the figures are void")
        contenders: dict[str, Read] = {"redis-py, a pool": plain.get, "reads of one turn": ours}
        spent: dict[tuple[str, int], list[float]] = {}
        for _ in range(ROUNDS):
            for callers in READS:
                for name, read in contenders.items():
                    spent.setdefault((name, callers), []).append(await cpu_us(read, callers))
    finally:
        await plain.aclose()
        await cache.close()
    return {case: median(each) for case, each in spent.items()}


def main() -> None:
    """Print the table; raise SystemExit when the bar was missed."""
    with running("redis") as servers:
        found = uvloop.run(measure(servers["redis"].settings["REDIS_URL"]))
    print(f"{'CPU µs a read':<24}" + "".join(f"{f'{callers} at once':>12}" for callers in READS))
    names = list(dict.fromkeys(name for name, _ in found))
    for name in names:
        print(f"{name:<24}" + "".join(f"{found[name, callers]:>12.1f}" for callers in READS))
    plain, ours = names
    ratios = {callers: found[ours, callers] / found[plain, callers] for callers in READS}
    print(f"{'ratio':<24}" + "".join(f"{ratio:>12.2f}" for ratio in ratios.values()))
    verdict = "ok" if ratios[BARRED] <= BAR else "MISSED"
    print(f"at most {BAR} of redis-py at {BARRED} at once: {verdict}")
    if verdict == "MISSED":
        raise SystemExit("MISSED: the cost of a read")


if __name__ == "__main__":
    main()
