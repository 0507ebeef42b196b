"""One HTTP/1.1 connection: one request at a time, and its reply, parsed by httptools."""

import asyncio
from typing import Final, cast

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from adapters.aws.errors import ReplyLostError

#: Larger than any reply of the services (BatchGetItem: 16 MB).
REPLY_MAX: Final = 32 << 20
INTERIM: Final = 200

Reply = tuple[int, bytes]


class Connection(asyncio.Protocol):
    """
    The connection; whatever goes wrong ends it, so a late reply can never answer another request.

    The methods `on_…` are called by the parser.
    """

    __slots__ = (
        "_got", "_loop", "_parser", "_parts", "_size", "_transport", "_waiter", "idle_since",
        "served",
    )  # fmt: skip

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._parser = HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[Reply] | None = None
        self._parts: list[bytes] = []
        self._size = 0
        self._got = False
        self.served = 0
        self.idle_since = 0.0

    @property
    def ready(self) -> bool:
        """Whether a request may be sent."""
        transport = self._transport
        return transport is not None and self._waiter is None and not transport.is_closing()

    async def exchange(self, request: bytes, seconds: float) -> Reply:
        """
        Send a request and return status and body of its reply.

        Raises:
            ReplyLostError: the connection ended, or the reply took longer.
        """
        transport, waiter = self._transport, self._loop.create_future()
        if transport is None:
            raise ReplyLostError("the connection has ended", kept=True)
        self._waiter = waiter
        transport.write(request)
        timer = self._loop.call_later(seconds, self._fail, "no reply came in time")
        try:
            reply: Reply = await waiter
        except asyncio.CancelledError:
            self.abort()
            raise
        finally:
            timer.cancel()
        return reply

    def abort(self) -> None:
        """End the connection at once."""
        self._fail("the connection is given up")

    # --- what the loop calls -------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way out."""
        # TCP and TLS are such; uvloop's do not inherit from it.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Parse; what nobody asked for ends the connection."""
        if self._waiter is None:
            self._fail("the server speaks unasked")
            return
        self._got = True
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade):
            self._fail("the reply is not HTTP")

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  it may quote
        """Tell who waits."""
        self._fail("the connection ended before the reply")

    # --- what the parser calls -----------------------------------------------------------------

    def on_message_begin(self) -> None:
        """End a connection that says more than it was asked."""
        if self._waiter is None:
            self._fail("the server speaks unasked")

    def on_body(self, body: bytes) -> None:
        """Keep a part of the body."""
        self._size += len(body)
        if self._size > REPLY_MAX:
            self._fail("the reply is too large")
        else:
            self._parts.append(body)

    def on_message_complete(self) -> None:
        """Hand over the reply."""
        status, waiter = self._parser.get_status_code(), self._waiter
        if status < INTERIM or waiter is None:
            return
        parts = self._parts
        body = parts[0] if len(parts) == 1 else b"".join(parts)
        self._parts, self._size, self._waiter, self._got = [], 0, None, False
        self.served += 1
        if not self._parser.should_keep_alive() and self._transport is not None:
            self._transport.close()
        if not waiter.done():
            waiter.set_result((status, body))

    def _fail(self, why: str) -> None:
        waiter, transport = self._waiter, self._transport
        self._waiter = self._transport = None
        self._parts = []
        if transport is not None:
            transport.abort()
        if waiter is not None and not waiter.done():
            kept = self.served > 0 and not self._got
            waiter.set_exception(ReplyLostError(why, kept=kept))
