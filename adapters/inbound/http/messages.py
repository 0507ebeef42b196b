"""What handlers take and give: one request as they see it, and one reply."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from adapters.inbound.http.refusals import HeaderPairs
from adapters.inbound.http.request_headers import Headers
from adapters.security.tokens import Principal
from domain.ports.time import Deadline

JSON: Final = b"application/json"

_encoder: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


@dataclass(slots=True)
class Call:
    """One request that has passed the gate: authenticated, within its limits."""

    headers: Headers
    path: Mapping[str, str]
    query: Mapping[str, Any]
    body: bytes
    principal: Principal
    idem_key: str
    deadline: Deadline

    @property
    def language(self) -> str:
        """The language for texts: `pt-BR` or `en`."""
        return self.headers.language()


@dataclass(slots=True)
class Reply:
    """One reply; the edge adds what every reply has."""

    status: int
    body: bytes
    headers: HeaderPairs = ()
    media_type: bytes = JSON


Handler = Callable[[Call], Awaitable[Reply]]


def to_json(document: object) -> bytes:
    """Return a plain document as compact JSON."""
    return _encoder.encode(document).encode()
