import os
from collections.abc import Iterator

import pytest

from tests.integration.sql.database import fresh
from tests.services.provided import provided

#: `MYSQL=mysql` runs the suite on MySQL itself, where `mysqld` is on the PATH.
NAME = "mysql" if os.environ.get("MYSQL") == "mysql" else "mariadb"


@pytest.fixture(scope="package")
def server() -> Iterator[str]:
    with provided(NAME) as servers:
        yield servers[NAME].settings["MYSQL_URL"]


@pytest.fixture
def url(server: str) -> Iterator[str]:
    with fresh(server) as database:
        yield database
