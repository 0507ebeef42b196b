"""Structured logs: one JSON object a line, with the request it belongs to and nothing personal."""

import json
from collections.abc import Callable, Mapping
from typing import Final, Protocol

from adapters.telemetry.context import correlation_id, trace_id
from adapters.telemetry.faults import places, type_chain
from adapters.telemetry.fields import CODE, FIELDS, Shape, clean, clean_text
from domain.instants import instant_micros
from domain.ports.time import Clock

LEVELS: Final[Mapping[str, int]] = {"debug": 10, "info": 20, "warning": 30, "error": 40}

#: The innermost places find a bug, and keep the line short.
PLACES_MAX: Final = 6

#: Decides whether a line of (level, event name) is written; the place for sampling.
Sampler = Callable[[str, str], bool]


class Lines(Protocol):
    """Takes finished lines."""

    def put(self, line: str) -> None:
        """Take one line; never blocks, never raises."""


def at_least(level: str) -> Sampler:
    """Return a sampler that keeps a level and those above it."""
    lowest = LEVELS[level]
    return lambda name, _: LEVELS.get(name, lowest) >= lowest


class Logs:
    """
    Writes events as lines of JSON: `at`, `level`, `event`, ids of the request, declared fields.

    Undeclared fields are left out and counted in the line, values of another shape are redacted.
    """

    def __init__(
        self,
        lines: Lines,
        clock: Clock,
        sampler: Sampler | None = None,
        fields: Mapping[str, Shape] = FIELDS,
    ) -> None:
        self._lines = lines
        self._clock = clock
        self._keeps = sampler or at_least("info")
        self._fields = fields

    def event(self, name: str, level: str, fields: Mapping[str, object]) -> None:
        """Write one line; never raises."""
        if not self._keeps(level, name):
            return
        line: dict[str, object] = {
            "at": instant_micros(self._clock.now()),
            "level": level if level in LEVELS else "info",
            "event": clean_text(name, CODE),
        }
        line |= _request()
        line |= self._declared(fields)
        self._lines.put(json.dumps(line, separators=(",", ":")))

    def fault(self, name: str, error: BaseException, **fields: object) -> None:
        """Write what failed and where: type names and places in the code, never a value."""
        found = "|".join(places(error.__traceback__)[-PLACES_MAX:]) or "none"
        self.event(name, "error", {**fields, "error_type": type_chain(error), "places": found})

    def _declared(self, fields: Mapping[str, object]) -> dict[str, object]:
        known: dict[str, object] = {
            name: clean(self._fields[name], value)
            for name, value in fields.items()
            if name in self._fields
        }
        if len(known) < len(fields):
            known["undeclared"] = len(fields) - len(known)
        return known


def _request() -> dict[str, object]:
    ids = {"correlation_id": correlation_id.get(), "trace_id": trace_id.get()}
    return {name: value for name, value in ids.items() if value}
