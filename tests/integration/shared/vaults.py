"""Key vaults on one database, as several processes open them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pymysql

from adapters.mysql_address import MysqlAddress
from adapters.security.key_ring import KeyRing
from adapters.security.key_vault import VaultLimits
from adapters.security.mysql_key_vault import FRESH_S, MysqlKeyVault
from domain.ports.time import Clock
from tests.contracts.opened import NEVER, HandClock, Opened, opened
from tests.integration.shared.caches import Loop

LIMITS = VaultLimits(threads=4, fresh_s=FRESH_S, cached_keys_max=100)


@dataclass(frozen=True, slots=True)
class Keys:
    """A database of keys, and a folder of key files."""

    url: str
    folder: Path

    def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        where = MysqlAddress.parse(self.url, "KEYS_MYSQL_URL")
        with (
            pymysql.connect(
                host=where.host, port=where.port, user=where.user, password=where.password,
                autocommit=True,
            ) as connection,
            connection.cursor() as cursor,
        ):  # fmt: skip
            cursor.execute(statement.replace("KEYS", f"`{where.database}`"), values)
            return list(cursor.fetchall())

    def vault(self, clock: Clock, limits: VaultLimits = LIMITS, url: str = "") -> MysqlKeyVault:
        return MysqlKeyVault(
            url or self.url,
            kek=KeyRing.load_or_create(self.folder / "wrapping.key"),
            index=KeyRing.load_or_create(self.folder / "index.key"),
            clock=clock,
            limits=limits,
        )


@contextmanager
def vault_on(
    keys: Keys, loop: Loop, limits: VaultLimits = LIMITS, url: str = ""
) -> Iterator[Opened[MysqlKeyVault]]:
    """A vault that is prepared, and closed afterwards."""
    clock = HandClock()
    with opened(keys.vault(clock, limits, url), clock) as held:
        loop(held.port.prepare(NEVER))
        yield Opened(held.port, clock, loop)
