"""Sessions of a real server as the isolation scenarios speak to them, by PyMySQL in threads."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, NoReturn, Self

from pymysql.connections import Connection
from pymysql.constants.CLIENT import MULTI_STATEMENTS
from pymysql.cursors import DictCursor
from pymysql.err import MySQLError

from adapters.mysql_address import MysqlAddress
from adapters.stores.model import errors
from adapters.stores.model.table import Row
from adapters.stores.sql.mysql_errors import Refusal, truth_error, wire_error
from adapters.stores.sql.mysql_literals import literal, literals
from adapters.stores.sql.mysql_session import SETUP
from domain.ports import truth
from tests.contracts.mysql import Server
from tests.simulation.kernel.isolation.lab import DDL, TABLES

#: What the scenarios expect, by the error of the port.
ERRORS: Final[Mapping[type[truth.TruthError], type[errors.ModelStoreError]]] = {
    truth.DeadlockError: errors.DeadlockError,
    truth.LockWaitError: errors.LockWaitError,
    truth.LostConnectionError: errors.LostConnectionError,
}


class ServerSession:
    """A connection; implements `tests.simulation.kernel.isolation.lab.Sql`."""

    def __init__(self, address: MysqlAddress, filled: set[str]) -> None:
        self._filled: Final = filled
        self._connection: Final = Connection(
            host=address.host,
            port=address.port,
            user=address.user,
            password=address.password,
            database=address.database,
            charset="utf8mb4",
            autocommit=True,
            client_flag=MULTI_STATEMENTS,
            ssl_disabled=True,
            cursorclass=DictCursor,
        )
        self._run(SETUP)

    async def begin(self) -> None:
        await self._affected("BEGIN")

    async def commit(self) -> None:
        await self._affected("COMMIT")

    async def rollback(self) -> None:
        await self._affected("ROLLBACK")

    async def close(self) -> None:
        self._connection._force_close()  # type: ignore[attr-defined]

    async def select(
        self,
        table: str,
        where: Mapping[str, Any],
        *,
        for_update: bool = False,
        skip_locked: bool = False,
    ) -> list[Row]:
        tail = " FOR UPDATE" * for_update + " SKIP LOCKED" * skip_locked
        rows = await self._rows(f"SELECT * FROM {table}{_where(where)}{tail}")  # noqa: S608
        (key,) = (each.primary_key for each in TABLES if each.name == table)
        return sorted(rows, key=lambda row: [row[name] for name in key])

    async def insert(self, table: str, rows: Row | Iterable[Row]) -> int:
        self._filled.add(table)
        return await self._affected(_insert(table, [rows] if isinstance(rows, dict) else [*rows]))

    async def update(self, table: str, where: Mapping[str, Any], changes: Mapping[str, Any]) -> int:
        new = ", ".join(f"{name} = {literal(value)}" for name, value in changes.items())
        return await self._affected(f"UPDATE {table} SET {new}{_where(where)}")  # noqa: S608

    async def delete(self, table: str, where: Mapping[str, Any]) -> int:
        return await self._affected(f"DELETE FROM {table}{_where(where)}")  # noqa: S608

    async def upsert_if_newer(
        self, table: str, key: Mapping[str, Any], row: Mapping[str, Any], version_column: str
    ) -> int:
        self._filled.add(table)
        # The version last: what stands before it compares with the old one.
        names = [*(name for name in row if name != version_column), version_column]
        newer = f"VALUES({version_column}) > {version_column}"
        new = ", ".join(f"{name} = IF({newer}, VALUES({name}), {name})" for name in names)
        insert = _insert(table, [{**row, **key}])
        return await self._affected(f"{insert} ON DUPLICATE KEY UPDATE {new}")

    async def get_lock(self, name: str, timeout_s: float = 0.0) -> bool:
        ((held,),) = await self._tuples(f"SELECT GET_LOCK({literal(name)}, {timeout_s})")
        return bool(held)

    async def kill_holder(self, name: str) -> bool:
        ((holder,),) = await self._tuples(f"SELECT IS_USED_LOCK({literal(name)})")
        if holder is not None:
            await self._affected(f"KILL {holder}")
        return holder is not None

    async def waits(self) -> int:
        """Return how many sessions of the server wait for a row or a named lock now."""
        ((_, rows),) = await self._tuples("SHOW GLOBAL STATUS LIKE 'Innodb_row_lock_current_waits'")
        others = await self._rows("SHOW PROCESSLIST")
        return int(rows) + [row["State"] for row in others].count("User lock")

    async def _tuples(self, text: str) -> list[tuple[Any, ...]]:
        return [tuple(row.values()) for row in await self._rows(text)]

    async def _rows(self, text: str) -> list[Row]:
        _, rows = await asyncio.to_thread(self._run, text)
        return rows

    async def _affected(self, text: str) -> int:
        affected, _ = await asyncio.to_thread(self._run, text)
        return affected

    def _run(self, text: str) -> tuple[int, list[Row]]:
        try:
            with self._connection.cursor() as cursor:
                affected = cursor.execute(text)
                return affected, list(cursor.fetchall())
        except (MySQLError, OSError, EOFError) as error:
            _raise(error)


@dataclass(frozen=True, slots=True)
class Playground:
    """A database with the tables of the scenarios."""

    address: MysqlAddress
    _filled: set[str] = field(default_factory=set)

    @classmethod
    def prepared(cls, server: Server) -> Self:
        """Make a database beside the one of the platform's schema."""
        name = f"{server.address.database}_isolation"
        server.run(
            f"DROP DATABASE IF EXISTS {name}",
            f"CREATE DATABASE {name} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
        )
        playground = cls(replace(server.address, database=name))
        Server(playground.address).run(*filter(str.strip, DDL.split(";")))
        return playground

    def empty(self) -> None:
        """Make used tables anew: deleted rows would leave traces that make others wait."""
        if self._filled:
            Server(self.address).run(*(f"TRUNCATE {table}" for table in sorted(self._filled)))
        self._filled.clear()

    async def session(self) -> ServerSession:
        """Open a session."""
        return await asyncio.to_thread(ServerSession, self.address, self._filled)


def _raise(error: Exception) -> NoReturn:
    told = wire_error(error)
    if not isinstance(told, Refusal):
        raise errors.LostConnectionError(str(told)) from error
    meant = truth_error(told)
    if isinstance(meant, truth.DuplicateKeyError):
        raise errors.DuplicateKeyError(meant.key) from error
    raise ERRORS[type(meant)](str(meant)) from error


def _where(where: Mapping[str, Any]) -> str:
    conditions = (
        f"{name} IN ({literals(value)})"
        if isinstance(value, tuple)
        else f"{name} = {literal(value)}"
        for name, value in where.items()
    )
    return " WHERE " * bool(where) + " AND ".join(conditions)


def _insert(table: str, rows: list[Row]) -> str:
    names = ", ".join(rows[0])
    values = ", ".join(f"({literals(row.values())})" for row in rows)
    return f"INSERT INTO {table} ({names}) VALUES {values}"  # noqa: S608  names of the scenarios
