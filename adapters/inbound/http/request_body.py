"""Reads a request's body within its limit, whatever the caller announced."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any, Final

from adapters.inbound.http.refusals import ProblemError
from adapters.inbound.http.request_headers import Headers
from domain.errors import DeadlineExceededError
from domain.ports.time import Deadline

#: What is read and thrown away of a body that is too large, so that the caller hears the answer.
DISCARD_BYTES_MAX: Final = 16 * 1024 * 1024
DISCARD_SECONDS_MAX: Final = 2.0
CLOSE: Final = ((b"connection", b"close"),)

#: Set in the scope by our protocol when a body came whole with its head: no timer is needed.
WHOLE_BODY: Final = "credit.whole_body"

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]


class ClientGoneError(Exception):
    """The caller left before the request was complete; nobody is there to answer."""


async def read_whole_body(receive: Receive, headers: Headers, limit: int) -> bytes:
    """
    Return a body that the server has already received to its end: there is nothing to wait for.

    Raises:
        ProblemError: `body-too-large`.
        ClientGoneError: the caller left.
    """
    body = await _read(receive, headers, limit)
    if body is None:
        raise ProblemError("body-too-large", headers=CLOSE)
    return body


async def read_body(receive: Receive, headers: Headers, limit: int, deadline: Deadline) -> bytes:
    """
    Return the whole body; memory use is bounded by the limit, also when its length is a lie.

    Raises:
        ProblemError: `body-too-large`.
        DeadlineExceededError: it did not arrive in time.
        ClientGoneError: the caller left.
    """
    try:
        # The deadline counts on the loop's own clock (see `Clock.monotonic`).
        async with asyncio.timeout_at(deadline.at):
            body = await _read(receive, headers, limit)
    except TimeoutError:
        raise DeadlineExceededError("the body did not arrive in time") from None
    if body is None:
        await _discard_the_rest(receive, headers)
        raise ProblemError("body-too-large", headers=CLOSE)
    return body


async def _read(receive: Receive, headers: Headers, limit: int) -> bytes | None:
    """Return the body, or None once it is known to be too large."""
    announced = headers.announced_length()
    if announced is not None and announced > limit:
        return None
    body, more = await _next(receive)
    parts, size = [body], len(body)
    while more and size <= limit:
        chunk, more = await _next(receive)
        parts.append(chunk)
        size += len(chunk)
    return b"".join(parts) if size <= limit else None


async def _discard_the_rest(receive: Receive, headers: Headers) -> None:
    # Who asked first (Expect: 100-continue) has sent nothing yet.
    if headers.get(b"expect") is not None:
        return
    left, more = DISCARD_BYTES_MAX, True
    with suppress(TimeoutError):
        async with asyncio.timeout(DISCARD_SECONDS_MAX):
            while more and left > 0:
                chunk, more = await _next(receive)
                left -= len(chunk)


async def _next(receive: Receive) -> tuple[bytes, bool]:
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientGoneError
    return message.get("body", b""), message.get("more_body", False)
