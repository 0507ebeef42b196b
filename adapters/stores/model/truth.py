"""
The store of truth over the model database: programs run statement by statement.

Every statement is a trip of its own to the model server, so that others get in between wherever
they could on a real one. Errors of the model become those of the port.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any, Final, TypeVar

from adapters.stores.model import errors
from adapters.stores.model.connection import Connection
from adapters.stores.model.database import Database
from adapters.stores.model.ingestion_statements import ingestion_statements
from adapters.stores.model.ledger_statements import ledger_statements
from adapters.stores.model.loss_statements import loss_statements
from decision_engine.record.statements import Reconnect, TakeLane
from domain.errors import DeadlineExceededError, TransientError
from domain.ports.time import Clock, Deadline
from domain.ports.truth import (
    PASSING,
    Begin,
    Commit,
    DeadlockError,
    DuplicateKeyError,
    LockWaitError,
    LostConnectionError,
    Program,
    Rollback,
    Rows,
    ServerError,
    Statement,
    TruthError,
    unhandled,
)

T = TypeVar("T")

#: How often a taken lane is asked for before the connection counts as lost.
LANE_TRIES: Final = 10
LANE_WAIT_S: Final = 0.1

Perform = Callable[[Connection, Any], Awaitable[list[Any]]]


class ModelTruth:
    """
    One connection of one process to the model database; implements `Truth`.

    Once a lane has been taken, every later connection takes it before anything else.
    `serial` gives out the numbers of an AUTO_INCREMENT column, which no rollback takes back.
    """

    def __init__(self, database: Database, name: str, serial: Iterator[int], clock: Clock) -> None:
        self._database: Final = database
        self._name: Final = name
        self._clock: Final = clock
        self._connection: Connection | None = None
        self._lane = ""
        self._open = False
        self._broken = False
        self._committed = False
        self._turn: Final = asyncio.Lock()
        self._perform: Final[dict[type, Perform]] = {
            **ledger_statements(serial),
            **ingestion_statements(),
            **loss_statements(),
        }

    async def transact(self, program: Callable[[], Program[T]], deadline: Deadline) -> T:
        """Run a program to its end, whatever becomes of the caller; undo what it leaves open."""
        return await asyncio.shield(asyncio.ensure_future(self._transact(program, deadline)))

    async def read(self, statements: Sequence[Statement], deadline: Deadline) -> list[Rows]:
        """Run reading statements on a connection of their own, on committed rows."""
        self._refuse_late(deadline)
        try:
            connection = self._database.connect(f"{self._name}-reader")
        except errors.ModelStoreError as error:
            raise TransientError("the model database is down") from error
        try:
            return [await self._perform[type(each)](connection, each) for each in statements]
        except errors.ModelStoreError as error:
            raise TransientError("the model database did not answer") from error
        finally:
            await connection.close()

    async def close(self) -> None:
        """Close the connection."""
        self._open = self._broken = False
        if self._connection is not None:
            await self._connection.close()
            self._connection = None

    async def _transact(self, program: Callable[[], Program[T]], deadline: Deadline) -> T:
        async with self._turn:
            self._refuse_late(deadline)
            return await self._drive(program())

    def _refuse_late(self, deadline: Deadline) -> None:
        if self._clock.monotonic() >= deadline.at:
            raise DeadlineExceededError("it had not begun when its time was up")

    async def _drive(self, running: Program[T]) -> T:
        self._committed = False
        try:
            trip = next(running)
            while True:
                try:
                    results = []
                    for statement in trip:
                        results.append(await self._run(statement))  # noqa: PERF401 - cheaper
                except TruthError as error:
                    trip = running.throw(error)
                else:
                    trip = running.send(results)
        except StopIteration as end:
            result: T = end.value
            return result
        except PASSING as error:
            raise unhandled(error, committed=self._committed) from error
        finally:
            await self._tidy()

    async def _tidy(self) -> None:
        if self._open and not self._broken:
            try:
                await self._run(Rollback())
            except TruthError:
                # A connection whose transaction stays open is of no use to the next program.
                self._broken = True
        if self._broken:
            await self.close()

    async def _run(self, statement: Statement) -> list[Any]:
        perform = self._perform.get(type(statement))
        try:
            if perform is None:
                return await self._control(statement)
            return await perform(self._connection or await self._connect(), statement)
        except errors.ModelStoreError as error:
            # A lost connection stays so until the program asks for another, or ends.
            self._broken = self._broken or isinstance(error, errors.LostConnectionError)
            self._open = self._open and not isinstance(error, errors.DeadlockError)
            raise translated(error) from error

    async def _control(self, statement: Statement) -> list[Any]:
        if isinstance(statement, Reconnect):
            await self.close()
            return []
        connection = self._connection or await self._connect()
        match statement:
            case Begin():
                await self._begin(connection)
            case Commit():
                await self._commit(connection)
            case Rollback():
                await connection.rollback()
                self._open = False
            case TakeLane(lane):
                self._lane = lane
                await _take_lane(connection, lane)
            case _:
                raise TypeError(f"no such statement: {type(statement).__name__}")
        return []

    async def _connect(self) -> Connection:
        connection = self._database.connect(self._name)
        try:
            if self._lane:
                await _take_lane(connection, self._lane)
        except errors.ModelStoreError:
            await connection.close()
            raise
        self._connection = connection
        return connection

    async def _begin(self, connection: Connection) -> None:
        if self._open:
            raise ServerError("a transaction is open")
        # Before it is sent: when its answer is lost, a transaction may be open.
        self._open = True
        await connection.begin()

    async def _commit(self, connection: Connection) -> None:
        try:
            await connection.commit()
        except errors.LostConnectionError:
            self._committed = True
            raise
        self._open, self._committed = False, True


def translated(error: errors.ModelStoreError) -> TruthError:
    """Return the port's error for one of the model's."""
    match error:
        case errors.DuplicateKeyError(key_name=key_name):
            return DuplicateKeyError(key_name)
        case errors.DeadlockError():
            return DeadlockError("the model chose this transaction")
        case errors.LockWaitError():
            return LockWaitError("the model waited for a lock")
        case errors.LostConnectionError():
            return LostConnectionError("the model lost the connection")
        case _:
            return ServerError("the model refuses the statement")


async def _take_lane(connection: Connection, lane: str) -> None:
    name = f"lane:{lane}"
    for _ in range(LANE_TRIES):
        if await connection.get_lock(name, LANE_WAIT_S):
            return
        await connection.kill_holder(name)
    raise errors.LostConnectionError("the lane stayed taken")
