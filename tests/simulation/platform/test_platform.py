"""The whole platform under faults: its promises hold, and each guard is missed when it is gone."""

import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from tests.simulation.platform.campaign import check_seeds, simulate
from tests.simulation.platform.guards import GUARDS, seeds_to_find
from tests.simulation.platform.history import harsh
from tests.simulation.platform.moving import moving_plan

SEEDS = range(int(os.environ.get("SIMULATION_SEEDS", "60")))
ROOT = Path(__file__).parents[3]
FAULTS = {"lost", "landed", "late", "half_open", "refused", "crash", "kill", "outage"}


def test_promises_hold() -> None:
    """500 seeds by `SIMULATION_SEEDS=500`; what a history cost is printed with `-s`."""
    measured = check_seeds(SEEDS)

    sys.stdout.write(f"{measured}\n")
    assert measured.keys() >= FAULTS


def test_promises_hold_when_most_commits_stay_unanswered() -> None:
    check_seeds(SEEDS[::2], trouble=harsh)


@pytest.mark.parametrize("name", GUARDS)
def test_a_guard_that_is_gone_is_missed(name: str) -> None:
    missed = seeds_to_find(GUARDS[name])

    sys.stdout.write(f"{name}: {missed.seeds} seeds, {missed.shown}\n")
    assert missed.shown


def test_exposure_follows_a_customer_whose_cpf_becomes_known() -> None:
    check_seeds(SEEDS, moving_plan)


def fingerprint(seed: int) -> str:
    result = simulate(seed)
    assert result.history is not None
    database = result.history.stores.database
    rows = [database.rows(table) for table in ("credit_decisions", "ledger_batches", "inbox")]
    return repr((sorted(result.faults.counts.items()), result.history.stores.log, rows))


def test_a_history_does_not_depend_on_the_hash_seed() -> None:
    program = (
        "from tests.simulation.platform.test_platform import fingerprint;"
        "print([fingerprint(seed) for seed in range(4)])"
    )
    run = partial(
        subprocess.run,
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
    )
    outputs = {run(env={"PYTHONHASHSEED": n, "PYTHONPATH": str(ROOT)}).stdout for n in "12"}

    assert outputs == {f"{[fingerprint(seed) for seed in range(4)]}\n"}
