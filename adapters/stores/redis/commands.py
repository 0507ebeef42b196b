"""Commands as the bytes that travel: packed here, since the driver's packing costs more a read."""

import hashlib
from dataclasses import dataclass
from typing import Final

from adapters.stores.redis.encoding import KEEP

KEEP_SHA: Final = hashlib.sha1(KEEP, usedforsecurity=False).hexdigest().encode()


@dataclass(frozen=True, slots=True)
class Command:
    """A command in bytes; `full` is what to send when the server does not know its script."""

    packed: bytes
    full: bytes | None = None
    #: The one that it touches, which tells the node of a cluster.
    key: bytes = b""


def pack(*parts: bytes) -> bytes:
    """Return a command in the protocol of Redis (RESP)."""
    body = b"".join(b"$%d\r\n%b\r\n" % (len(part), part) for part in parts)
    return b"*%d\r\n%b" % (len(parts), body)


def get(key: bytes) -> bytes:
    """Return a read."""
    return b"*2\r\n$3\r\nGET\r\n$%d\r\n%b\r\n" % (len(key), key)


def keep(key: bytes, value: bytes, ttl_ms: int) -> Command:
    """Return a write that leaves a newer value alone."""
    rest = (b"1", key, value, b"%d" % ttl_ms)
    return Command(pack(b"EVALSHA", KEEP_SHA, *rest), pack(b"EVAL", KEEP, *rest), key)


def forget(key: bytes) -> Command:
    """Return the removal of a key; the memory of it is freed beside the server's other work."""
    return Command(pack(b"UNLINK", key), key=key)
