"""The store of truth on SQLite: programs run one after the other on the file's writing thread."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Final, Protocol, TypeVar

import apsw
from sqlalchemy.dialects.sqlite.base import SQLiteDialect
from sqlalchemy.schema import CreateIndex, CreateTable

from adapters.stores.sql.rendering import Call, Plan, Renderers
from adapters.stores.sql.schema import VERSION, metadata
from adapters.stores.sql.sqlite_errors import at_commit, truth_error
from adapters.stores.sql.sqlite_words import SqliteWords
from adapters.stores.sql.statements import renderers
from decision_engine.record.statements import Reconnect, TakeLane
from domain.errors import PermanentError
from domain.ports.time import Deadline
from domain.ports.truth import (
    PASSING,
    Begin,
    Commit,
    DataError,
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

#: An older file is brought here when it is opened (`migrations`); a newer one is refused.
SCHEMA_VERSION: Final = VERSION


class TruthFile(Protocol):
    """What is asked of the file (`adapters.stores.embedded.sqlite_file.SqliteFile` keeps it)."""

    async def run(
        self, work: Callable[[apsw.Connection], T], deadline: Deadline | None = None
    ) -> T:
        """Run work to its end on the one writing thread, outside a transaction."""

    async def read(
        self, work: Callable[[apsw.Connection], T], deadline: Deadline | None = None
    ) -> T:
        """Run work on another connection, which sees every commit that has returned."""

    def reopen(self) -> apsw.Connection:
        """Drop the writing connection and return a new one; only within `run`."""

    def close(self) -> None:
        """Finish what waits and close the file."""


def schema_ddl() -> tuple[str, ...]:
    """Return the statements that create the schema in an empty SQLite file."""
    dialect = SQLiteDialect()
    tables = [str(CreateTable(table).compile(dialect=dialect)) for table in metadata.sorted_tables]
    indexes = sorted(
        str(CreateIndex(index).compile(dialect=dialect))
        for table in metadata.sorted_tables
        for index in table.indexes
    )
    return (*tables, *indexes)


class SqliteTruth:
    """
    The truth of one machine; implements `domain.ports.truth.Truth`.

    Crash points: `at` is called on the writing thread with `truth.begin`, `truth.before_commit`
    and `truth.after_commit`; after the last, everything is durable and nobody has been told yet.
    """

    def __init__(self, file: TruthFile, *, at: Callable[[str], None] = lambda _: None) -> None:
        self._file = file
        self._at = at
        self._renderers = renderers(SqliteWords())

    async def transact(self, program: Callable[[], Program[T]], deadline: Deadline) -> T:
        """Run a program to its end; what it leaves open is rolled back."""
        return await self._file.run(partial(self._drive, program), deadline)

    async def read(self, statements: Sequence[Statement], deadline: Deadline) -> list[Rows]:
        """Run reading statements on the committed state."""
        return await self._file.read(partial(self._answer, statements), deadline)

    def close(self) -> None:
        """Finish what waits and close the file."""
        self._file.close()

    # --- on the file's threads -----------------------------------------------------------------

    def _answer(self, statements: Sequence[Statement], connection: apsw.Connection) -> list[Rows]:
        return [_run(connection, self._renderers[type(each)](each)) for each in statements]

    def _drive(self, program: Callable[[], Program[T]], connection: apsw.Connection) -> T:
        session = _Session(connection, self._file.reopen, self._renderers, self._at)
        running = program()
        try:
            trip = next(running)
            while True:
                try:
                    results = [session.run(statement) for statement in trip]
                except TruthError as error:
                    trip = running.throw(error)
                else:
                    trip = running.send(results)
        except StopIteration as end:
            result: T = end.value
            return result
        except PASSING as error:
            raise unhandled(error, committed=session.committed) from error
        finally:
            running.close()
            session.roll_back()


class _Session:
    """The connection as one program uses it."""

    def __init__(
        self,
        connection: apsw.Connection,
        reopen: Callable[[], apsw.Connection],
        known: Renderers,
        at: Callable[[str], None],
    ) -> None:
        self._connection = connection
        self._reopen = reopen
        self._known = known
        self._at = at
        self._open = False
        #: A commit was done, or its end is not known.
        self.committed = False

    def run(self, statement: Statement) -> Rows:
        """
        Run one statement.

        Raises:
            TruthError: SQLite refused; what the port says of each class holds.
        """
        control = CONTROLS.get(type(statement))
        if control is not None:
            control(self)
            return []
        # A full disk ends the transaction by itself; what follows must not commit row by row.
        if self._open and not self._connection.in_transaction:
            raise ServerError("an earlier error ended the transaction")
        plan = self._known[type(statement)](statement)
        try:
            return _run(self._connection, plan)
        except apsw.Error as error:
            raise truth_error(error) from error

    def begin(self) -> None:
        """Take the file for writing."""
        self._at("truth.begin")
        try:
            self._connection.execute("BEGIN IMMEDIATE")
        except apsw.Error as error:
            raise truth_error(error) from error
        self._open = True

    def commit(self) -> None:
        """Make it durable."""
        if self._open and not self._connection.in_transaction:
            raise ServerError("an earlier error ended the transaction")
        self._at("truth.before_commit")
        try:
            self._connection.execute("COMMIT")
        except apsw.Error as error:
            found = at_commit(error)
            self.committed = self.committed or isinstance(found, LostConnectionError)
            raise found from error
        self._open, self.committed = False, True
        self._at("truth.after_commit")

    def roll_back(self) -> None:
        """Undo what is open, if anything is."""
        self._open = False
        # A connection that is gone has taken its transaction with it.
        with suppress(apsw.ConnectionClosedError):
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    def reconnect(self) -> None:
        """Begin again with a fresh connection."""
        self._open = False
        try:
            self._connection = self._reopen()
        except (apsw.Error, OSError, PermanentError) as error:
            raise LostConnectionError("the file cannot be opened again") from error

    def take_lane(self) -> None:
        """Do nothing: one process owns the file, so no older session of a lane can be alive."""


CONTROLS: Final[Mapping[type, Callable[[_Session], None]]] = {
    Begin: _Session.begin,
    Commit: _Session.commit,
    Rollback: _Session.roll_back,
    Reconnect: _Session.reconnect,
    TakeLane: _Session.take_lane,
}


def _run(connection: apsw.Connection, plan: Plan) -> Rows:
    return plan.result([_call(connection, call) for call in plan.calls])


def _call(connection: apsw.Connection, call: Call) -> Rows:
    try:
        return connection.execute(*call).fetchall()
    except (OverflowError, TypeError, UnicodeError) as error:
        # One bad value must not look like a fault of the program, which ends a whole batch.
        raise DataError(f"a value that SQLite cannot hold: {type(error).__name__}") from error
