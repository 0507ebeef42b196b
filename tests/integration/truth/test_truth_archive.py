"""The promises of tests/contracts/test_truth_archive.py on a real server."""

from collections.abc import Iterator

import pytest

from tests.contracts.mysql import DRIVERS, Server
from tests.contracts.test_truth_archive import *  # noqa: F403  each test of that module
from tests.contracts.truth_adapters import Store


@pytest.fixture(params=DRIVERS)  # type: ignore[no-redef]  # instead of the module's adapters
def store(request: pytest.FixtureRequest, server: Server) -> Iterator[Store]:
    """The store of truth on that server by each driver, open and empty."""
    with server.driven(request.param) as opened:
        yield Store(opened)
