"""
A TCP proxy that the tests own, between a client and one server, for what networks do to both.

It runs in a thread of its own, so that a suite with or without a loop can use it. What happens to
bytes is said by `Faults`, which may be changed at any moment; they hold for all connections.
"""

import asyncio
import socket
import struct
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, TypeVar

from tests.services.server import HOST

Result = TypeVar("Result")
CHUNK: Final = 64 * 1024
LIMIT_S: Final = 10.0


class Way(Enum):
    """Where bytes go."""

    REQUEST = "from the client to the server"
    REPLY = "from the server to the client"


class Verdict(Enum):
    """What becomes of bytes that have arrived."""

    PASS = "they go on"
    DROP = "they are lost, as are all after them this way; the connection stays half-open"
    CUT = "they are lost, and both ends are told that the connection has ended"
    RESET = "they are lost, and both ends get a reset"
    LATE = "the sender is told that the connection has ended; they arrive some time later"


@dataclass(frozen=True, slots=True)
class Part:
    """The first bytes of a chunk go on; the verdict is on the others."""

    first: int
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """
    What happens to bytes on their way.

    `latency_s` holds up each chunk. `drip` passes so many bytes of a reply at a time, each after
    `latency_s`. `judge` sees every chunk before it goes on. `late_s` is how long a late one takes.
    """

    latency_s: float = 0.0
    drip: int = 0
    late_s: float = 0.0
    judge: Callable[[Way, bytes], Verdict | Part] = lambda _way, _data: Verdict.PASS


NONE: Final = Faults()
SILENCE: Final = Faults(judge=lambda _way, _data: Verdict.DROP)


def after(way: Way, count: int, verdict: Verdict) -> Faults:
    """Return faults that pass this many bytes one way, over all connections, and judge the next."""
    passed = 0

    def judge(found: Way, data: bytes) -> Verdict:
        nonlocal passed
        if found is not way:
            return Verdict.PASS
        passed += len(data)
        return Verdict.PASS if passed <= count else verdict

    return Faults(judge=judge)


class FaultProxy:
    """
    Passes connections on to a port of this machine; `port` is where clients find it.

    `upstream` may be changed, as an endpoint moves: open connections stay with the old one.
    """

    def __init__(self, upstream: int) -> None:
        self.faults = NONE
        self.port = 0
        self.upstream = upstream
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()
        self._ends: set[asyncio.StreamWriter] = set()

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return len(self._open)

    def open(self) -> None:
        """Listen, on the same port as before if there was one."""
        self._call(self._listen())

    def close(self) -> None:
        """Refuse new connections; those that are open go on."""
        self._call(self._refuse())

    def cut(self) -> None:
        """End every connection by a reset."""
        self._call(self._reset_all())

    def start(self) -> None:
        """Start the thread, and listen."""
        self._thread.start()
        self.open()

    def stop(self) -> None:
        """End every connection, and the thread."""
        self.close()
        self.cut()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(LIMIT_S)
        self._loop.close()

    def _call(self, work: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(LIMIT_S)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, HOST, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _refuse(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _reset_all(self) -> None:
        for end in list(self._ends):
            _reset(end)
        tasks = list(self._open)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        ends = [client]
        try:
            answers, server = await asyncio.open_connection(HOST, self.upstream)
            ends.append(server)
            self._ends.update(ends)
            await self._both(
                self._pump(Way.REQUEST, reader, server, ends),
                self._pump(Way.REPLY, answers, client, ends),
            )
        except (OSError, asyncio.CancelledError):
            _reset(client)
        finally:
            self._open.discard(task)
            for end in ends:
                self._ends.discard(end)
                end.close()

    async def _both(self, *pumps: Coroutine[Any, Any, None]) -> None:
        """Run both ways; when one ends by a fault, or both ended, the connection is over."""
        async with asyncio.TaskGroup() as group:
            for pump in pumps:
                group.create_task(pump)

    async def _pump(
        self,
        way: Way,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        ends: list[asyncio.StreamWriter],
    ) -> None:
        lost = False
        with suppress(ConnectionError):
            while data := await reader.read(CHUNK):
                passed, verdict = self._judged(way, data, lost=lost)
                if passed:
                    await self._pass_on(way, passed, writer)
                lost = lost or verdict is Verdict.DROP
                if verdict in (Verdict.PASS, Verdict.DROP):
                    continue
                if verdict is Verdict.LATE:
                    _reset(ends[0])
                    await asyncio.sleep(self.faults.late_s)
                    await self._pass_on(way, data[len(passed) :], writer)
                for end in ends:
                    (_reset if verdict is Verdict.RESET else asyncio.StreamWriter.close)(end)
                return
            if writer.can_write_eof() and not lost:
                writer.write_eof()

    def _judged(self, way: Way, data: bytes, *, lost: bool) -> tuple[bytes, Verdict]:
        """Return what goes on, and what becomes of the rest."""
        judged = Verdict.DROP if lost else self.faults.judge(way, data)
        if isinstance(judged, Part):
            return data[: judged.first], judged.verdict
        return (data if judged is Verdict.PASS else b""), judged

    async def _pass_on(self, way: Way, data: bytes, writer: asyncio.StreamWriter) -> None:
        faults = self.faults
        size = faults.drip if faults.drip and way is Way.REPLY else len(data)
        for first in range(0, len(data), size):
            if faults.latency_s:
                await asyncio.sleep(faults.latency_s)
            writer.write(data[first : first + size])
            await writer.drain()


@contextmanager
def proxied(upstream: int) -> Iterator[FaultProxy]:
    """Have a proxy before a port of this machine."""
    proxy = FaultProxy(upstream)
    proxy.start()
    try:
        yield proxy
    finally:
        proxy.stop()


def _reset(end: asyncio.StreamWriter) -> None:
    """Close so that the other side gets a reset: no time to linger."""
    held = end.get_extra_info("socket")
    with suppress(OSError):
        held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    end.transport.abort()
