"""One request and its answer while they pass through: ids, start, route, what was sent."""

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any, Final

from adapters.inbound.http.messages import Reply
from adapters.inbound.http.request_headers import Headers

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

UNMATCHED: Final = "unmatched"
#: The caller left before an answer; nginx's number for it.
CLIENT_GONE: Final = 499


@dataclass(slots=True)
class Exchange:
    """What the edge knows about a request; `status` is 0 until an answer begins."""

    headers: Headers
    correlation_id: str
    method: str
    started: float
    route: str = UNMATCHED
    status: int = 0
    code: str = ""


async def reply_to(send: Send, exchange: Exchange, reply: Reply) -> None:
    """Send a reply with the headers that every reply has; once for each exchange."""
    exchange.status = reply.status
    await send(
        {
            "type": "http.response.start",
            "status": reply.status,
            "headers": [
                (b"content-type", reply.media_type),
                (b"content-length", b"%d" % len(reply.body)),
                (b"correlation-id", exchange.correlation_id.encode("ascii")),
                (b"cache-control", b"no-store"),
                (b"x-content-type-options", b"nosniff"),
                *reply.headers,
            ],
        }
    )
    await send({"type": "http.response.body", "body": reply.body})
