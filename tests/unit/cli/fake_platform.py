"""An HTTP server on a free port of this machine, which answers as it is told."""

import asyncio
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

STARTING_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Answer:
    """What to say to the next request."""

    status: int
    body: bytes
    headers: Mapping[str, str]


@dataclass(slots=True)
class FakePlatform:
    """Gives its answers in order, the last one again and again; slow when told so."""

    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    seconds: float = 0.0
    _answers: list[Answer] = field(default_factory=list)
    _last: Answer = field(default_factory=lambda: Answer(500, b"", {}))

    @classmethod
    @contextmanager
    def running(cls) -> "Iterator[FakePlatform]":
        platform = cls()
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever)
        thread.start()
        runner = asyncio.run_coroutine_threadsafe(platform._start(), loop).result(STARTING_SECONDS)
        try:
            yield platform
        finally:
            asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(STARTING_SECONDS)
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()

    def answers(self, document: object, status: int = 200, **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        self._answers.append(Answer(status, body, named))

    def refuses(self, status: int, code: str, **more: Any) -> None:
        """Answer with a problem document; `Retry_After` becomes that header."""
        headers = {n: more.pop(n) for n in list(more) if n[0].isupper()}
        problem = {
            "type": f"/problems/{code}",
            "title": "Title",
            "status": status,
            "detail": "The detail.",
            "code": code,
            "correlation_id": "corr-1",
        }
        self.answers(problem | more, status, **headers)

    async def _start(self) -> web.AppRunner:
        application = web.Application(client_max_size=4 * 1024 * 1024)
        application.router.add_route("*", "/{anything:.*}", self._handle)
        runner = web.AppRunner(application)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        return runner

    async def _handle(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.asked.append(Asked(request.method, request.raw_path, dict(request.headers), body))
        await asyncio.sleep(self.seconds)
        if self._answers:
            self._last = self._answers.pop(0)
        headers = {"Content-Type": "application/json", **self._last.headers}
        return web.Response(status=self._last.status, body=self._last.body, headers=headers)
