"""The promises of tests/contracts/test_truth_archive.py on a real server."""

from collections.abc import Iterator

import pytest

from tests.contracts.mysql import Server
from tests.contracts.test_truth_archive import *  # noqa: F403  each test of that module
from tests.contracts.truth_adapters import Store


@pytest.fixture  # type: ignore[no-redef]  # instead of the adapters that the module opens
def store(server: Server) -> Iterator[Store]:
    """The store of truth on that server, open and empty."""
    with server.truth() as opened:
        yield Store(opened)
