"""
The server: uvicorn with httptools on uvloop, bounded, ended gracefully.

`build_app` makes the application, `start_server` serves it from inside a running loop.
"""

import asyncio
import contextlib
import gc
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import uvicorn

from adapters.inbound.http.app import HttpPorts, build_app
from adapters.inbound.http.protocol import BoundedProtocol

__all__ = [
    "HttpPorts",
    "RunningServer",
    "build_app",
    "freeze_memory",
    "new_event_loop",
    "serve",
    "start_server",
]

BACKLOG: Final = 2_048
KEEP_ALIVE_SECONDS: Final = 75
GRACE_SECONDS: Final = 10
#: Long-lived objects are frozen, so the young generation may grow before it is swept.
GC_THRESHOLDS: Final = (50_000, 20, 100)


class _Uvicorn(uvicorn.Server):
    """uvicorn without its signal handlers: the process has one owner of signals, bootstrap."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.answering = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.answering.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A server that answers; `port` is the one it really has."""

    host: str
    port: int
    _server: _Uvicorn
    _task: "asyncio.Task[None]"

    async def stop(self) -> None:
        """Take no more connections, finish the requests under way, and end."""
        self._server.should_exit = True
        await self._task

    async def ended(self) -> None:
        """Wait until the server has ended by itself."""
        await asyncio.shield(self._task)


async def start_server(app: Any, host: str, port: int) -> RunningServer:
    """
    Serve the application; it answers once this returns. Port 0 takes a free one.

    Raises:
        OSError: the port is taken or not ours.
    """
    listener = _bind(host, port)
    server = _Uvicorn(_config(app))
    task = asyncio.create_task(server.serve(sockets=[listener]), name="http-server")
    answering = asyncio.create_task(server.answering.wait())
    await asyncio.wait([task, answering], return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        answering.cancel()
        await task
    freeze_memory()
    return RunningServer(host, int(listener.getsockname()[1]), server, task)


async def serve(
    app: Any,
    host: str,
    port: int,
    *,
    stop: asyncio.Event,
    ready: Callable[[int], None] = lambda _: None,
) -> None:
    """Serve until `stop` is set, then end gracefully; `ready` is told the port."""
    running = await start_server(app, host, port)
    ready(running.port)
    stopping = asyncio.create_task(stop.wait())
    ended = asyncio.create_task(running.ended())
    try:
        await asyncio.wait([stopping, ended], return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
        await running.stop()


def new_event_loop() -> asyncio.AbstractEventLoop:
    """Return a uvloop where there is one: `asyncio.Runner(loop_factory=new_event_loop)`."""
    try:
        import uvloop  # noqa: PLC0415 - absent on Windows
    except ImportError:
        return asyncio.new_event_loop()
    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop


def _config(app: Any) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=BoundedProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    listener.setblocking(False)  # noqa: FBT003 - the library names it so
    return listener


def freeze_memory() -> None:
    """Take what start-up made out of every later collection: it lives as long as the process."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
