"""Every promise of the port `DataStorage`, on a real Cassandra: the shared suite."""

from collections.abc import Iterator

import pytest

from domain.ports.storage import DataStorage
from tests.contracts import test_data_storage
from tests.contracts.opened import HandClock, Opened
from tests.integration.shared.caches import Loop
from tests.integration.wide.stores import Server, store_on

globals().update(
    {name: test for name, test in vars(test_data_storage).items() if name[:5] == "test_"}
)


@pytest.fixture
def storage(server: Server, loop: Loop) -> Iterator[Opened[DataStorage]]:
    clock = HandClock()
    with store_on(server.address, loop, clock=clock) as store:
        yield Opened(store, clock, loop)
