"""
Scorecards: whole points per attribute, a clamped score, a probability and the points lost.

The model is a file of its own (FORMAT.md section 7), checked completely when it is read.
"""

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final

from decision_engine.policy import strict_json
from decision_engine.policy.barred import barred_in
from decision_engine.policy.findings import Notes, PolicyError
from decision_engine.policy.limits import SCORE_STEPS
from decision_engine.policy.odds import Scale
from decision_engine.policy.shapes import (
    dotted,
    object_of,
    objects_of,
    only,
    text_of,
    whole_of,
)
from decision_engine.policy.values import Scalar, plain
from domain.canonical import sha256_text

_DECIMAL: Final = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,12})?", re.ASCII)
_POINTS: Final = 1_000_000
_VERSIONS: Final = 1_000_000_000
_MODEL: Final = (
    *("id", "version", "base_points", "attributes", "scale", "clamp"),
    *("description", "fitted"),
)
_ATTRIBUTE: Final = ("name", "code", "family", "bins", "missing_points", "reference")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """Values that get the same points: `low <= x < high`, or one of `values`."""

    low: Decimal | None = None
    high: Decimal | None = None
    values: tuple[str | bool, ...] = ()
    points: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """One field of a scorecard; `missing_points` None means: without it there is no score."""

    name: str
    code: str
    family: str
    bins: tuple[Bin, ...]
    missing_points: int | None
    _highs: tuple[Decimal, ...] = field(init=False, repr=False)
    _points: dict[str | bool, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        highs = tuple(item.high for item in self.bins if item.high is not None)
        object.__setattr__(self, "_highs", highs)
        points = {value: item.points for item in self.bins for value in item.values}
        object.__setattr__(self, "_points", points)

    @property
    def numeric(self) -> bool:
        """Tell whether the bins are ranges of numbers."""
        return not self._points

    @property
    def highs(self) -> tuple[Decimal, ...]:
        """The upper bounds of the bins of a number, where they have one."""
        return self._highs

    @property
    def best(self) -> int:
        """The reference for points lost: the most that a bin gives."""
        return max(item.points for item in self.bins)

    def points(self, value: Scalar) -> int | None:
        """Return the points of a value, None when no bin knows it."""
        if isinstance(value, Decimal):
            return self.bins[bisect_right(self._highs, value)].points
        return self._points.get(value)


@dataclass(frozen=True, slots=True)
class Loss:
    """What one attribute got and lost against its best bin."""

    attribute: str
    code: str
    family: str
    points: int
    lost: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorecard:
    """A model that was read and checked; `hash` is over the bytes of its file."""

    id: str
    version: int
    hash: str
    base_points: int
    attributes: tuple[Attribute, ...]
    scale: Scale
    low: int
    high: int
    _pds: tuple[Decimal, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_pds", self.scale.pds(self.low, self.high))

    @classmethod
    def parse(cls, raw: bytes) -> "Scorecard":
        """
        Read a model file.

        Raises:
            PolicyError: with every fault: unknown fields, barred attributes, bins with a gap or
                an overlap, points that are not whole, odds out of all bounds.
        """
        record = strict_json.load(raw)
        notes = Notes()
        parts = _parts(object_of(record, "a scorecard", notes), notes)
        if notes.found:
            raise PolicyError(notes.found)
        try:
            return cls(hash=sha256_text(raw), **parts)
        except ArithmeticError as error:
            notes.error("odds out of all bounds: pdo is small, or base_score far from the clamp")
            raise PolicyError(notes.found) from error

    def clamped(self, raw: int) -> int:
        """Return the score inside the clamp."""
        return min(max(raw, self.low), self.high)

    def pd(self, score: int) -> Decimal:
        """Return the probability of default of a clamped score, six decimals."""
        return self._pds[score - self.low]


def _parts(record: dict[str, Any], notes: Notes) -> dict[str, Any]:
    only(record, _MODEL, "a scorecard", notes)
    low, high = _clamp(record.get("clamp"), notes)
    return {
        "id": text_of(record, "id", "a scorecard", notes),
        "version": whole_of(record.get("version"), "version", 1, _VERSIONS, notes),
        "base_points": _whole(record.get("base_points"), "base_points", notes),
        "attributes": _attributes(record.get("attributes"), notes),
        "scale": _scale(object_of(record.get("scale"), "scale", notes), notes),
        "low": low,
        "high": high,
    }


def _whole(value: Any, what: str, notes: Notes) -> int:
    return whole_of(value, what, -_POINTS, _POINTS, notes)


def _clamp(value: Any, notes: Notes) -> tuple[int, int]:
    if isinstance(value, list) and len(value) == 2:  # noqa: PLR2004
        low, high = (_whole(item, "clamp", notes) for item in value)
        if 0 < high - low <= SCORE_STEPS:
            return low, high
    notes.error(f"clamp must be [low, high], whole numbers at most {SCORE_STEPS} apart")
    return 0, 0


def _scale(record: dict[str, Any], notes: Notes) -> Scale:
    only(record, ("pdo", "base_score", "base_odds"), "scale", notes)
    pdo, score, odds = (
        _decimal(record.get(name), name, notes) for name in ("pdo", "base_score", "base_odds")
    )
    if pdo <= 0 or odds <= 0:
        notes.error("pdo and base_odds must be above zero")
    return Scale(pdo, score, odds)


def _decimal(value: Any, what: str, notes: Notes) -> Decimal:
    text = str(value) if type(value) is int else value
    if isinstance(text, str) and _DECIMAL.fullmatch(text) is not None:
        return Decimal(text)
    notes.error(f'{what} must be a whole number or decimal text like "12.5"')
    return Decimal(0)


def _attributes(value: Any, notes: Notes) -> tuple[Attribute, ...]:
    records = objects_of(value, "attributes", notes)
    attributes = tuple(_attribute(record, notes) for record in records)
    names = [item.name for item in attributes]
    if not names or len(set(names)) < len(names):
        notes.error("a scorecard needs attributes, each with a name of its own")
    return attributes


def _attribute(record: dict[str, Any], notes: Notes) -> Attribute:
    name = dotted(record.get("name"), "the name of an attribute", notes)
    notes = notes.at(row=name)
    only(record, _ATTRIBUTE, "an attribute", notes)
    if term := barred_in(name):
        notes.error(f'"{name}" may not enter a score: "{term}" is barred')
    if record.get("reference") != "max":
        notes.error('reference must be "max": points are lost against the best bin')
    bins = tuple(_bin(item, notes) for item in objects_of(record.get("bins"), "bins", notes))
    _check_bins(bins, notes)
    return Attribute(
        name=name,
        code=text_of(record, "code", "an attribute", notes),
        family=text_of(record, "family", "an attribute", notes),
        bins=bins,
        missing_points=_missing_points(record, bins, notes),
    )


def _missing_points(record: dict[str, Any], bins: tuple[Bin, ...], notes: Notes) -> int | None:
    value = record.get("missing_points", "")
    if value is None:
        return None
    points = _whole(value, "missing_points (write null for none)", notes)
    if bins and points > max(item.points for item in bins):
        notes.error("missing_points above the best bin would reward missing data")
    return points


def _bin(record: dict[str, Any], notes: Notes) -> Bin:
    only(record, ("from", "to", "values", "points"), "a bin", notes)
    points = _whole(record.get("points"), "points", notes)
    if "values" not in record:
        low, high = (_end(record, name, notes) for name in ("from", "to"))
        return Bin(low=low, high=high, points=points)
    values = record["values"]
    if not isinstance(values, list) or not values or {"from", "to"} & record.keys():
        notes.error("a bin has from and to, or a list of values")
        return Bin(points=points)
    if not all(isinstance(item, str | bool) for item in values):
        notes.error("the values of a bin are texts or booleans")
        return Bin(points=points)
    return Bin(values=tuple(values), points=points)


def _end(record: dict[str, Any], name: str, notes: Notes) -> Decimal | None:
    if name not in record:
        notes.error(f'a bin needs "{name}" (null is open)')
        return None
    value = record[name]
    return None if value is None else _decimal(value, name, notes)


def _check_bins(bins: tuple[Bin, ...], notes: Notes) -> None:
    values = [value for item in bins for value in item.values]
    if not values:
        _check_ranges(bins, notes)
    elif len(set(values)) < len(values) or not all(item.values for item in bins):
        notes.error("each value stands in one bin, and every bin has values")
    elif len({type(value) for value in values}) > 1:
        notes.error("the values of an attribute have one type")


def _check_ranges(bins: tuple[Bin, ...], notes: Notes) -> None:
    if not bins or bins[0].low is not None or bins[-1].high is not None:
        notes.error("the bins must begin and end with null (open)")
        return
    for one, next_one in pairwise(bins):
        if one.high is None or next_one.low != one.high:
            place = "null" if one.high is None else plain(one.high)
            notes.error(f"the bins have a gap or an overlap after {place}")
        elif one.low is not None and one.low >= one.high:
            notes.error(f"the bin that ends at {plain(one.high)} is empty")
