"""The fixed parts of the OpenAPI document: introduction, headers, security, tags."""

from typing import Any, Final

from adapters.inbound.http.request_headers import DEADLINE_MS_MAX, DEADLINE_MS_MIN
from adapters.inbound.http.strict_json import WHOLE_MAX

ABOUT: Final = """\
Decides consumer credit: durable, explainable and replayable.

**Conventions.** JSON in UTF-8, `snake_case`. Money is text with exactly two decimals in BRL
(`"10000.00"`), rates are decimal fractions as text (`"0.025"` is 2.5 %), dates are `YYYY-MM-DD`
in America/Sao_Paulo, instants RFC 3339 UTC with milliseconds and `Z`. Unknown fields, duplicate
keys and numbers in place of text are refused; a field that is not set is left out, not null.

**Errors** are problem documents (RFC 9457). `type` leads to a page that says what to do. Nothing
that was sent in is ever echoed. A request may also meet 404 `route-not-found`, 405
`method-not-allowed` and 431 `headers-too-large`.

**Idempotency.** A POST that creates something needs an `Idempotency-Key`. The same key and command
get the same status and bytes, plus `Idempotency-Replayed: true`; the same key and another command
get 422.

**Limits.** A caller (the token's `sub`) may ask so often in each class of routes: decisions (also
quotes, replays and what else computes), reads, events, administration. Beyond, 429 `rate-limited`
with `Retry-After`; nothing was begun.

**Lists** are keyset pages: `?limit=`, `?cursor=`; `next_cursor` is null on the last page.
"""

SHARED_SCHEMAS: Final[dict[str, Any]] = {
    "EventObject": {
        "type": "object",
        "additionalProperties": {"$ref": "#/components/schemas/PlainJson"},
        "description": (
            "An event envelope: `event_id`, `source`, `stream_id`, `source_version`, "
            "`customer_id`, `type`, `schema_version`, `occurred_at`, `trace`, `data`. Each is "
            "checked on its own by the JSON Schema of its type, see the reply."
        ),
    },
    "PlainJson": {
        "description": "JSON whose numbers are whole: amounts and rates are text.",
        "anyOf": [
            {"type": ["string", "boolean", "null"]},
            {"type": "integer", "minimum": -WHOLE_MAX, "maximum": WHOLE_MAX},
            {"type": "array", "items": {"$ref": "#/components/schemas/PlainJson"}},
            {
                "type": "object",
                "additionalProperties": {"$ref": "#/components/schemas/PlainJson"},
            },
        ],
    },
}

TAGS: Final = [
    {"name": "decisions", "description": "Decide, read, explain, replay, ask what if."},
    {"name": "reviews", "description": "What a person decides."},
    {"name": "quotes", "description": "Price a loan without a customer."},
    {"name": "customers", "description": "What is known about a customer, masked."},
    {"name": "events", "description": "Facts about customers."},
    {"name": "policies", "description": "What decides."},
    {"name": "operations", "description": "What operators do; audited."},
    {"name": "health", "description": "For load balancers."},
    {"name": "documentation", "description": "This document, and the pages of problems."},
]

SECURITY_SCHEME: Final = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "JWT",
    "description": "HS256; `creditctl token` issues one in the embedded profile.",
}


def _header(name: str, description: str, **schema: Any) -> dict[str, Any]:
    return {
        "name": name,
        "in": "header",
        "required": False,
        "description": description,
        "schema": {"type": "string", **schema},
    }


HEADER_PARAMETERS: Final[dict[str, Any]] = {
    "Idempotency-Key": _header(
        "Idempotency-Key",
        "1 to 128 visible ASCII, unique for the caller and the route.",
        pattern="^[!-~]{1,128}$",
        minLength=1,
        maxLength=128,
    )
    | {"required": True},
    "Deadline-Ms": _header(
        "Deadline-Ms",
        "The time budget of this request in milliseconds; past it, 503 `deadline-exceeded`.",
        type="integer",
        minimum=DEADLINE_MS_MIN,
        maximum=DEADLINE_MS_MAX,
    ),
    "Accept-Language": _header("Accept-Language", "`pt-BR` (default) or `en`, for reason texts."),
    "Correlation-Id": _header(
        "Correlation-Id",
        "8 to 64 of A-Z a-z 0-9 . _ -, with a letter, goes into logs and reply; else one is made.",
    ),
    "Traceparent": _header("traceparent", "W3C trace context; an invalid one is ignored."),
}

COMMON_HEADERS: Final[dict[str, Any]] = {
    "Correlation-Id": {
        "description": "Finds this request in the logs.",
        "required": True,
        "schema": {"type": "string", "minLength": 8, "maxLength": 64},
    },
    "Retry-After": {
        "description": "Seconds after which to try again.",
        "schema": {"type": "integer", "minimum": 1},
    },
    "WWW-Authenticate": {
        "description": "How to authenticate (RFC 6750).",
        "schema": {"type": "string"},
    },
}
