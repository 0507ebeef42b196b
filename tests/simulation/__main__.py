"""Run the simulation by hand: one history with its trace, or many with their sum."""

import argparse
import sys
from collections.abc import Sequence

from tests.simulation.platform.campaign import PromiseBrokenError, check_seeds, simulate
from tests.simulation.platform.guards import GUARDS, seeds_to_find
from tests.simulation.platform.history import harsh, rough
from tests.simulation.platform.moving import moving_plan
from tests.simulation.platform.plan import plan
from tests.simulation.platform.trace import trace


def main(arguments: Sequence[str]) -> int:
    options = _options(arguments)
    draw = moving_plan if options.moving else plan
    trouble = harsh if options.harsh else rough
    if options.guards:
        return _miss_guards(options.first)
    if options.seed is not None:
        result = simulate(options.seed, draw, trouble)
        _show(trace(result))
        return 1 if result.violations else 0
    try:
        seeds = range(options.first, options.first + options.seeds)
        measured = check_seeds(seeds, draw, trouble)
    except PromiseBrokenError as error:
        _show(str(error))
        return 1
    _show("\n".join(f"{name:<12}{value:>10}" for name, value in measured.items()))
    return 0


def _miss_guards(first_seed: int) -> int:
    found = {name: seeds_to_find(guard, first_seed) for name, guard in GUARDS.items()}
    for name, result in found.items():
        _show(f"{name:<44}{result.seeds:>4} seeds  {result.shown}"[:150])
    return 0 if all(result.shown for result in found.values()) else 1


def _show(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make simulate", description=__doc__)
    parser.add_argument("--seed", type=int, help="show one history")
    parser.add_argument("--seeds", type=int, default=60, help="how many histories to check")
    parser.add_argument("--first", type=int, default=0, help="the first seed of them")
    parser.add_argument("--moving", action="store_true", help="a customer joins a person late")
    parser.add_argument("--harsh", action="store_true", help="most COMMITs stay unanswered")
    parser.add_argument("--guards", action="store_true", help="take out each guard in turn")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
