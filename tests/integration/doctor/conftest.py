import asyncio
from collections.abc import Iterator
from contextlib import closing

import pytest

from adapters.bootstrap.doctor.keys import FILES
from adapters.security.key_ring import KeyRing
from adapters.security.mysql_key_vault import MysqlKeyVault
from adapters.stores.sql.migrations.server import Server
from adapters.system import SystemClock
from tests.contracts.opened import NEVER
from tests.integration.doctor.site import RIGHTS, SECRET, USER, Shell, Site
from tests.services.provided import provided
from tests.services.server import HOST


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A database with the schema, a vault that its key files fit, a Redis: all is well."""
    with provided("mariadb", "redis") as servers:
        made = Site(
            servers["mariadb"].settings["MYSQL_URL"],
            servers["redis"].settings["REDIS_URL"],
            tmp_path_factory.mktemp("doctor"),
        )
        made.run(f"CREATE USER '{USER}'@'{HOST}' IDENTIFIED BY '{SECRET}'")
        made.run("CREATE DATABASE persons")
        made.run(f"GRANT {RIGHTS} ON credit.* TO '{USER}'@'{HOST}'")
        made.run(f"GRANT {RIGHTS}, CREATE ON persons.* TO '{USER}'@'{HOST}'")
        Server.at(made.admin).upgrade()
        _vault(made)
        yield made


@pytest.fixture
def shell(site: Site) -> Shell:
    return Shell(site.settings)


def _vault(site: Site) -> None:
    rings = {name: KeyRing.load_or_create(site.keys / name) for name in FILES}
    vault = MysqlKeyVault(
        site.settings["KEYS_MYSQL_URL"],
        kek=rings["wrapping.key"],
        index=rings["index.key"],
        clock=SystemClock(),
    )
    with closing(vault):
        asyncio.run(vault.prepare(NEVER))
