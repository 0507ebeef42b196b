"""`GET /metrics` on a port of its own, inside only; nothing else is answered there."""

import asyncio
import errno
from asyncio import StreamReader, StreamWriter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

HEAD_BYTES_MAX: Final = 8_192
HEAD_SECONDS_MAX: Final = 5.0
CONNECTIONS_MAX: Final = 16
TEXT_FORMAT: Final = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True)
class MetricsServer:
    """A running server and the port it really has."""

    server: asyncio.Server
    port: int

    async def close(self) -> None:
        """Stop answering."""
        self.server.close()
        await self.server.wait_closed()


class _Scrapes:
    """Answers scrapes; past the limit of connections a new one is closed unanswered."""

    def __init__(self, text: Callable[[], str]) -> None:
        self._text = text
        self._open = 0

    async def __call__(self, reader: StreamReader, writer: StreamWriter) -> None:
        self._open += 1
        try:
            if self._open <= CONNECTIONS_MAX:
                await self._answer(reader, writer)
        finally:
            self._open -= 1
            writer.close()

    async def _answer(self, reader: StreamReader, writer: StreamWriter) -> None:
        with suppress(
            OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError
        ):
            async with asyncio.timeout(HEAD_SECONDS_MAX):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(self._reply(head))
                await writer.drain()

    def _reply(self, head: bytes) -> bytes:
        method, _, rest = head.partition(b" ")
        path = rest.partition(b" ")[0].partition(b"?")[0]
        if path != b"/metrics" or method != b"GET":
            return _http("404 Not Found", "text/plain", "only GET /metrics is here\n")
        return _http("200 OK", TEXT_FORMAT, self._text())


async def serve_metrics(host: str, port: int, text: Callable[[], str]) -> MetricsServer:
    """Serve `text()` on the port, or on a free one when it is taken; see `port` of the result."""
    scrapes = _Scrapes(text)
    try:
        server = await asyncio.start_server(scrapes, host, port, limit=HEAD_BYTES_MAX)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        server = await asyncio.start_server(scrapes, host, 0, limit=HEAD_BYTES_MAX)
    return MetricsServer(server, int(server.sockets[0].getsockname()[1]))


def _http(status: str, media_type: str, text: str) -> bytes:
    body = text.encode()
    head = (
        f"HTTP/1.1 {status}\r\ncontent-type: {media_type}\r\ncontent-length: {len(body)}\r\n"
        "connection: close\r\n\r\n"
    )
    return head.encode() + body
