"""The store of truth on MySQL or MariaDB, through asyncmy on the event loop."""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import asyncmy
import asyncmy.errors

from adapters.mysql_address import MysqlAddress
from adapters.stores.sql.mysql_errors import BrokenError, Refusal, wire_error
from adapters.stores.sql.mysql_limits import (
    CONNECT_SECONDS,
    CONNECTIONS,
    TRIP_SECONDS,
    not_begun,
    seconds_left,
)
from adapters.stores.sql.mysql_session import Ask, Connect, Drop, Session, Wire
from adapters.stores.sql.rendering import Renderers, Rows, with_names
from adapters.stores.sql.statements import mysql_renderers
from decision_engine.flights import take_note, wait_for_end
from domain.errors import TransientError
from domain.ports.time import Clock, Deadline
from domain.ports.truth import LostConnectionError, Program, Statement

T = TypeVar("T")

# It logs every warning of the server, some of which quote values.
logging.getLogger("asyncmy").setLevel(logging.CRITICAL)


class AsyncmyWire:
    """One connection; runs what a session asks for."""

    def __init__(self, address: MysqlAddress, trip_seconds: float) -> None:
        self._address = address
        self._trip_seconds = trip_seconds
        self._connection: Any = None
        self._cursor: Any = None

    async def run(self, session: Session, wire: Wire[T]) -> T:
        """Run a generator of the session to its end; one cut off half-way takes its connection."""
        try:
            action = next(wire)
            while True:
                try:
                    result = await self._act(action)
                except (Refusal, BrokenError) as error:
                    action = wire.throw(error)
                except BaseException:
                    self.drop()
                    session.forget()
                    raise
                else:
                    action = wire.send(result)
        except StopIteration as end:
            value: T = end.value
            return value

    def drop(self) -> None:
        """Close the connection without a word."""
        if self._connection is not None:
            self._connection.close()
        self._connection = self._cursor = None

    async def _act(self, action: Connect | Drop | Ask) -> Any:
        if isinstance(action, Ask):
            async with _answering(self._trip_seconds):
                return await self._ask(action)
        self.drop()
        if isinstance(action, Connect):
            async with _answering(CONNECT_SECONDS):
                await self._connect()
        return None

    async def _connect(self) -> None:
        address = self._address
        self._connection = await asyncmy.connect(
            host=address.host,
            port=address.port,
            user=address.user,
            password=address.password,
            database=address.database,
            ssl=address.context(),
            autocommit=True,
            connect_timeout=CONNECT_SECONDS,
        )
        self._cursor = self._connection.cursor()

    async def _ask(self, asked: Ask) -> list[Rows]:
        cursor = self._cursor
        if cursor is None:
            raise BrokenError("there is no connection")
        await cursor.execute(asked.text)
        results = [await self._rows(named=asked.named)]
        while await cursor.nextset():
            results.append(await self._rows(named=asked.named))
        return results

    async def _rows(self, *, named: bool) -> Rows:
        rows: Rows = await self._cursor.fetchall()
        return with_names(rows, self._cursor.description) if named else rows


@asynccontextmanager
async def _answering(seconds: float) -> AsyncIterator[None]:
    """Turn what goes wrong on the wire into the session's two errors."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except (asyncmy.errors.MySQLError, OSError, EOFError) as error:
        raise wire_error(error) from None


@dataclass(slots=True, eq=False)
class Held:
    """A connection, and what is known of it; each is itself alone."""

    session: Session
    wire: AsyncmyWire


@dataclass(slots=True)
class MysqlTruth:
    """
    The truth of a lender on a server; implements `domain.ports.truth.Truth`.

    At most `connections` programs and reads run at once; whoever comes later waits for its turn
    until its deadline. A writer with a lane has a `MysqlTruth` of one connection for itself.
    Crash points: `at`, see `Session`.
    """

    address: MysqlAddress
    clock: Clock
    connections: int = CONNECTIONS
    trip_seconds: float = TRIP_SECONDS
    at: Callable[[str], None] = lambda _place: None
    known: Renderers = field(default_factory=mysql_renderers)
    _idle: deque[Held] = field(default_factory=deque, init=False)
    _places: asyncio.Semaphore = field(init=False)
    _tasks: set["asyncio.Task[Any]"] = field(default_factory=set, init=False)

    def __post_init__(self) -> None:
        """Set up the places that `connections` gives."""
        self._places = asyncio.Semaphore(self.connections)

    async def transact(self, program: Callable[[], Program[T]], deadline: Deadline) -> T:
        """Run a program to its end, whatever becomes of the caller; undo what it leaves open."""
        task = asyncio.create_task(self._transact(program, deadline))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(take_note)
        await wait_for_end(task)
        return task.result()

    async def read(self, statements: Sequence[Statement], deadline: Deadline) -> list[Rows]:
        """
        Run reading statements on the committed state, in one packet.

        Raises:
            TransientError: the server is away or did not answer before the deadline.
        """
        async with self._held(deadline) as held:
            try:
                async with asyncio.timeout(seconds_left(deadline, self.clock)):
                    return await held.wire.run(held.session, held.session.read(statements))
            except TimeoutError:
                raise TransientError("the store of truth did not answer in time") from None
            except LostConnectionError as error:
                raise TransientError("the store of truth is away") from error

    async def ask(self, text: str, deadline: Deadline) -> Rows:
        """
        Run one statement that no program has, such as those of a start, and return its rows.

        Raises:
            TransientError: the server is away.
            ServerError: it refuses.
        """
        async with self._held(deadline) as held:
            try:
                return await held.wire.run(held.session, held.session.ask(text))
            except LostConnectionError as error:
                raise TransientError(f"the store of truth is away: {error}") from error

    async def close(self) -> None:
        """Finish what runs and close every connection."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)
        for held in self._idle:
            held.wire.drop()
            held.session.forget()

    async def _transact(self, program: Callable[[], Program[T]], deadline: Deadline) -> T:
        async with self._held(deadline) as held:
            return await held.wire.run(held.session, held.session.transact(program))

    @asynccontextmanager
    async def _held(self, deadline: Deadline) -> AsyncIterator[Held]:
        try:
            async with asyncio.timeout(seconds_left(deadline, self.clock)):
                await self._places.acquire()
        except TimeoutError:
            raise not_begun() from None
        held = self._idle.pop() if self._idle else self._new()
        try:
            yield held
        finally:
            self._idle.append(held)
            self._places.release()

    def _new(self) -> Held:
        return Held(Session(self.known, self.at), AsyncmyWire(self.address, self.trip_seconds))
