from collections.abc import Iterator

import pytest

from tests.integration.sql.database import fresh
from tests.services.provided import provided


@pytest.fixture(scope="package")
def server() -> Iterator[str]:
    with provided("mariadb") as servers:
        yield servers["mariadb"].settings["MYSQL_URL"]


@pytest.fixture
def url(server: str) -> Iterator[str]:
    with fresh(server) as database:
        yield database
