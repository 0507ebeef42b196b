"""What the isolation scenarios need: sessions of some database, and patience."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from types import TracebackType
from typing import Any, Final, Protocol, Self, TypeVar

from adapters.stores.model.database import Row, Table

T = TypeVar("T")

#: Long against a statement, short against the lock wait of one second.
SETTLE_S: Final = 0.1

TABLES: Final = (
    Table("accounts", ("id",), {"uq_owner": ("owner",)}),
    Table("persons", ("person_id",)),
    Table("reservations", ("id",), indexes=(("person_id",),)),
    Table("batches", ("lane", "seq")),
    Table("profiles", ("customer_id",)),
)

#: The same tables for a server, which adds ENGINE=InnoDB and COLLATE utf8mb4_bin.
DDL: Final = """
CREATE TABLE accounts (
    id INT PRIMARY KEY, owner VARCHAR(20) NULL, amount INT NOT NULL, UNIQUE KEY uq_owner (owner));
CREATE TABLE persons (person_id VARCHAR(20) PRIMARY KEY);
CREATE TABLE reservations (
    id INT PRIMARY KEY, person_id VARCHAR(20) NOT NULL, principal INT NOT NULL,
    KEY by_person (person_id));
CREATE TABLE batches (
    lane VARCHAR(20), seq INT, root VARCHAR(20) NOT NULL, PRIMARY KEY (lane, seq));
CREATE TABLE profiles (
    customer_id VARCHAR(20) PRIMARY KEY, version INT NOT NULL, score INT NOT NULL);
"""


class Sql(Protocol):
    """
    A session at READ COMMITTED with autocommit; conditions and changes are mappings.

    Errors are those of adapters.stores.model.errors, on a server too.
    """

    async def begin(self) -> None: ...
    async def commit(self) -> None: ...
    async def rollback(self) -> None: ...
    async def close(self) -> None: ...
    async def select(
        self,
        table: str,
        where: Mapping[str, Any],
        *,
        for_update: bool = False,
        skip_locked: bool = False,
    ) -> list[Row]: ...
    async def insert(self, table: str, rows: Row | Iterable[Row]) -> int: ...
    async def update(
        self, table: str, where: Mapping[str, Any], changes: Mapping[str, Any]
    ) -> int: ...
    async def delete(self, table: str, where: Mapping[str, Any]) -> int: ...
    async def upsert_if_newer(
        self, table: str, key: Mapping[str, Any], row: Mapping[str, Any], version_column: str
    ) -> int: ...
    async def get_lock(self, name: str, timeout_s: float = 0.0) -> bool: ...
    async def kill_holder(self, name: str) -> bool: ...


class Start(Protocol):
    """Begins a statement and returns when it is done or waits for a lock."""

    async def __call__(self, statement: Coroutine[Any, Any, T], /) -> asyncio.Task[T]: ...


async def with_patience(statement: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    """Begin a statement; whoever is not done after a while waits."""
    task = asyncio.create_task(statement)
    await asyncio.sleep(SETTLE_S)
    return task


class Lab:
    """Opens sessions on empty tables and closes them afterwards."""

    def __init__(
        self, connect: Callable[[str], Awaitable[Sql]], start: Start = with_patience
    ) -> None:
        self._connect: Final = connect
        self._start: Final = start
        self._open: Final[list[Sql]] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        for session in self._open:
            await session.close()

    async def session(self, name: str) -> Sql:
        """Open a session."""
        opened = await self._connect(name)
        self._open.append(opened)
        return opened

    async def sessions(self) -> tuple[Sql, Sql]:
        """Open the two sessions of most scenarios."""
        return await self.session("a"), await self.session("b")

    async def blocked(self, statement: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Start a statement that has to wait for a lock."""
        task = await self._start(statement)
        assert not task.done(), "the statement should be waiting for a lock"
        return task


Scenario = Callable[[Lab], Awaitable[None]]


async def values(session: Sql, table: str, column: str, **where: Any) -> list[Any]:
    """Return one column of the rows that are visible to a session."""
    return [row[column] for row in await session.select(table, where)]


def account(number: int, amount: int = 100, owner: str | None = None) -> Row:
    """Return a row of accounts."""
    return {"id": number, "owner": owner, "amount": amount}


def reservation(number: int, principal: int = 60, person: str = "p") -> Row:
    """Return a row of reservations."""
    return {"id": number, "person_id": person, "principal": principal}


async def amount_of(session: Sql, number: int) -> Any:
    """Return the amount of one account as a session sees it."""
    (amount,) = await values(session, "accounts", "amount", id=number)
    return amount
