"""
The demo's load: applications and replays over real sockets, with bounded concurrency.

Runs as a process of its own (`python -m adapters.inbound.cli.demo.load`), so that what it measures
is the platform and not itself. A job comes as JSON on stdin; progress and results leave as JSON
lines on stdout. The token comes with the job, never on a command line.
"""

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import aiohttp

CONCURRENCY: Final = 32
REPORT_EVERY: Final = 200
TIMEOUT_S: Final = 30
DEADLINE_MS: Final = "10000"
TRIES: Final = 5
CREATED: Final = 201
BUSY: Final = 503
OK: Final = 200


@dataclass(slots=True)
class Loaded:
    """What one run of the load saw."""

    replies: list[dict[str, Any]] = field(default_factory=list)
    latencies_ms: list[float] = field(default_factory=list)
    seconds: float = 0.0
    fresh: int = 0
    duplicates_refused: int = 0
    unequal_repeats: int = 0
    failures: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Verdicts:
    """What replaying decisions gave."""

    tried: int = 0
    equal: int = 0
    seconds: float = 0.0


Session = aiohttp.ClientSession


async def decide_all(session: Session, applications: list[dict[str, Any]]) -> Loaded:
    """Send every application as often as it says; repeats must get the same bytes."""
    loaded = Loaded()
    began = time.perf_counter()

    async def send(application: dict[str, Any]) -> None:
        first = await _decide(session, application, loaded)
        for _ in range(application["sendings"] - 1):
            again = await _decide(session, application, loaded)
            loaded.unequal_repeats += again != first
        if first is not None:
            loaded.replies.append(json.loads(first))

    await _bounded(applications, send, "decided")
    loaded.seconds = time.perf_counter() - began
    return loaded


async def replay_all(session: Session, decision_ids: list[str]) -> Verdicts:
    """Ask for the replay of every decision."""
    verdicts = Verdicts()
    began = time.perf_counter()

    async def replay(decision_id: str) -> None:
        url = f"/v1/credit-decisions/{decision_id}/replay"
        async with session.post(url) as response:
            body = await response.json(content_type=None)
            verdicts.tried += 1
            verdicts.equal += response.status == OK and body["verdict"] == "EQUAL"

    await _bounded(decision_ids, replay, "replayed")
    verdicts.seconds = time.perf_counter() - began
    return verdicts


async def _decide(session: Session, application: dict[str, Any], loaded: Loaded) -> bytes | None:
    headers = {"Idempotency-Key": application["idempotency_key"], "Deadline-Ms": DEADLINE_MS}
    for _ in range(TRIES):
        began = time.perf_counter()
        async with session.post(
            "/v1/credit-decisions", json=application["body"], headers=headers
        ) as response:
            body = await response.read()
        if response.status == CREATED:
            loaded.latencies_ms.append((time.perf_counter() - began) * 1000)
            replayed = response.headers.get("Idempotency-Replayed") == "true"
            loaded.duplicates_refused += replayed
            loaded.fresh += not replayed
            return body
        _count_failure(loaded, response.status, body)
        if response.status != BUSY:
            return None
        await asyncio.sleep(float(response.headers.get("Retry-After", "1")))
    return None


def _count_failure(loaded: Loaded, status: int, body: bytes) -> None:
    try:
        code = str(json.loads(body)["code"])
    except (ValueError, KeyError):
        code = "unreadable"
    name = f"{status} {code}"
    loaded.failures[name] = loaded.failures.get(name, 0) + 1


async def _bounded(items: Iterable[Any], work: Callable[[Any], Awaitable[None]], what: str) -> None:
    source, done = iter(items), 0

    async def worker() -> None:
        nonlocal done
        for item in source:
            await work(item)
            done += 1
            if done % REPORT_EVERY == 0:
                _say({"progress": what, "done": done})

    await asyncio.gather(*(worker() for _ in range(CONCURRENCY)))
    _say({"progress": what, "done": done})


def _say(line: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


async def run(job: dict[str, Any]) -> None:
    """Run one job: decide, then replay every decision that was answered."""
    headers = {"Authorization": f"Bearer {job['token']}"}
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
    connector = aiohttp.TCPConnector(limit=CONCURRENCY)
    async with Session(
        job["url"], headers=headers, timeout=timeout, connector=connector
    ) as session:
        loaded = await decide_all(session, job["applications"])
        verdicts = await replay_all(session, [reply["decision_id"] for reply in loaded.replies])
    _say({"loaded": asdict(loaded), "replays": asdict(verdicts)})


def main() -> None:
    """Read the job from stdin and run it."""
    asyncio.run(run(json.load(sys.stdin)))


if __name__ == "__main__":
    main()
