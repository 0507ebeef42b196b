"""One Cassandra for this folder, with the schema, and its table empty for each test."""

from collections.abc import Iterator

import pytest

from tests.integration.wide.stores import Server, address_of, operated
from tests.services.lasting import Lasting
from tests.services.provided import provided_lasting


@pytest.fixture(scope="package")
def process() -> Iterator[Lasting]:
    """The server's process; whoever ends it brings it back."""
    with provided_lasting("cassandra") as made:
        yield made


@pytest.fixture(scope="package")
def cassandra(process: Lasting) -> Iterator[Server]:
    with operated(address_of(process.settings)) as made:
        yield made


@pytest.fixture
def server(cassandra: Server) -> Server:
    cassandra.clear()
    return cassandra
