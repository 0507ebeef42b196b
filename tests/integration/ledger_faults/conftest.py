"""A database of this suite's own: its server is killed, and nobody else may stand on it."""

from collections.abc import Iterator

import pytest

from tests.integration.ledger_faults.bank import Bank
from tests.services.lasting import Lasting
from tests.services.provided import provided_lasting


@pytest.fixture(scope="package")
def lasting() -> Iterator[Lasting]:
    """A server that may be ended."""
    with provided_lasting("mariadb") as server:
        yield server


@pytest.fixture(scope="package")
def _bank(lasting: Lasting) -> Bank:
    return Bank.opened(lasting.settings["MYSQL_URL"])


@pytest.fixture
def bank(_bank: Bank) -> Bank:
    """The database, empty."""
    _bank.server.empty()
    return _bank
