"""The isolation scenarios of the model database, on a real server: so the model is kept honest."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest

from tests.contracts.mysql import Server
from tests.integration.truth.sessions import Playground
from tests.simulation.kernel.isolation.lab import Lab, Scenario, Sql
from tests.simulation.kernel.isolation.scenarios import SCENARIOS

T = TypeVar("T")


@pytest.fixture(scope="session")
def playground(server: Server) -> Playground:
    return Playground.prepared(server)


async def play(scenario: Scenario, playground: Playground) -> None:
    observer = await playground.session()

    async def connect(_: str) -> Sql:
        return await playground.session()

    async def start(statement: Coroutine[Any, Any, T], /) -> asyncio.Task[T]:
        before = await observer.waits()
        task = asyncio.create_task(statement)
        while not task.done() and await observer.waits() <= before:
            pass
        return task

    try:
        async with Lab(connect, start) as lab:
            await scenario(lab)
    finally:
        await observer.close()


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda each: each.__name__)
def test_the_server_does_what_the_model_does(scenario: Scenario, playground: Playground) -> None:
    playground.empty()
    asyncio.run(play(scenario, playground))
