"""
The demo: a real book of customers, told as events, decided over HTTP, and proven.

Replay the book through stream and handler, publish the shipped policy, send the applications,
replay every decision, compare the stores, and say what came out. A second run on the same folder
skips what is done and changes nothing.
"""

import asyncio
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from adapters.inbound.cli.demo.applications import applications, read_asks, read_labels
from adapters.inbound.cli.demo.book import Borrower, count, event_records, read_book
from adapters.inbound.cli.demo.platform import DemoFiles, DemoPlatform
from adapters.inbound.cli.demo.summary import Portfolio, percentiles

STATE: Final = "demo.json"
CHUNK: Final = 500
#: The producer waits when the handler is this many records behind, so that memory stays bounded.
LINE_LIMIT: Final = 1 << 26

Bars = Progress


@dataclass(frozen=True, slots=True)
class Demo:
    """One run on one folder."""

    platform: DemoPlatform
    files: DemoFiles
    customers: int | None

    async def run(self) -> dict[str, Any]:
        """Do what is left to do, and return the document that describes the folder."""
        borrowers = read_book(self.files.taiwan, self.customers)
        state = self._load()
        with _bars() as bars:
            replay = state.get("replay") or await self._replay_book(borrowers, bars)
            self._save({**state, "replay": replay})
            policy = await self.platform.publish()
            load = await self._load_run(borrowers, bars)
            await self.platform.settle()
            compared, differing = await self.platform.compare_stores()
        measured = state.get("measured") or _measured(load)
        self._save({"replay": replay, "measured": measured})
        portfolio = Portfolio(
            load["loaded"]["replies"], read_labels(self.files.taiwan, self.customers)
        )
        return {
            **_document(portfolio, load),
            **replay,
            **measured,
            "policy": policy,
            "stores": {"compared": compared, "differing": differing},
        }

    async def _replay_book(self, borrowers: Sequence[Borrower], bars: Bars) -> dict[str, Any]:
        counts = count(borrowers)
        began = time.perf_counter()
        made = bars.add_task("events on the stream", total=counts.events)
        seen = bars.add_task("events in the stores", total=counts.events)
        # A replay that was broken off begins again: events that were applied change nothing.
        for chunk in _chunks(event_records(borrowers)):
            await self.platform.produce(chunk)
            bars.advance(made, len(chunk))
        await self.platform.caught_up(lambda done: bars.update(seen, completed=done))
        seconds = time.perf_counter() - began
        return {
            "customers": counts.customers,
            "events": counts.events,
            "facts": {k: v for k, v in asdict(counts).items() if k != "customers"},
            "replay_seconds": round(seconds, 2),
            "events_per_second": round(counts.events / seconds, 1),
        }

    async def _load_run(self, borrowers: Sequence[Borrower], bars: Bars) -> dict[str, Any]:
        asked = list(applications(borrowers, read_asks(self.files.asks)))
        job = {
            "url": self.platform.url,
            "token": self.platform.token(),
            "applications": [asdict(application) for application in asked],
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "adapters.inbound.cli.demo.load",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=LINE_LIMIT,
        )
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("the load has no pipes")
        process.stdin.write(json.dumps(job).encode())
        process.stdin.write_eof()
        tasks = {
            "decided": bars.add_task("applications decided", total=len(asked)),
            "replayed": bars.add_task("decisions replayed", total=len(asked)),
        }
        result: dict[str, Any] = {}
        async for line in process.stdout:
            message = json.loads(line)
            if "progress" in message:
                bars.update(tasks[message["progress"]], completed=message["done"])
            else:
                result = message
        if await process.wait() != 0 or not result:
            raise RuntimeError("the load ended early")
        return result

    def _load(self) -> dict[str, Any]:
        try:
            state: dict[str, Any] = json.loads(self._file.read_bytes())
        except FileNotFoundError:
            return {}
        return state

    def _save(self, state: Mapping[str, Any]) -> None:
        fresh = self._file.with_suffix(".new")
        fresh.write_text(json.dumps(state))
        fresh.replace(self._file)

    @property
    def _file(self) -> Path:
        return self.platform.data / STATE


def _measured(load: Mapping[str, Any]) -> dict[str, Any]:
    loaded = load["loaded"]
    sent = loaded["fresh"] + loaded["duplicates_refused"]
    return {
        "decisions_per_second": round(sent / loaded["seconds"], 1),
        "latency_ms": percentiles(loaded["latencies_ms"]),
        "duplicates_refused": loaded["duplicates_refused"],
    }


def _document(portfolio: Portfolio, load: Mapping[str, Any]) -> dict[str, Any]:
    replays = load["replays"]
    return {
        "applications": len(portfolio.replies),
        "outcomes": portfolio.outcomes,
        "top_reasons": portfolio.top_reasons(),
        "approval_rate": portfolio.approval_rate,
        "bad_rate_approved": portfolio.bad_rate_approved,
        "bad_rate_all": portfolio.bad_rate_all,
        "offers": portfolio.offers(),
        "replays": {"tried": replays["tried"], "equal": replays["equal"]},
        "unequal_repeats": load["loaded"]["unequal_repeats"],
        "failures": load["loaded"]["failures"],
        "fingerprint": portfolio.fingerprint(),
    }


def _chunks(records: Iterator[tuple[str, bytes]]) -> Iterator[list[tuple[str, bytes]]]:
    while chunk := list(islice(records, CHUNK)):
        yield chunk


def _bars() -> Bars:
    return Progress(
        TextColumn("{task.description:<24}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    )
