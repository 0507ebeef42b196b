"""All scenarios: run them on every database that claims to be one."""

from typing import Final

from tests.simulation.kernel.isolation import (
    ending,
    gaps,
    keys,
    reading,
    scanning,
    upserting,
    waiting,
)
from tests.simulation.kernel.isolation.lab import Scenario

SCENARIOS: Final[tuple[Scenario, ...]] = (
    *reading.SCENARIOS,
    *waiting.SCENARIOS,
    *scanning.SCENARIOS,
    *keys.SCENARIOS,
    *gaps.SCENARIOS,
    *upserting.SCENARIOS,
    *ending.SCENARIOS,
)
