"""The promise about a whole campaign, for the suites and for full counts."""

from collections.abc import Mapping
from typing import Any, Final

from tests.integration.policy.differential.campaign import run, summary

NEAR: Final = 0.30
FAULTY: Final = 0.20
EXCUSED: Final = 0.05
MEDIAN_NODES: Final = 8
REFUSED: Final = 0.05
#: One pair in so many must use each part of the language: 500 of 100,000.
USED: Final = 200


def check_differential(count: int, seed: int) -> Mapping[str, Any]:
    """
    Judge this many pairs and return the figures.

    Raises:
        AssertionError: a difference that nothing explains, too many excuses or refused policies,
            inputs that are too tame, or a part of the language that too few pairs have used.
    """
    report = run(seed, count)
    found = summary(report)
    assert not report.unexplained, (found, report.faults)
    gaps = report.gaps(-(-count // USED))
    assert not gaps, gaps
    assert found["excused"] <= EXCUSED, found
    assert found["near"] >= NEAR, found
    assert found["faulty"] >= FAULTY, found
    assert found["median_nodes"] >= MEDIAN_NODES, found
    assert found["refused"] <= REFUSED * found["policies"], found
    return {"seed": seed, **found}
