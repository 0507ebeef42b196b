"""
Writers in several processes on one database: what a second one costs, and one hot person.

As a program of its own it is such a process: it says that it is ready, waits for a line on its
standard input, records, and says how it went.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from itertools import islice
from typing import Any, Final

from adapters.inbound.http.server import freeze_memory, new_event_loop
from bench.ledger_load import entries
from bench.ledger_ways import Bench, bench_at
from decision_engine.record.entry import Done, Entry
from domain.errors import CreditError

#: Processes take persons of their own.
APART: Final = 20_000


def rate_of(
    url: str, mix: str, *, processes: int, concurrency: int, count: int, person: int = -1
) -> float:
    """
    Return what several processes record together, a second, `count` requests each.

    person: all requests are of this one, if it is not negative.
    """
    name = f"{mix}-{processes}-{person}-{time.time():.0f}"
    command = [sys.executable, "-m", "bench.ledger_processes", url, mix, str(concurrency)]
    with ExitStack() as stack:
        running = [
            stack.enter_context(
                subprocess.Popen(  # noqa: S603 - our own program
                    [*command, str(count), f"{name}-{number}", str(number), str(person)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            for number in range(processes)
        ]
        for process in running:
            _line(process)
        for process in running:
            process.stdin.write("go\n")  # type: ignore[union-attr]
            process.stdin.flush()  # type: ignore[union-attr]
        found = [json.loads(_line(process)) for process in running]
    if any(each["failed"] for each in found):
        raise RuntimeError(f"not recorded: {found}")
    recorded, seconds = ([each[name] for each in found] for name in ("recorded", "seconds"))
    return float(sum(recorded) / max(seconds))


def _line(process: "subprocess.Popen[str]") -> str:
    line = process.stdout.readline()  # type: ignore[union-attr]
    if not line:
        raise RuntimeError("a process of the bench ended")
    return line


async def _work(bench: Bench, load: Sequence[Entry], concurrency: int) -> dict[str, Any]:
    async with bench.grouped() as record:
        freeze_memory()
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.readline)
        ends: Counter[str] = Counter()
        waiting = iter(load)
        began = time.perf_counter()

        async def worker() -> None:
            for entry in waiting:
                try:
                    ends[type(await record(entry)).__name__] += 1
                except CreditError as error:
                    ends[error.code] += 1

        await asyncio.gather(*(worker() for _ in range(concurrency)))
        seconds = time.perf_counter() - began
    recorded = ends.pop(Done.__name__, 0)
    return {"recorded": recorded, "seconds": seconds, "failed": dict(ends)}


def main(arguments: Sequence[str]) -> None:
    """Be one process of the bench."""
    url, mix, concurrency, count, name, number, person = arguments
    first = int(number) * APART
    made = entries(mix, name, person=None if int(person) < 0 else int(person))
    load = list(islice(made, first, first + int(count)))
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        result = runner.run(_work(bench_at(url), load, int(concurrency)))
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
