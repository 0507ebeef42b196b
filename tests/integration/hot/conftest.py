"""DynamoDB Local, started once, and a table of each test's own."""

from collections.abc import Iterator
from itertools import count

import pytest

from adapters.stores.dynamodb.storage import DynamoStorage
from tests.integration.hot.stores import client_of, soon, store_on
from tests.integration.shared.caches import Loop
from tests.services.provided import provided

_NUMBERS = count()


@pytest.fixture(scope="package")
def url() -> Iterator[str]:
    with provided("dynamodb") as servers:
        yield servers["dynamodb"].settings["DYNAMODB_ENDPOINT"]


@pytest.fixture
def table(url: str, loop: Loop) -> str:
    """A table that is made and empty."""
    name = f"hot-{next(_NUMBERS)}"
    with client_of(url, loop) as client, store_on(client, loop, name) as store:
        loop(store.create(soon()))
    return name


@pytest.fixture
def store(url: str, loop: Loop, table: str) -> Iterator[DynamoStorage]:
    with client_of(url, loop) as client, store_on(client, loop, table) as made:
        yield made
