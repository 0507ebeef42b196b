"""One Cassandra for this folder, with the schema, and its table empty for each test."""

from collections.abc import Iterator

import pytest

from tests.integration.shared.caches import Loop
from tests.integration.wide.stores import Server, address_of, operated
from tests.services.provided import provided


@pytest.fixture(scope="package")
def cassandra() -> Iterator[Server]:
    with provided("cassandra") as servers, operated(address_of(servers["cassandra"].settings)) as s:
        yield s


@pytest.fixture
def server(cassandra: Server) -> Server:
    cassandra.clear()
    return cassandra


@pytest.fixture
def loop() -> Iterator[Loop]:
    with Loop() as running:
        yield running
