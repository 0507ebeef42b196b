"""
uvicorn's HTTP/1.1 protocol with the bounds that it lacks: size of the head, time for the head.

Its own error replies are plain text; here they are problem documents like all others.
"""

import asyncio
from http import HTTPStatus
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from adapters.inbound.http.problem_table import PROBLEMS
from adapters.inbound.http.problems import PROBLEM_JSON, problem_reply
from adapters.inbound.http.refusals import ProblemError
from adapters.inbound.http.request_body import WHOLE_BODY

HEAD_BYTES_MAX: Final = 16 * 1024
HEAD_SECONDS_MAX: Final = 10.0
CONNECTIONS_MAX: Final = 4_096


class BoundedProtocol(HttpToolsProtocol):
    """One connection; a head that is too large or too slow ends it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._in_head = False
        self._head_began = False
        self._head_bytes = 0
        self._head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, unless there are too many."""
        super().connection_made(transport)
        if len(self.connections) > CONNECTIONS_MAX:
            transport.abort()
        else:
            self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse; count what comes before the end of a head."""
        self._head_began = False
        super().data_received(data)
        if self._in_head and self.parser is not None and not self.transport.is_closing():
            self._unfinished_head(len(data))

    def on_message_begin(self) -> None:
        """Begin a head."""
        self._in_head, self._head_began, self._head_bytes = True, True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Start the request, unless its head is too large."""
        self._in_head = False
        self._stop_waiting()
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if size > HEAD_BYTES_MAX:
            self._refuse("headers-too-large")
        elif not self.transport.is_closing():
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        """End the request."""
        # The request's task has not run yet if its body came with the head.
        self.scope[WHOLE_BODY] = True  # type: ignore[typeddict-unknown-key]
        if not self.transport.is_closing():
            super().on_message_complete()

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        if not self.transport.is_closing():
            super().on_body(body)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's text is not ours
        """Refuse what is not HTTP."""
        self._refuse("bad-request")

    def _unfinished_head(self, size: int) -> None:
        # The data in which a head begins may hold a body before it, so it is not counted.
        self._head_bytes += 0 if self._head_began else size
        if self._head_bytes > HEAD_BYTES_MAX:
            self._refuse("headers-too-large")
        elif self._head_timer is None:
            self._wait_for_head()

    def _wait_for_head(self) -> None:
        self._head_timer = self.loop.call_later(HEAD_SECONDS_MAX, self._head_too_slow)

    def _stop_waiting(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _head_too_slow(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()

    def _refuse(self, code: str) -> None:
        if not self.transport.is_closing():
            self.transport.write(_raw_reply(code))
            self.transport.close()


def _raw_reply(code: str) -> bytes:
    status = HTTPStatus(PROBLEMS[code].status)
    # No request was read, so there is no id that could find it.
    body = problem_reply(ProblemError(code), "unread-request").body
    return b"HTTP/1.1 %d %s\r\ncontent-type: %s\r\ncontent-length: %d\r\n%s\r\n\r\n%s" % (
        status.value,
        status.phrase.encode(),
        PROBLEM_JSON,
        len(body),
        b"correlation-id: unread-request\r\nconnection: close",
        body,
    )
