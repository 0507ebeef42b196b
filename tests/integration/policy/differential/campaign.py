"""Many pairs of one seed, judged and counted."""

import itertools
import statistics
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from decision_engine.policy.findings import PolicyError
from tests.integration.policy.differential.compare import Verdict, judge
from tests.integration.policy.differential.coverage import features
from tests.integration.policy.differential.generator import Sample, policy
from tests.integration.policy.differential.inputs import Case, case
from tests.integration.policy.differential.prepare import Prepared

#: Inputs of one policy.
INPUTS: Final = 20
#: Our checks refuse a few of the policies, such as two rows of a unique table that overlap.
ATTEMPTS: Final = 20


@dataclass(slots=True)
class Report:
    """What a campaign has counted; `faults` has the first unexplained differences."""

    seed: int
    pairs: int = 0
    faulty: int = 0
    near: int = 0
    excused: int = 0
    withholding: int = 0
    items: int = 0
    unexplained: int = 0
    refused: int = 0
    sizes: list[int] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    features: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def add(self, label: str, one: Case, verdict: Verdict) -> None:
        """Count one pair."""
        self.pairs += 1
        self.faulty += bool(one.faulty)
        self.near += bool(one.near)
        self.excused += bool(verdict.excuses)
        self.withholding += bool(verdict.withheld)
        self.items += verdict.compared
        self.unexplained += bool(verdict.faults)
        self.kinds.update(verdict.excuses)
        self.features.update(verdict.features)
        if verdict.faults and len(self.faults) < 10:
            self.faults.append(f"{label}: {'; '.join(verdict.faults[:3])}")

    def gaps(self, least: int) -> dict[str, int]:
        """Return the parts of the language that fewer pairs than this have used."""
        return {n: self.features[n] for n in sorted(features()) if self.features[n] < least}


def pairs(seed: int) -> Iterator[tuple[str, Prepared, Case]]:
    """Yield the pairs of a seed, without end, each with a label that repeats it."""
    for number in itertools.count():
        sample, prepared = published(seed, number)
        for index in range(INPUTS):
            one = case((seed, number, index), sample.inputs, prepared.thresholds, prepared.reads)
            yield f"seed {seed} policy {number} input {index}", prepared, one


def published(seed: int, number: int) -> tuple[Sample, Prepared]:
    """Return a policy that our checks let pass: the first that does, of a few drawn."""
    refusals: list[str] = []
    for attempt in range(ATTEMPTS):
        sample = policy(seed, number, attempt)
        try:
            return sample, Prepared(sample.document, sample.models, attempt)
        except PolicyError as error:
            refusals.append(str(error))
    raise AssertionError(refusals)


def run(seed: int, count: int, *, stop: bool = False) -> Report:
    """Judge this many pairs; `stop` ends with the first that nothing explains."""
    report = Report(seed)
    for label, prepared, one in pairs(seed):
        if not one.number:
            report.sizes.append(len(prepared.document["nodes"]))
            report.refused += prepared.attempt
        report.add(label, one, judge(prepared, one))
        if report.pairs == count or (stop and report.unexplained):
            break
    return report


def summary(report: Report) -> dict[str, Any]:
    """Return the figures of a campaign."""
    shares = ("faulty", "near", "excused", "withholding")
    used = sorted((report.features[name], name) for name in features())
    return {
        "pairs": report.pairs,
        "unexplained": report.unexplained,
        **{name: round(getattr(report, name) / report.pairs, 4) for name in shares},
        "policies": len(report.sizes),
        "refused": report.refused,
        "median_nodes": statistics.median(report.sizes),
        "compared": report.items,
        "kinds": dict(report.kinds.most_common()),
        "used": {name: count for count, name in used},
    }
