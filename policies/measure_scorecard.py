"""
Measure the behaviour scorecard: `python -m policies.measure_scorecard`.

The recipe is judged by five folds over the whole book, everything fitted inside the fold; the
committed file is judged on the 30 % of the customers that it has never seen.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import inf
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold

from adapters.bootstrap.shipped import DemoData
from adapters.inbound.cli.demo.book import SEED
from decision_engine.policy.scorecard import Scorecard
from policies.fit_scorecard import SCORECARD, Book, Floats, Whole, fit, load

FOLDS: Final = 5
#: The policy's bands: names, and the PD at which each ends; the last is below the cut-off.
BANDS: Final = (
    ("A", 0.07), ("B", 0.10), ("C", 0.14), ("D", 0.20), ("E", 0.27), ("none", inf),
)  # fmt: skip
#: Two-sided 95 % of a normal distribution.
DEVIATIONS: Final = 1.959964


@dataclass(frozen=True, slots=True)
class Band:
    """What was foretold and what came true among the customers of one band."""

    name: str
    customers: int
    expected: float
    observed: float

    @property
    def error(self) -> float:
        """Observed bad rate less the mean probability of default."""
        return self.observed - self.expected

    @property
    def half_width(self) -> float:
        """Half of the 95 % interval of the bad rate, were the probabilities true."""
        return float(DEVIATIONS * np.sqrt(self.expected * (1 - self.expected) / self.customers))


@dataclass(frozen=True, slots=True)
class Measures:
    """The figures of the scorecard: folds of the recipe, and the committed file held out."""

    fold_aucs: tuple[float, ...]
    held_out_auc: float
    slope: float
    bands: tuple[Band, ...]

    @property
    def mean_auc(self) -> float:
        """The mean over the folds."""
        return float(np.mean(self.fold_aucs))


def measure(book: Book, scorecard: Scorecard) -> Measures:
    """Return every figure."""
    columns, bad = book.at(book.held_out)
    scores = scores_of(scorecard, columns)
    pds = np.array([float(scorecard.pd(int(score))) for score in scores])
    return Measures(
        fold_aucs=tuple(_fold_aucs(book)),
        held_out_auc=_auc(bad, scores),
        slope=slope_of(pds, bad),
        bands=tuple(_bands(pds, bad)),
    )


def scores_of(scorecard: Scorecard, columns: Sequence[Floats]) -> Whole:
    """Return the clamped scores of customers, by the code that decides."""
    return np.array([_score(scorecard, row) for row in zip(*columns, strict=True)], dtype=np.int64)


def slope_of(pds: Floats, bad: Whole) -> float:
    """Return the slope of the labels on the logit of the probabilities; 1 is calibrated."""
    logits = np.log(pds) - np.log1p(-pds)
    model = LogisticRegression(C=1e6, tol=1e-8).fit(logits[:, None], bad)
    return float(model.coef_[0][0])


def read_scorecard(path: Path = SCORECARD) -> Scorecard:
    """Return the committed model."""
    return Scorecard.parse(path.read_bytes())


def main() -> None:
    """Print the table."""
    measures = measure(load(DemoData().taiwan), read_scorecard())
    folds = " ".join(f"{auc:.4f}" for auc in measures.fold_aucs)
    print(f"AUC, 5 folds, seed {SEED}   {measures.mean_auc:.4f}   ({folds})")
    print(f"AUC, held out        {measures.held_out_auc:.4f}")
    print(f"calibration slope    {measures.slope:.3f}")
    print("band  customers  expected  observed     error  95 % interval")
    for band in measures.bands:
        print(
            f"{band.name:<4}  {band.customers:>9}  {band.expected:>8.2%}  {band.observed:>8.2%}"
            f"  {band.error:>+8.2%}  ± {band.half_width:.2%}"
        )


def _fold_aucs(book: Book) -> Iterator[float]:
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=SEED)
    for seen, unseen in folds.split(book.bad, book.bad):
        fitted = fit(*book.at(seen))
        columns, bad = book.at(unseen)
        yield _auc(bad, fitted.scores(columns))


def _auc(bad: Whole, scores: Whole) -> float:
    return float(roc_auc_score(bad, -scores))


def _score(scorecard: Scorecard, row: Sequence[float]) -> int:
    values = zip(scorecard.attributes, row, strict=True)
    points = (attribute.points(Decimal(str(value))) or 0 for attribute, value in values)
    return scorecard.clamped(scorecard.base_points + sum(points))


def _bands(pds: Floats, bad: Whole) -> Iterator[Band]:
    low = 0.0
    for name, high in BANDS:
        inside: npt.NDArray[np.bool_] = (pds >= low) & (pds < high)
        expected, observed = float(pds[inside].mean()), float(bad[inside].mean())
        yield Band(name, int(inside.sum()), expected, observed)
        low = high


if __name__ == "__main__":
    main()
