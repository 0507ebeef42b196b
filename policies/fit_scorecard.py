"""
Fit the behaviour scorecard on 70 % of the demo book: `python -m policies.fit_scorecard`.

Bins of weight of evidence, a logistic regression on them, whole points (docs/scorecard.md). The
run writes `policies/behaviour-scorecard.json`, byte for byte the same on the same library versions.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import ceil, log
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

from adapters.bootstrap.shipped import POLICIES, ROOT, DemoData
from adapters.inbound.cli.demo.applications import is_held_out, read_labels
from adapters.inbound.cli.demo.book import SEED, read_book
from domain.features import LONG_WINDOW, Value
from policies.profiles import feature_rows

SCORECARD: Final = POLICIES / "behaviour-scorecard.json"

PDO: Final = 50
BASE_SCORE: Final = 600
BASE_ODDS: Final = 20
FACTOR: Final = PDO / log(2)
OFFSET: Final = BASE_SCORE - FACTOR * log(BASE_ODDS)

BINS_MAX: Final = 8
#: No bin holds fewer than this share of the customers.
BIN_SHARE_MIN: Final = 0.02
#: Added to an empty cell, so that no weight of evidence is infinite.
CELL_FLOOR: Final = 0.5

Floats = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Attribute:
    """
    One field of the scorecard, as it is wanted before the data have spoken.

    `risk` says how the risk moves when the value rises: 1 up, -1 down, 0 as the data say.
    Bin edges are whole multiples of `grid`.
    """

    name: str
    code: str
    family: str
    risk: int
    grid: Decimal


ATTRIBUTES: Final = (
    Attribute("behaviour.late_now", "R31", "delay", 1, Decimal(1)),
    Attribute("behaviour.late_months_6m", "R32", "delay", 1, Decimal(1)),
    Attribute("behaviour.worst_late_3m", "R33", "delay", 1, Decimal(1)),
    Attribute("payments.total_6m", "R34", "payments", -1, Decimal(10)),
    Attribute("behaviour.paid_months_6m", "R35", "payments", -1, Decimal(1)),
    Attribute("behaviour.utilization_mean_6m", "R36", "utilization", 1, Decimal("0.001")),
    Attribute("behaviour.utilization_trend", "R37", "utilization", 0, Decimal("0.001")),
    Attribute("credit.limit", "R38", "credit_history", -1, Decimal(100)),
)


@dataclass(frozen=True, slots=True)
class Bins:
    """Left-closed bins between the edges, then one for missing values, each with its evidence."""

    edges: tuple[Decimal, ...]
    woe: Floats

    def of(self, values: Floats) -> Whole:
        """Return the bin of each value; a missing value (NaN) has the last one."""
        edges = np.array([float(edge) for edge in self.edges])
        found = np.searchsorted(edges, values, side="right")
        return np.where(np.isnan(values), len(edges) + 1, found).astype(np.int64)

    def evidence(self, values: Floats) -> Floats:
        """Return the weight of evidence of each value."""
        return np.asarray(self.woe[self.of(values)])


@dataclass(frozen=True, slots=True)
class Fit:
    """Points of each bin of each attribute, and what everybody gets."""

    bins: tuple[Bins, ...]
    coefficients: tuple[float, ...]
    points: tuple[tuple[int, ...], ...]
    base_points: int

    def scores(self, columns: Sequence[Floats]) -> Whole:
        """Return the score of each customer."""
        total = np.full(len(columns[0]), self.base_points, dtype=np.int64)
        for bins, points, values in zip(self.bins, self.points, columns, strict=True):
            total += np.array(points)[bins.of(values)]
        return np.clip(total, 0, 1000)


@dataclass(frozen=True, slots=True)
class Book:
    """The book as a scorecard sees it: a column for each attribute, labels, who is held out."""

    columns: tuple[Floats, ...]
    bad: Whole
    held_out: npt.NDArray[np.bool_]

    def at(self, rows: Any) -> tuple[list[Floats], Whole]:
        """Return the columns and the labels of some rows."""
        return [column[rows] for column in self.columns], self.bad[rows]


def derived(row: Mapping[str, Value | None]) -> dict[str, Value | None]:
    """Return the values that the policy makes from features, in its own words (node `derived`)."""
    ratio, limit = row["behaviour.payments_to_limit_6m"], row["credit.limit"]
    if isinstance(ratio, Decimal) and isinstance(limit, Decimal):
        return {"payments.total_6m": ratio * limit * LONG_WINDOW}
    return {"payments.total_6m": None}


def load(path: Path, seed: int = SEED) -> Book:
    """Return the book, its features taken from profiles at the instant the demo opens."""
    borrowers = read_book(path)
    rows = [{**row, **derived(row)} for row in feature_rows(borrowers, seed)]
    labels = read_labels(path)
    ids = [borrower.customer_id for borrower in borrowers]
    return Book(
        columns=tuple(_column(rows, attribute.name) for attribute in ATTRIBUTES),
        bad=np.array([labels[customer] for customer in ids], dtype=np.int64),
        held_out=np.array([is_held_out(customer, seed) for customer in ids]),
    )


def fit(columns: Sequence[Floats], bad: Whole) -> Fit:
    """Return bins, coefficients and points; nothing outside the rows given is looked at."""
    bins = tuple(
        _bins(values, bad, attribute) for values, attribute in zip(columns, ATTRIBUTES, strict=True)
    )
    evidence = np.column_stack([b.evidence(v) for b, v in zip(bins, columns, strict=True)])
    # As good as no penalty: the weights of evidence carry the shrinkage that small bins need.
    model = LogisticRegression(C=1e6, tol=1e-8, max_iter=1000).fit(evidence, bad)
    coefficients = tuple(float(b) for b in model.coef_[0])
    points = tuple(
        tuple(round(-FACTOR * b * woe) for woe in each.woe)
        for b, each in zip(coefficients, bins, strict=True)
    )
    rough = Fit(bins, coefficients, points, round(OFFSET - FACTOR * float(model.intercept_[0])))
    return _calibrated(rough, columns, bad)


def probabilities(scores: Whole) -> Floats:
    """Return the probability of default that the scale gives a score."""
    return np.asarray(1 / (1 + BASE_ODDS * 2 ** ((scores - BASE_SCORE) / PDO)))


def document(fitted: Fit, bad: Whole) -> dict[str, Any]:
    """Return the model file."""
    parts = zip(ATTRIBUTES, fitted.bins, fitted.points, strict=True)
    return {
        "id": "behaviour-scorecard",
        "version": 1,
        "description": "Behaviour on credit cards over six months; made by fit_scorecard.py.",
        "base_points": fitted.base_points,
        "attributes": [_attribute(*part) for part in parts],
        "scale": {"pdo": PDO, "base_score": BASE_SCORE, "base_odds": BASE_ODDS},
        "clamp": [0, 1000],
        "fitted": {
            "data": "UCI 350, default of credit card clients; 70 % of the customers by hash",
            "seed": SEED,
            "customers": len(bad),
            "bad": int(bad.sum()),
            "coefficients": {
                attribute.name: f"{b:.4f}"
                for attribute, b in zip(ATTRIBUTES, fitted.coefficients, strict=True)
            },
        },
    }


def render(model: Mapping[str, Any]) -> str:
    """Return the text of the model file: a bin a line, for people who compare versions."""
    text = json.dumps(model, indent=1, ensure_ascii=False)
    for attribute in model["attributes"]:
        for each in attribute["bins"]:
            text = text.replace(_indented(each), json.dumps(each))
    return text + "\n"


def main() -> None:
    """Write the model file."""
    book = load(DemoData().taiwan)
    columns, bad = book.at(~book.held_out)
    SCORECARD.write_text(render(document(fit(columns, bad), bad)), encoding="utf-8")
    print(f"wrote {SCORECARD.relative_to(ROOT)}, fitted on {len(bad)} customers")


def _column(rows: Iterable[Mapping[str, Value | None]], name: str) -> Floats:
    values = (row[name] for row in rows)
    return np.array([np.nan if value is None else float(value) for value in values])


def _bins(values: Floats, bad: Whole, attribute: Attribute) -> Bins:
    bins = _weighed(_edges(values, bad, attribute), values, bad)
    # Rounded edges can bend what the tree made monotone: join the neighbours that do.
    while (bent := _first_bend(bins.woe[:-1], attribute.risk)) is not None:
        bins = _weighed(bins.edges[:bent] + bins.edges[bent + 1 :], values, bad)
    return bins


def _weighed(edges: tuple[Decimal, ...], values: Floats, bad: Whole) -> Bins:
    found = Bins(edges, np.zeros(len(edges) + 2)).of(values)
    good = np.bincount(found[bad == 0], minlength=len(edges) + 2)
    poor = np.bincount(found[bad == 1], minlength=len(edges) + 2)
    return Bins(edges, np.log(_shares(good)) - np.log(_shares(poor)))


def _first_bend(woe: Floats, risk: int) -> int | None:
    bends = np.flatnonzero(np.diff(woe) * risk > 0)
    return int(bends[0]) if len(bends) else None


def _edges(values: Floats, bad: Whole, attribute: Attribute) -> tuple[Decimal, ...]:
    known = ~np.isnan(values)
    tree = DecisionTreeClassifier(
        max_leaf_nodes=BINS_MAX,
        min_samples_leaf=BIN_SHARE_MIN,
        monotonic_cst=[attribute.risk],
        random_state=SEED,
    ).fit(values[known, None], bad[known])
    cuts = tree.tree_.threshold[tree.tree_.feature >= 0]
    # Up to the next line of the grid: what lay right of a cut between two values still does.
    steps = {ceil(round(float(cut) / float(attribute.grid), 6)) for cut in cuts}
    return tuple(step * attribute.grid for step in sorted(steps))


def _shares(counts: Whole) -> Floats:
    filled = np.maximum(counts, CELL_FLOOR)
    return np.asarray(filled / filled.sum())


def _calibrated(rough: Fit, columns: Sequence[Floats], bad: Whole) -> Fit:
    """Move everybody by whole points until the mean probability is nearest to the bad rate."""
    scores = rough.scores(columns)

    def error(shift: int) -> float:
        return abs(float(probabilities(scores + shift).mean()) - float(bad.mean()))

    shift = min(range(-PDO, PDO + 1), key=error)
    return Fit(rough.bins, rough.coefficients, rough.points, rough.base_points + shift)


def _attribute(attribute: Attribute, bins: Bins, points: Sequence[int]) -> dict[str, Any]:
    ends = [None, *(f"{edge:f}" for edge in bins.edges), None]
    return {
        "name": attribute.name,
        "code": attribute.code,
        "family": attribute.family,
        "reference": "max",
        # Without one of its fields there is no score, so nobody is refused for what we do not know.
        "missing_points": None,
        "bins": [
            {"from": low, "to": high, "points": got}
            for low, high, got in zip(ends, ends[1:], points, strict=False)
        ],
    }


def _indented(each: Mapping[str, Any]) -> str:
    return json.dumps(each, indent=1).replace("\n", "\n    ")


if __name__ == "__main__":
    main()
