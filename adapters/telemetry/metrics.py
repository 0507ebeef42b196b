"""
Counters, gauges and histograms of this process, and their Prometheus text.

Bounded: a metric has at most `SERIES_MAX` label sets; what comes after is counted apart.
"""

import re
from collections.abc import Iterator, Mapping
from threading import Lock
from typing import Final

from adapters.telemetry.histogram import Histogram, bounds_for, merged

SERIES_MAX: Final = 1_000
NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,99}", re.ASCII)
#: Label values come from closed sets of ours, so anything longer or odder is a mistake.
LABEL: Final = re.compile(r"[A-Za-z0-9_.:/{}-]{0,80}", re.ASCII)
OTHER: Final = "other"
#: What did not fit is counted here, so that it is seen.
DROPPED: Final = "telemetry_dropped_total"

Labels = tuple[tuple[str, str], ...]
Series = tuple[str, Labels]


class Metrics:
    """Holds every series; safe to use from several threads, and never raises."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._numbers: dict[Series, float] = {}
        self._histograms: dict[Series, Histogram] = {}
        self._kinds: dict[str, str] = {}
        self._sizes: dict[str, int] = {}

    def count(self, name: str, amount: float, labels: Mapping[str, str]) -> None:
        """Add to a counter."""
        key = (name, tuple(labels.items()))
        with self._lock:
            if key in self._numbers:
                self._numbers[key] += amount
            elif (fresh := self._admitted(key, "counter")) is not None:
                self._numbers[fresh] = self._numbers.get(fresh, 0.0) + amount

    def gauge(self, name: str, value: float, labels: Mapping[str, str]) -> None:
        """Set a level."""
        key = (name, tuple(labels.items()))
        with self._lock:
            if key in self._numbers:
                self._numbers[key] = value
            elif (fresh := self._admitted(key, "gauge")) is not None:
                self._numbers[fresh] = value

    def observe(self, name: str, value: float, labels: Mapping[str, str]) -> None:
        """Record an observation."""
        key = (name, tuple(labels.items()))
        with self._lock:
            held = self._histograms.get(key)
            if held is None and (fresh := self._admitted(key, "histogram")) is not None:
                held = self._histograms.setdefault(fresh, Histogram(bounds_for(name)))
            if held is not None:
                held.observe(value)

    def value(self, name: str, **labels: str) -> float:
        """Return the sum of a counter or gauge over the series that have these labels."""
        with self._lock:
            return sum(
                number
                for (known, held), number in self._numbers.items()
                if known == name and labels.items() <= dict(held).items()
            )

    def histogram(self, name: str, **labels: str) -> Histogram:
        """Return all observations of a metric together, over the series that have these labels."""
        with self._lock:
            found = (
                held
                for (known, own), held in self._histograms.items()
                if known == name and labels.items() <= dict(own).items()
            )
            return merged(found, bounds_for(name))

    def text(self) -> str:
        """Return every series in the Prometheus text format."""
        with self._lock:
            lines = sorted([*self._number_lines(), *self._histogram_lines()])
            kinds = dict(self._kinds)
        return "".join(f"{line}\n" for line in _with_types(lines, kinds))

    def _admitted(self, key: Series, kind: str) -> Series | None:
        """Return the cleaned form of a new series, or None when there are too many."""
        name, labels = key
        cleaned = (name, tuple((label, _clean(value)) for label, value in labels))
        if not _is_known_form(cleaned) or self._kinds.setdefault(name, kind) != kind:
            self._count_dropped()
            return None
        if cleaned in self._numbers or cleaned in self._histograms:
            return cleaned
        if self._sizes.get(name, 0) >= SERIES_MAX:
            self._count_dropped()
            return None
        self._sizes[name] = self._sizes.get(name, 0) + 1
        return cleaned

    def _count_dropped(self) -> None:
        self._kinds[DROPPED] = "counter"
        self._numbers[DROPPED, ()] = self._numbers.get((DROPPED, ()), 0.0) + 1

    def _number_lines(self) -> Iterator[tuple[str, str]]:
        for (name, labels), number in self._numbers.items():
            yield name, f"{name}{_braces(labels)} {_number(number)}"

    def _histogram_lines(self) -> Iterator[tuple[str, str]]:
        for (name, labels), held in self._histograms.items():
            yield name, "\n".join(_histogram_text(name, labels, held))


def _histogram_text(name: str, labels: Labels, held: Histogram) -> Iterator[str]:
    so_far = 0
    bounds = (*(_number(bound) for bound in held.bounds), "+Inf")
    for bound, count in zip(bounds, held.counts, strict=True):
        so_far += count
        yield f"{name}_bucket{_braces((*labels, ('le', bound)))} {so_far}"
    yield f"{name}_sum{_braces(labels)} {held.sum!r}"
    yield f"{name}_count{_braces(labels)} {so_far}"


def _with_types(lines: list[tuple[str, str]], kinds: Mapping[str, str]) -> Iterator[str]:
    before = ""
    for name, line in lines:
        if name != before:
            yield f"# TYPE {name} {kinds[name]}"
            before = name
        yield line


def _is_known_form(series: Series) -> bool:
    name, labels = series
    return NAME.fullmatch(name) is not None and all(NAME.fullmatch(label) for label, _ in labels)


def _clean(value: object) -> str:
    return value if isinstance(value, str) and LABEL.fullmatch(value) else OTHER


def _braces(labels: Labels) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{value}"' for name, value in labels) + "}"


def _number(value: float) -> str:
    return repr(int(value)) if value == int(value) else repr(value)
