"""
The fields that a log line may have, each with the shape of its values.

A name that is not declared is left out, and a value of another shape is replaced: what may be
personal data has no way into a log, whoever writes it.
"""

import math
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from domain.cpf import Cpf
from domain.errors import InvalidInputError


class Shape(StrEnum):
    """What the values of a field look like."""

    CODE = "code"  # a word of ours: an outcome, a code, a type name, a route template
    ID = "id"  # an opaque id, ours or a caller's
    NUMBER = "number"
    FLAG = "flag"


REDACTED: Final = "[redacted]"
CODE: Final = re.compile(r"[A-Za-z_/<][A-Za-z0-9_./{}:<>|-]{0,999}", re.ASCII)
ID: Final = re.compile(r"[A-Za-z0-9._:|-]{1,160}", re.ASCII)
CPF_LIKE: Final = re.compile(r"(?<![0-9])[0-9]{3}\.?[0-9]{3}\.?[0-9]{3}-?[0-9]{2}(?![0-9])")

_CODES: Final = (
    "action", "attribute_group", "breaker", "cause", "code", "component", "error_type", "host",
    "kind", "lane", "logger", "method", "mode", "name", "outcome", "phase", "place", "places",
    "policy_hash", "profile", "reason", "role", "route", "scope", "signal", "state", "status_text",
    "step", "store", "stream", "table", "tier", "type", "verdict",
)  # fmt: skip
_IDS: Final = (
    "aggregate_id", "batch_id", "correlation_id", "customer_id", "decision_id", "event_id",
    "instance", "model_id", "offer_id", "policy_id", "review_id", "run_id", "saga_id", "shard_id",
    "stream_id", "trace_id",
)  # fmt: skip
_NUMBERS: Final = (
    "accepted", "age_seconds", "applied", "attempt", "bytes", "count", "deleted", "depth",
    "differing", "duplicates", "failed", "gap", "lag", "limit", "line", "missing", "parked",
    "port", "process", "published", "queue", "read", "refused", "remaining_seconds", "retries",
    "rows", "seconds", "sequence", "size", "skipped", "stale", "status", "total", "version",
    "waiting", "written",
)  # fmt: skip
_FLAGS: Final = ("degraded", "ok", "replayed", "retried")

FIELDS: Final[Mapping[str, Shape]] = {
    **dict.fromkeys(_CODES, Shape.CODE),
    **dict.fromkeys(_IDS, Shape.ID),
    **dict.fromkeys(_NUMBERS, Shape.NUMBER),
    **dict.fromkeys(_FLAGS, Shape.FLAG),
}


def clean(shape: Shape, value: object) -> str | float | bool:
    """Return the value if it has the shape, or `[redacted]`."""
    if isinstance(value, bool):
        return value if shape is Shape.FLAG else REDACTED
    if isinstance(value, int | float):
        return value if shape is Shape.NUMBER and math.isfinite(value) else REDACTED
    if shape is Shape.CODE:
        return clean_text(value, CODE)
    return clean_text(value, ID) if shape is Shape.ID else REDACTED


def clean_text(value: object, pattern: re.Pattern[str]) -> str:
    """Return a text that has the pattern and holds no CPF, or `[redacted]`."""
    if not isinstance(value, str) or pattern.fullmatch(value) is None or holds_cpf(value):
        return REDACTED
    return value


def holds_cpf(text: str) -> bool:
    """Tell whether some eleven digits of a text are a CPF with right check digits."""
    return any(_is_cpf(match.group()) for match in CPF_LIKE.finditer(text))


def _is_cpf(text: str) -> bool:
    digits = "".join(character for character in text if character.isdigit())
    try:
        Cpf.parse(digits)
    except InvalidInputError:
        return False
    return True
