"""Every promise of the port `DataStorage`, on DynamoDB Local: the shared suite, on its own."""

from collections.abc import Iterator

import pytest

from adapters.stores.dynamodb.writes import WriteLimits
from domain.ports.storage import DataStorage
from tests.contracts import test_data_storage
from tests.contracts.opened import HandClock, Opened
from tests.integration.hot.stores import client_of, store_on
from tests.integration.shared.caches import Loop

SHARED = {name: test for name, test in vars(test_data_storage).items() if name[:5] == "test_"}
globals().update(SHARED)


@pytest.fixture(params=[100, 1], ids=["together", "alone"])
def storage(
    request: pytest.FixtureRequest, url: str, loop: Loop, table: str
) -> Iterator[Opened[DataStorage]]:
    """The store, with rows of a call written in transactions and one by one."""
    clock, writes = HandClock(), WriteLimits(chunk=request.param)
    with (
        client_of(url, loop, clock=clock) as client,
        store_on(client, loop, table, clock=clock, writes=writes) as made,
    ):
        yield Opened(made, clock, loop)
