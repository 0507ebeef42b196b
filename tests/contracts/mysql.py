"""The store of truth on a real MySQL or MariaDB, opened empty for each test."""

import asyncio
import os
import threading
from collections.abc import Coroutine, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final, Self, TypeVar

import pymysql
from pymysql.constants.CLIENT import MULTI_STATEMENTS
from sqlalchemy.dialects.mysql.base import MySQLDialect
from sqlalchemy.schema import CreateIndex, CreateTable

from adapters.mysql_address import MysqlAddress
from adapters.stores.sql.mysql_truth import MysqlTruth
from adapters.stores.sql.pymysql_truth import PymysqlTruth
from adapters.stores.sql.schema import metadata
from domain.ports.truth import Truth
from tests.contracts.opened import HandClock, Opened

T = TypeVar("T")
LIMIT_S: Final = 60.0
DRIVERS: Final = ("asyncmy", "pymysql")


class LoopThread:
    """Runs coroutines of any thread on one loop of its own: connections belong to a loop."""

    def __init__(self) -> None:
        self._loop: Final = asyncio.new_event_loop()
        self._thread: Final = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def __call__(self, coroutine: Coroutine[Any, Any, T], /) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(LIMIT_S)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(LIMIT_S)
        self._loop.close()


@dataclass(frozen=True, slots=True)
class Server:
    """A database of this process on a server, with the schema in it."""

    address: MysqlAddress

    @classmethod
    def prepared(cls, url: str) -> Self:
        """Make a database of our own, so that several suites may share the server."""
        address = MysqlAddress.parse(url, "MYSQL_URL")
        server = cls(replace(address, database=f"suite_{os.getpid()}"))
        name = server.address.database
        cls(address).run(
            f"DROP DATABASE IF EXISTS {name}",
            f"CREATE DATABASE {name} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
        )
        server.run(*schema())
        return server

    def run(self, *statements: str) -> list[Any]:
        """Run statements beside the adapter, and return the rows of the last one."""
        with connected(self.address) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
                while cursor.nextset():
                    pass
            return list(cursor.fetchall())

    def empty(self) -> None:
        """Forget every row: in one packet, at the price of one flush."""
        forget = (
            f"DELETE FROM {table}"  # noqa: S608  tables of our schema
            for table in metadata.tables
        )
        self.run("; ".join(("BEGIN", *forget, "COMMIT")))

    @contextmanager
    def truth(self, **options: Any) -> Iterator[Opened[MysqlTruth]]:
        """Give an adapter to a test, on empty tables, and close it afterwards."""
        self.empty()
        clock = HandClock()
        loop = LoopThread()
        truth = MysqlTruth(self.address, clock, **options)
        try:
            yield Opened(truth, clock, loop)
            loop(truth.close())
        finally:
            loop.close()

    @contextmanager
    def threaded(self, **options: Any) -> Iterator[Opened[PymysqlTruth]]:
        """Give the adapter that runs in threads to a test, on empty tables."""
        self.empty()
        clock = HandClock()
        truth = PymysqlTruth(self.address, clock, **options)
        try:
            yield Opened(truth, clock)
        finally:
            asyncio.run(truth.close())

    def driven(self, driver: str) -> AbstractContextManager[Opened[Truth]]:
        """Give the adapter on one of `DRIVERS` to a test."""
        return self.threaded() if driver == "pymysql" else self.truth()


def schema() -> list[str]:
    """Return the statements that create the tables."""
    dialect = MySQLDialect()
    tables = metadata.sorted_tables
    indices = (CreateIndex(index) for table in tables for index in table.indexes)
    return [
        *(str(CreateTable(table).compile(dialect=dialect)) for table in tables),
        *(str(index.compile(dialect=dialect)) for index in indices),
    ]


@contextmanager
def connected(address: MysqlAddress) -> Iterator[pymysql.Connection]:
    """Have a connection of another client."""
    connection = pymysql.connect(
        host=address.host,
        port=address.port,
        user=address.user,
        password=address.password,
        database=address.database,
        autocommit=True,
        client_flag=MULTI_STATEMENTS,
        ssl_disabled=True,
        read_timeout=LIMIT_S,
    )
    try:
        yield connection
    finally:
        connection.close()
