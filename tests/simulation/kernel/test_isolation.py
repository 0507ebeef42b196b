"""The model database does what READ COMMITTED on InnoDB does, in every order of events tried."""

from functools import partial

import pytest

from adapters.stores.model.database import Database
from tests.simulation.kernel.faults import Faults
from tests.simulation.kernel.isolation.lab import TABLES, Lab, Scenario, Sql
from tests.simulation.kernel.isolation.scenarios import SCENARIOS
from tests.simulation.kernel.loop import run
from tests.simulation.kernel.store_faults import StoreFaults

SEEDS = 25


async def play(scenario: Scenario, database: Database) -> None:
    async def connect(name: str) -> Sql:
        return database.connect(name)

    async with Lab(connect) as lab:
        await scenario(lab)
    assert database.leftovers() == []


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda each: each.__name__)
def test_without_interleaving(scenario: Scenario) -> None:
    run(0, partial(play, scenario, Database(TABLES)), order="fifo")


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda each: each.__name__)
def test_in_many_orders(scenario: Scenario) -> None:
    for seed in range(SEEDS):
        hooks = StoreFaults(Faults(seed), "db")
        run(seed, partial(play, scenario, Database(TABLES, hooks)))
