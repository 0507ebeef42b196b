"""
Histories by the hundred, each from its seed: what they reach, what they break, what they cost.

`check_seeds` is for tests, `prove` for `make prove`.
"""

import gc
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from decision_engine.case import CreditCase
from tests.simulation.kernel.faults import Faults
from tests.simulation.kernel.loop import run
from tests.simulation.platform.checker import violations
from tests.simulation.platform.history import History, World, rough
from tests.simulation.platform.memory import remembered
from tests.simulation.platform.plan import Plan, plan
from tests.simulation.platform.swap import swapped

#: Some thirty times what a history takes; more is a loop without end.
STEPS_MAX: Final = 50_000
SHOWN_MAX: Final = 20
PROVED: Final = 500
#: The generation of what a history made: older objects belong to the program.
YOUNG: Final = 0

Draw = Callable[[int], Plan]
Trouble = Callable[[int], Faults]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of one seed; `history` is None when the simulation itself failed."""

    seed: int
    violations: tuple[str, ...]
    faults: Faults
    history: History | None
    ms: float

    def report(self) -> str:
        """Return what to read when it failed: how to repeat it, what broke, what went before."""
        lines = [f"seed {self.seed}: python -m tests.simulation --seed {self.seed}"]
        lines += [f"  {each}" for each in self.violations[:SHOWN_MAX]]
        return "\n".join([*lines, "faults:", self.faults.report()])


class PromiseBrokenError(AssertionError):
    """A history broke a promise; the message says which, and how to see it again."""


def simulate(seed: int, draw: Draw = plan, trouble: Trouble = rough) -> Result:
    """Draw the plan of a seed, live through it, and judge the history."""
    faults, made = trouble(seed), draw(seed)
    history: History | None = None

    async def live() -> History:
        return await World(made, faults).run()

    started = time.process_time()
    try:
        with swapped(CreditCase, "assess", remembered), uncollected():
            history = run(seed, live, max_steps=STEPS_MAX)
        found = violations(history)
    except Exception as error:  # noqa: BLE001 - a guard that is taken out may break anything
        found = [f"simulation: {type(error).__name__}: {error}"]
    ms = (time.process_time() - started) * 1000
    return Result(seed=seed, violations=tuple(found), faults=faults, history=history, ms=ms)


@contextmanager
def uncollected() -> Iterator[None]:
    """
    Let a history run without the cycle collector, and clean up behind it.

    When it runs depends on the process, so no history may; and a fifth of the time goes into it.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.collect(YOUNG)
        if enabled:
            gc.enable()


def check_seeds(
    seeds: Iterable[int], draw: Draw = plan, trouble: Trouble = rough
) -> Mapping[str, int | float]:
    """
    Live through every seed and return what was reached and what a history cost, in CPU time.

    Raises:
        PromiseBrokenError: the first seed that broke a promise.
    """
    reached: Counter[str] = Counter()
    costs = []
    for seed in seeds:
        result = simulate(seed, draw, trouble)
        if result.violations:
            raise PromiseBrokenError(result.report())
        costs.append(result.ms)
        reached.update(_reached(result))
    costs.sort()
    return {
        "histories": len(costs),
        "ms_mean": round(sum(costs) / len(costs), 1),
        "ms_median": round(costs[len(costs) // 2], 1),
        **dict(sorted(reached.items())),
    }


def prove(seed: int) -> Mapping[str, int | float]:
    """Live through as many histories as the promise names, from this seed on."""
    return check_seeds(range(seed, seed + PROVED))


def _reached(result: Result) -> Counter[str]:
    reached: Counter[str] = Counter()
    for name, number in result.faults.counts.items():
        _, _, fault = name.partition("!")
        reached[fault or "store calls"] += number
    return reached
