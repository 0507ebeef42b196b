"""A histogram with fixed buckets: one bisection and one addition an observation."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import Final

#: The service levels ask for exact bounds at 0.2, 0.4 and 0.5 s.
SECONDS: Final = (
    0.0005, 0.001, 0.002, 0.003, 0.004, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075,
    0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5, 5.0, 10.0, 30.0,
)  # fmt: skip
BYTES: Final = tuple(float(4**power) for power in range(3, 15))
COUNTS: Final = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0)


def bounds_for(name: str) -> Sequence[float]:
    """Return the bucket bounds for the unit that ends a metric's name."""
    if name.endswith("_seconds"):
        return SECONDS
    return BYTES if name.endswith("_bytes") else COUNTS


class Histogram:
    """Counts per bucket; the last bucket has no upper bound."""

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def observe(self, value: float) -> None:
        """Count one observation into the first bucket whose bound is not below it."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value

    @property
    def total(self) -> int:
        """The number of observations."""
        return sum(self.counts)

    def quantile(self, fraction: float) -> float:
        """
        Return an estimate of a quantile, linear within its bucket; 0 without observations.

        Above the last bound the last bound is returned, as Prometheus does.
        """
        rank, below = fraction * self.total, 0
        if not self.total:
            return 0.0
        for place, count in enumerate(self.counts[:-1]):
            if count and below + count >= rank:
                lower = self.bounds[place - 1] if place else 0.0
                return lower + (self.bounds[place] - lower) * (rank - below) / count
            below += count
        return self.bounds[-1]


def merged(histograms: Iterable[Histogram], bounds: Sequence[float]) -> Histogram:
    """Return the histogram of all observations together; all have the same bounds."""
    result = Histogram(bounds)
    for each in histograms:
        result.counts = [mine + its for mine, its in zip(result.counts, each.counts, strict=True)]
        result.sum += each.sum
    return result
