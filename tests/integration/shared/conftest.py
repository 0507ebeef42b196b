"""The servers of this folder, each started once and ended after its last test."""

from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path

import pymysql
import pytest
import redis

from tests.integration.shared.caches import Server
from tests.integration.shared.vaults import Keys
from tests.services.provided import provided

_NAMES = count()


@pytest.fixture(scope="package")
def redis_server() -> Iterator[Server]:
    with provided("redis") as servers:
        url = servers["redis"].settings["REDIS_URL"]
        with redis.Redis.from_url(url) as admin:
            yield Server(url, admin)


@pytest.fixture
def server(redis_server: Server) -> Iterator[Server]:
    """The server, with a prefix of this test's own, and afterwards without its keys."""
    yield Server(redis_server.url, redis_server.admin, f"t{next(_NAMES)}:")
    redis_server.admin.flushall()


@pytest.fixture(scope="package")
def mysql_url() -> Iterator[str]:
    with provided("mariadb") as servers:
        yield servers["mariadb"].settings["MYSQL_URL"]


@pytest.fixture
def new_keys(mysql_url: str, tmp_path: Path) -> Iterator[Keys]:
    """A database that is not there yet, and a folder for key files."""
    held = Keys(mysql_url.replace("/credit", "/new-keys"), tmp_path)
    yield held
    held.rows("DROP DATABASE IF EXISTS KEYS")


@pytest.fixture
def keys(mysql_url: str, tmp_path: Path) -> Iterator[Keys]:
    """A database without keys, and a folder for key files."""
    held = Keys(mysql_url.replace("/credit", "/keys"), tmp_path)
    yield held
    # A test that never asked the database may have left none.
    with suppress(pymysql.MySQLError):
        held.rows("DELETE FROM KEYS.person_keys")
