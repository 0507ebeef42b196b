"""The headers that a request may carry, each read strictly and never sent back unread."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from adapters.inbound.http.refusals import ProblemError, bad_header
from adapters.telemetry.fields import holds_cpf

DEADLINE_MS_MIN: Final = 50
DEADLINE_MS_MAX: Final = 10_000

DEADLINE: Final = re.compile(rb"[0-9]{2,5}")
IDEM_KEY: Final = re.compile(rb"[\x21-\x7e]{1,128}")
#: One letter at least: phone numbers, dates and document numbers have none.
CORRELATION: Final = re.compile(rb"(?=.*[A-Za-z])[A-Za-z0-9][A-Za-z0-9._-]{7,63}")
TRACEPARENT: Final = re.compile(rb"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?")
JSON_BODY: Final = re.compile(
    rb'application/json[ \t]*(;[ \t]*charset="?utf-8"?[ \t]*)?', re.IGNORECASE
)
LENGTH: Final = re.compile(rb"[0-9]{1,18}")

#: Two of these contradict each other, so a request may carry each once.
SINGLE: Final = (b"authorization", b"content-type", b"idempotency-key", b"deadline-ms")

ACCEPTED: Final = frozenset({b"application/json", b"application/*", b"*/*"})
CACHED: Final = 256

Pairs = Sequence[tuple[bytes, bytes]]


class Headers:
    """The headers of one request, by lower-case name."""

    __slots__ = ("_pairs", "_values")

    def __init__(self, pairs: Pairs) -> None:
        self._pairs = pairs
        self._values = dict(pairs)

    def get(self, name: bytes) -> bytes | None:
        """Return the value, or None."""
        return self._values.get(name)

    def check_single(self) -> None:
        """
        Refuse a request that says one thing twice.

        Raises:
            ProblemError: `bad-header`.
        """
        if len(self._values) == len(self._pairs):
            return
        names = [name for name, _ in self._pairs]
        for name in SINGLE:
            if names.count(name) > 1:
                raise bad_header(name.decode(), "header-repeated", "send this header once")

    def deadline_seconds(self, default_ms: int) -> float:
        """
        Return the time budget of the request.

        Raises:
            ProblemError: `bad-header`.
        """
        value = self._values.get(b"deadline-ms")
        if value is None:
            return default_ms / 1000
        if DEADLINE.fullmatch(value) and DEADLINE_MS_MIN <= int(value) <= DEADLINE_MS_MAX:
            return int(value) / 1000
        detail = f"whole milliseconds from {DEADLINE_MS_MIN} to {DEADLINE_MS_MAX}"
        raise bad_header("deadline-ms", "header-format", detail)

    def idempotency_key(self) -> str:
        """
        Return the key under which the caller may repeat the request.

        Raises:
            ProblemError: `idempotency-key-missing` or `bad-header`.
        """
        value = self._values.get(b"idempotency-key")
        if value is None:
            raise ProblemError("idempotency-key-missing")
        if IDEM_KEY.fullmatch(value) is None:
            raise bad_header("idempotency-key", "header-format", "1 to 128 visible ASCII")
        return value.decode("ascii")

    def check_json_body(self) -> None:
        """
        Refuse a body that does not say that it is JSON in UTF-8, or that is compressed.

        Raises:
            ProblemError: `unsupported-media-type`.
        """
        value = self._values.get(b"content-type")
        if value is None or JSON_BODY.fullmatch(value) is None:
            raise ProblemError("unsupported-media-type")
        if self._values.get(b"content-encoding", b"identity").lower() != b"identity":
            raise ProblemError("unsupported-media-type")

    def check_accepts_json(self) -> None:
        """
        Refuse a caller who excludes JSON replies.

        Raises:
            ProblemError: `not-acceptable`.
        """
        value = self._values.get(b"accept")
        if value is not None and not accepts_json(self._joined(b"accept")):
            raise ProblemError("not-acceptable")

    def language(self) -> str:
        """Return `en` if the caller prefers it over Portuguese, else `pt-BR`."""
        if b"accept-language" not in self._values:
            return "pt-BR"
        return preferred_language(self._joined(b"accept-language"))

    def announced_length(self) -> int | None:
        """Return the announced size of the body; what is not a number is left to the server."""
        value = self._values.get(b"content-length")
        return int(value) if value is not None and LENGTH.fullmatch(value) else None

    def correlation_id(self) -> str | None:
        """Return the caller's correlation id if it has the shape of one and holds no CPF."""
        value = self._values.get(b"correlation-id")
        if value is None or CORRELATION.fullmatch(value) is None:
            return None
        text = value.decode("ascii")
        return None if holds_cpf(text) else text

    def trace_id(self) -> str:
        """Return the trace id of a valid `traceparent`, or an empty text (W3C: start anew)."""
        value = self._values.get(b"traceparent")
        match = TRACEPARENT.fullmatch(value) if value is not None else None
        if match is None or match[1] == b"ff" or (match[1] == b"00" and match[4]):
            return ""
        if not match[2].strip(b"0") or not match[3].strip(b"0"):
            return ""
        return match[2].decode("ascii")

    def _joined(self, name: bytes) -> bytes:
        if len(self._values) == len(self._pairs):
            return self._values[name]
        return b",".join(value for known, value in self._pairs if known == name)


@lru_cache(CACHED)
def accepts_json(value: bytes) -> bool:
    """Tell whether an Accept header allows application/json."""
    return any(name in ACCEPTED and weight > 0 for name, weight in _weighted(value))


@lru_cache(CACHED)
def preferred_language(value: bytes) -> str:
    """Return `en` when English has more weight than Portuguese, else `pt-BR`."""
    weights = {b"en": 0.0, b"pt": 0.0}
    for name, weight in _weighted(value):
        language = name.partition(b"-")[0]
        if language in weights:
            weights[language] = max(weights[language], weight)
    return "en" if weights[b"en"] > weights[b"pt"] else "pt-BR"


def _weighted(value: bytes) -> list[tuple[bytes, float]]:
    return [_weight(part) for part in value.lower().split(b",")]


def _weight(part: bytes) -> tuple[bytes, float]:
    name, *parameters = (piece.strip() for piece in part.split(b";"))
    for parameter in parameters:
        if parameter.startswith(b"q="):
            quality = re.fullmatch(rb"q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)", parameter)
            return name, float(quality[1]) if quality else 0.0
    return name, 1.0
