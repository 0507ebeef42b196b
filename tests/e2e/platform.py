"""The test's side of a platform process: start it, talk to it, end it by its id."""

import asyncio
import atexit
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from io import BytesIO
from itertools import islice
from pathlib import Path
from signal import SIGKILL
from typing import Any, Final

import aiohttp

from tests.e2e.people import BEGIN, Envelope

ROOT: Final = Path(__file__).parents[2]
#: Far beyond what anything takes: a test that hangs ends here instead.
PATIENCE_S: Final = 120.0
LINE_MAX: Final = 1 << 24
EVENTS_MAX: Final = 500
POLL_S: Final = 0.005
CREATED: Final = 201
OK: Final = 200
#: The longest that the contract allows, so that a slow machine decides nothing.
DEADLINE: Final = {"Deadline-Ms": "10000"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a platform process is started."""

    lossy: bool = False
    #: A disk that says "flushed" and is lying, as if nobody had asked.
    deaf: bool = False
    pragmas: tuple[str, ...] = ()
    #: A point to die at before anybody can ask for it, see `tests.e2e.process.Points`.
    armed: Mapping[str, Any] | None = None


class DiedError(Exception):
    """The process came to the end that it was armed with."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.body)

    @property
    def replayed(self) -> bool:
        return self.headers.get("idempotency-replayed") == "true"


@dataclass(slots=True)
class Platform:
    """A running process: its API over HTTP, and its commands over a socket of its own."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    hello: dict[str, Any]
    stderr: Path
    http: aiohttp.ClientSession
    alive: bool = True
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def command(self, do: str, **arguments: Any) -> Any:
        """Give a command and return its answer."""
        async with self._turn, asyncio.timeout(PATIENCE_S):
            self.writer.write(json.dumps({"do": do, **arguments}).encode() + b"\n")
            answer = json.loads(await self.reader.readline())
        if "killed" in answer:
            await self.gone()
            raise DiedError
        return answer

    async def request(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        """Send one request; `body` is JSON unless it is bytes already."""
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        payload = None if data is None else BytesIO(data)
        sent = {"Content-Type": "application/json"} if data is not None else {}
        sent |= DEADLINE | {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.http.request(method, path, data=payload, headers=sent) as response:
            found = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status, found, await response.read())

    async def decide(self, key: str, body: object) -> Answer:
        """Ask for a decision under an idempotency key."""
        return await self.request("POST", "/v1/credit-decisions", body, Idempotency_Key=key)

    async def accept(self, events: Iterable[Envelope]) -> None:
        """Send events, all of which must be accepted."""
        source = iter(events)
        while some := list(islice(source, EVENTS_MAX)):
            answer = await self.request("POST", "/v1/events", {"events": some})
            assert answer.status == OK, answer.body
            results = answer.document["results"]
            assert {each["status"] for each in results} == {"accepted"}, results

    async def until_killed(self) -> None:
        """Wait for the end that was armed."""
        async with asyncio.timeout(PATIENCE_S):
            assert "killed" in json.loads(await self.reader.readline())
        await self.gone()

    async def stop(self) -> None:
        """End the process as an operator would; it must say that it ended well."""
        await self.http.close()
        assert await self.command("stop") == {"stopped": True}
        await self.gone()

    async def gone(self) -> None:
        """Wait until the system has forgotten the process: its locks are free then."""
        self.alive = False
        await _gone(self.hello["pid"])

    async def kill(self) -> None:
        """End it at once, if it is still there."""
        if self.alive:
            os.kill(self.hello["pid"], SIGKILL)
            await self.gone()


@asynccontextmanager
async def running(data: Path, options: Options | None = None) -> AsyncIterator[Platform]:
    """Run the platform on a folder; what is left of the process afterwards is killed."""
    asked = options or Options()
    reader, writer = await asyncio.open_unix_connection(zygote(), limit=LINE_MAX)
    stderr = data.with_name(f"{data.name}.stderr")
    first = {
        "data": str(data),
        "stderr": str(stderr),
        "begin": BEGIN.isoformat(),
        "lossy": asked.lossy,
        "deaf": asked.deaf,
        "pragmas": asked.pragmas,
        "armed": asked.armed,
    }
    writer.write(json.dumps(first).encode() + b"\n")
    try:
        async with asyncio.timeout(PATIENCE_S):
            line = await reader.readline()
        assert line, f"the platform did not start: {stderr.read_text()}"
        hello = json.loads(line)
        if "killed" in hello:
            await _gone(hello["pid"])
            raise DiedError
        async with _client(hello) as http:
            platform = Platform(reader, writer, hello, stderr, http)
            try:
                yield platform
            finally:
                await platform.kill()
    finally:
        writer.close()


@asynccontextmanager
async def _client(hello: dict[str, Any]) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(
        hello["url"],
        headers={"Authorization": f"Bearer {hello['token']}"},
        connector=aiohttp.TCPConnector(limit=0),
        timeout=aiohttp.ClientTimeout(total=PATIENCE_S),
    ) as http:
        yield http


async def seed(platform: Platform, events: Iterable[Envelope]) -> None:
    """Publish the shipped policy, send the events, and wait until every store has them."""
    await platform.command("publish")
    await platform.accept(events)
    settled = await platform.command("settle")
    assert settled["differing"] == 0, settled


@cache
def zygote() -> Path:
    """Start the process that platforms are forked from, once a run, and return its socket."""
    folder = tempfile.TemporaryDirectory(prefix="zygote-")
    path = Path(folder.name) / "socket"
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.e2e.zygote", str(path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )

    def end() -> None:
        process.communicate()
        folder.cleanup()

    atexit.register(end)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return path


async def _gone(pid: int) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while _exists(pid):  # noqa: ASYNC110 - no event tells that another process is gone
            await asyncio.sleep(POLL_S)


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
