"""
The store of truth on MySQL or MariaDB, through PyMySQL in threads: for Lambdas and tools.

It needs no loop that lives on: a connection is kept from one `asyncio.run` to the next.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from io import BufferedReader
from math import inf
from typing import Any, Final, TypeVar

from pymysql.connections import Connection
from pymysql.constants.CLIENT import MULTI_STATEMENTS
from pymysql.cursors import Cursor
from pymysql.err import MySQLError

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
from adapters.system import SystemClock
from decision_engine.flights import take_note
from domain.errors import TransientError
from domain.ports.time import Clock, Deadline
from domain.ports.truth import LostConnectionError, Program, Statement

T = TypeVar("T")

#: Packets are timed by the machine, whatever clock a deadline is read on.
STOPWATCH: Final = SystemClock()


class TimedConnection(Connection):
    """
    A connection that gives up an answer which comes in drops.

    The driver's own time-out begins anew with every byte.
    """

    _rfile: BufferedReader
    _read_timeout: float | None
    _write_timeout: float | None
    _until: float = inf

    def give(self, seconds: float) -> None:
        """Let what follows take this long: no wait is longer, and none begins any later."""
        self._read_timeout = self._write_timeout = seconds
        self._until = STOPWATCH.monotonic() + seconds

    def _read_bytes(self, num_bytes: int) -> bytes:
        found = self._rfile.read1(num_bytes)
        if len(found) == num_bytes:
            return found
        parts = bytearray(found)
        while len(parts) < num_bytes:
            if STOPWATCH.monotonic() > self._until:
                raise TimeoutError("it comes too slowly")
            more = self._rfile.read1(num_bytes - len(parts))
            if not more:
                raise EOFError("it ended in the middle")
            parts += more
        return bytes(parts)


def connected(address: MysqlAddress, seconds: float) -> TimedConnection:
    """
    Return a connection that commits each statement; `seconds` is for all of the login.

    Raises:
        MySQLError, OSError, EOFError: there is none.
    """
    tls = address.context()
    connection = TimedConnection(
        host=address.host,
        port=address.port,
        user=address.user,
        password=address.password,
        database=address.database,
        ssl=tls,
        # Left to itself it offers TLS without checking anybody, and reads every authority of
        # the system for that: 20 ms of CPU a connection.
        ssl_disabled=tls is None,
        charset="utf8mb4",
        autocommit=True,
        client_flag=MULTI_STATEMENTS,
        connect_timeout=seconds,
        defer_connect=True,
    )
    connection.give(seconds)
    connection.connect()
    return connection


class PymysqlWire:
    """One connection; runs what a session asks for, in the thread that calls it."""

    def __init__(self, address: MysqlAddress, trip_seconds: float) -> None:
        self._address = address
        self._trip_seconds = trip_seconds
        self._until = inf
        self._connection: TimedConnection | None = None

    def run(self, session: Session, wire: Wire[T], seconds: float | None = None) -> T:
        """Run a generator of the session to its end; what is cut off takes its connection."""
        self._until = inf if seconds is None else STOPWATCH.monotonic() + seconds
        try:
            action = next(wire)
            while True:
                try:
                    result = self._act(action)
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
            self._connection._force_close()  # type: ignore[attr-defined]  # noqa: SLF001
        self._connection = None

    def _act(self, action: Connect | Drop | Ask) -> Any:
        if not isinstance(action, Ask):
            self.drop()
        try:
            if isinstance(action, Ask):
                return self._ask(action)
            if isinstance(action, Connect):
                self._connect()
        except (MySQLError, OSError, EOFError) as error:
            raise wire_error(error) from None
        return None

    def _connect(self) -> None:
        self._connection = connected(self._address, self._seconds(CONNECT_SECONDS))

    def _ask(self, asked: Ask) -> list[Rows]:
        if self._connection is None:
            raise BrokenError("there is no connection")
        self._connection.give(self._seconds(self._trip_seconds))
        cursor = self._connection.cursor()
        cursor.execute(asked.text)
        results = [_rows(cursor, named=asked.named)]
        while cursor.nextset():
            results.append(_rows(cursor, named=asked.named))
        return results

    def _seconds(self, most: float) -> float:
        seconds = min(most, self._until - STOPWATCH.monotonic())
        if seconds <= 0:
            raise BrokenError("no answer in time")
        return seconds


def _rows(cursor: Cursor, *, named: bool) -> Rows:
    rows = list(cursor.fetchall())
    return with_names(rows, cursor.description) if named else rows


@dataclass(slots=True, eq=False)
class _Held:
    session: Session
    wire: PymysqlWire


class PymysqlTruth:
    """
    The truth of a lender on a server; implements `domain.ports.truth.Truth`.

    At most `connections` programs and reads run at once, each in a thread; whoever comes later
    waits for its turn until its deadline. Loops of several threads may share it.
    Crash points: `at`, called in those threads; see `Session`.
    """

    def __init__(
        self,
        address: MysqlAddress,
        clock: Clock,
        *,
        connections: int = CONNECTIONS,
        trip_seconds: float = TRIP_SECONDS,
        at: Callable[[str], None] = lambda _place: None,
        known: Renderers | None = None,
    ) -> None:
        self._address = address
        self._clock = clock
        self._trip_seconds = trip_seconds
        self._at = at
        self._known = mysql_renderers() if known is None else known
        # No more threads than connections: so whoever runs finds an idle one or may open one.
        self._threads = ThreadPoolExecutor(connections, thread_name_prefix="truth")
        self._idle: deque[_Held] = deque()

    async def transact(self, program: Callable[[], Program[T]], deadline: Deadline) -> T:
        """Run a program to its end, whatever becomes of the caller; undo what it leaves open."""
        return await self._answer(partial(self._transact, program, deadline), deadline)

    async def read(self, statements: Sequence[Statement], deadline: Deadline) -> list[Rows]:
        """
        Run reading statements on the committed state, in one packet.

        Raises:
            TransientError: the server is away or did not answer before the deadline.
        """
        return await self._answer(partial(self._read, statements, deadline), deadline)

    async def close(self) -> None:
        """Finish what runs and close every connection."""
        await asyncio.to_thread(self._threads.shutdown)
        while self._idle:
            held = self._idle.pop()
            held.wire.drop()
            held.session.forget()

    async def _answer(self, work: Callable[[], T], deadline: Deadline) -> T:
        """Wait for work in a thread; what has not begun by the deadline never does."""
        seconds = seconds_left(deadline, self._clock)
        try:
            future: Future[T] = self._threads.submit(work)
        except RuntimeError:
            raise TransientError("the store of truth is closed") from None
        waiting = asyncio.wrap_future(future)
        waiting.add_done_callback(take_note)
        try:
            await asyncio.wait([waiting], timeout=seconds)
            if future.cancel():
                raise not_begun()
            return await waiting
        except asyncio.CancelledError:
            future.cancel()
            raise

    # --- in the threads ------------------------------------------------------------------------

    def _transact(self, program: Callable[[], Program[T]], deadline: Deadline) -> T:
        seconds_left(deadline, self._clock)
        with self._held() as held:
            return held.wire.run(held.session, held.session.transact(program))

    def _read(self, statements: Sequence[Statement], deadline: Deadline) -> list[Rows]:
        seconds = seconds_left(deadline, self._clock)
        with self._held() as held:
            try:
                return held.wire.run(held.session, held.session.read(statements), seconds)
            except LostConnectionError as error:
                raise TransientError("the store of truth did not answer") from error

    @contextmanager
    def _held(self) -> Iterator[_Held]:
        try:
            held = self._idle.pop()
        except IndexError:
            wire = PymysqlWire(self._address, self._trip_seconds)
            held = _Held(Session(self._known, self._at), wire)
        try:
            yield held
        finally:
            self._idle.append(held)
