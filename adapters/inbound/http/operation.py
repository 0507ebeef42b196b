"""One route: who may call it, what it takes and gives. The gate and the OpenAPI read the same."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import BaseModel

from adapters.inbound.http.messages import Handler

BODY_BYTES_MAX: Final = 64 * 1024
EVENTS_BYTES_MAX: Final = 1024 * 1024
POLICY_BYTES_MAX: Final = 16 * 1024 * 1024
DEADLINE_MS: Final = 1_000
POLICY_DEADLINE_MS: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """
    One query parameter.

    `parse` takes the text and a pointer, and raises InvalidInputError; `schema` says the same to
    callers.
    """

    name: str
    parse: Callable[[str, str], Any]
    schema: Mapping[str, Any]
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Success:
    """
    The good answer: its status, shape, an example and headers of its own.

    `links` lead on: a path of this API -> the field of the reply that is its `{id}`.
    """

    status: int = 200
    description: str = "Done."
    model: type[BaseModel] | None = None
    media_type: str = "application/json"
    example: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """
    A method on a path.

    `scope` None means that no token is asked for. `problems` are codes beyond the general ones.
    """

    method: str
    path: str
    handler: Handler
    tag: str
    summary: str
    success: Success
    description: str = ""
    scope: str | None = None
    body: type[BaseModel] | None = None
    body_example: Any = None
    body_required: bool = True
    body_bytes_max: int = BODY_BYTES_MAX
    query: tuple[Parameter, ...] = ()
    idempotent: bool = False
    deadline_ms: int = DEADLINE_MS
    problems: tuple[str, ...] = ()
