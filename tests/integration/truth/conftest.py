"""The real server of the suites of the store of truth."""

from collections.abc import Iterator

import pytest

from tests.contracts.mysql import DRIVERS, Server
from tests.contracts.truth_adapters import Store
from tests.services.provided import provided


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A database on a real server, for all tests of a process."""
    with provided("mariadb") as servers:
        yield Server.prepared(servers["mariadb"].settings["MYSQL_URL"])


@pytest.fixture(params=DRIVERS)
def store(request: pytest.FixtureRequest, server: Server) -> Iterator[Store]:
    """The store of truth on that server by each driver, open and empty."""
    with server.driven(request.param) as opened:
        yield Store(opened)
