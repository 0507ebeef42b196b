"""A real server on a real socket in a thread of its own, and a client for it."""

import asyncio
import io
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import aiohttp

from adapters.inbound.http.edge import Instruments
from adapters.inbound.http.problem_pages import load_pages
from adapters.inbound.http.server import HttpPorts, build_app, new_event_loop, serve
from adapters.security.request_keys import RequestKeys
from adapters.security.tokens import SCOPES, TokenKey
from adapters.system import SystemClock, SystemIds
from adapters.telemetry.logs import Logs, at_least
from adapters.telemetry.metrics import Metrics
from adapters.telemetry.monitoring import Telemetry
from tests.integration.http.fakes import FakeLimits, FakeUseCases

#: aiohttp wants larger bodies as a file.
LARGE_BYTES = 1_000_000


@dataclass
class Lines:
    """Keeps log lines."""

    kept: list[str] = field(default_factory=list)

    def put(self, line: str) -> None:
        self.kept.append(line)


@dataclass(frozen=True)
class Answer:
    """One reply as it came."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.body)


@dataclass
class Live:
    """A running server with its fakes, keys and what it says about itself."""

    fake: FakeUseCases
    key: TokenKey
    metrics: Metrics
    lines: Lines
    limits: FakeLimits = field(default_factory=FakeLimits)
    port: int = 0
    end: Callable[[], None] = lambda: None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def forget(self) -> None:
        """Make the server look as if nothing had happened yet."""
        self.fake.seen.clear()
        self.fake.kept.clear()
        self.fake.error = None
        self.limits.wait_s = 0.0
        self.limits.seen.clear()
        self.fake.ready = "ready"
        self.lines.kept.clear()

    def authorization(self, *scopes: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key.issue('tester', scopes or SCOPES)}"}

    def ask(self, method: str, path: str, **request: Any) -> Answer:
        """Send one request with a good token unless `headers` say otherwise."""
        return self.ask_all([(method, path, request)])[0]

    def ask_all(self, requests: list[tuple[str, str, dict[str, Any]]]) -> list[Answer]:
        """Send requests one after the other over one connection pool."""
        return asyncio.run(self._ask_all(requests))

    async def _ask_all(self, requests: list[tuple[str, str, dict[str, Any]]]) -> list[Answer]:
        async with aiohttp.ClientSession(auto_decompress=False) as session:
            return [await self._ask(session, *request) for request in requests]

    async def _ask(
        self, session: aiohttp.ClientSession, method: str, path: str, request: dict[str, Any]
    ) -> Answer:
        request = dict(request)
        headers = self.authorization() | request.pop("headers", {})
        sent = {name: value for name, value in headers.items() if value is not None}
        if isinstance(request.get("data"), bytes) and len(request["data"]) > LARGE_BYTES:
            request["data"] = io.BytesIO(request["data"])
        call = session.request(
            method, self.url + path, headers=sent, allow_redirects=False, **request
        )
        async with call as response:
            return Answer(response.status, response.headers.copy(), await response.read())


class _Thread(threading.Thread):
    """Runs the server until it is told to stop."""

    def __init__(self, app: Any) -> None:
        super().__init__(name="live-server", daemon=True)
        self._app = app
        self._loop = new_event_loop()
        self._ending = asyncio.Event()
        self.answering = threading.Event()
        self.port = 0

    def run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(
            serve(self._app, "127.0.0.1", 0, stop=self._ending, ready=self._ready)
        )
        self._loop.close()

    def _ready(self, port: int) -> None:
        self.port = port
        self.answering.set()

    def __enter__(self) -> Self:
        self.start()
        assert self.answering.wait(10)
        return self

    def end(self) -> None:
        """Ask the server to end gracefully."""
        self._loop.call_soon_threadsafe(self._ending.set)

    def __exit__(self, *_: object) -> None:
        if self.is_alive():
            self.end()
        self.join(15)
        assert not self.is_alive()


@contextmanager
def live_server(
    folder: Path, configure: Callable[[FakeUseCases], None] = lambda _: None, **options: Any
) -> Iterator[Live]:
    """Serve the application over fakes until the block ends."""
    clock, metrics, lines = SystemClock(), Metrics(), Lines()
    telemetry = Telemetry(metrics, Logs(lines, clock, at_least("debug")))
    key = TokenKey.load_or_create(folder / "token.key")
    fake = FakeUseCases()
    limits = FakeLimits()
    configure(fake)
    ports = HttpPorts(
        verifier=key.verifier(),
        limits=limits,
        keys=RequestKeys.load_or_create(folder / "request.key"),
        instruments=Instruments(clock, SystemIds(), telemetry),
        pages=load_pages(),
        **options,
    )
    live = Live(fake, key, metrics, lines, limits)
    with _Thread(build_app(fake.as_use_cases(), ports)) as thread:
        live.port, live.end = thread.port, thread.end
        yield live
