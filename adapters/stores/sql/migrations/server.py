"""Revisions on MySQL and MariaDB: for commands only, for importing Alembic takes long."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from sqlalchemy import URL, Connection, create_engine, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import NullPool

from adapters.stores.sql.migrations.patience import code_of
from adapters.stores.sql.migrations.scripts import (
    BASE,
    configured,
    losses,
    refuse_losses,
    revisions,
)
from adapters.stores.sql.migrations.version import READ_REVISION
from domain.errors import (
    ConflictError,
    CreditError,
    InvalidInputError,
    PermanentError,
    TransientError,
)

NO_TABLE: Final = 1146
#: A wait of whole seconds, the least that both servers take; `patience` ends it earlier.
SESSION: Final = (
    "SET SESSION lock_wait_timeout = 1, innodb_lock_wait_timeout = 1,"
    " sql_mode = 'STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION'"
)
ISOLATION: Final = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED"
CONNECT_S: Final = 5
#: One migration at a time in a database; the session's end gives the name back.
ALONE: Final = "SELECT GET_LOCK(CONCAT('migrations:', LEFT(DATABASE(), 48)), 0)"
REFUSALS: Final = {
    1045: "the server refuses user or password",
    1044: "this user may not use the database",
    1142: "this user may not change the schema",
    1049: "the server has no such database: create it first",
    1290: "the server is read-only: name the writer's endpoint",
    1836: "the server is read-only: name the writer's endpoint",
    1799: "the table is written faster than its index is built: run it again in a quiet hour",
    1845: "the server cannot do this step while others write, so it is not done",
    1846: "the server cannot do this step while others write, so it is not done",
}
#: The client's own numbers begin here (2003: cannot connect); 1040: all connections are taken.
CLIENT: Final = range(2000, 3000)
FULL: Final = 1040


@dataclass(frozen=True, slots=True)
class Server:
    """A database under migration; `more` are folders with further revisions."""

    url: URL
    config: Config

    @classmethod
    def at(cls, url: str, more: Sequence[Path] = ()) -> "Server":
        """
        Return the database of a URL like `mysql://user:password@host:3306/credit`.

        Raises:
            InvalidInputError: it is none; the text is not echoed, it holds a password.
        """
        try:
            parsed = make_url(url)
        except ArgumentError:
            parsed = URL.create("none")
        if parsed.drivername != "mysql" or not parsed.database:
            raise InvalidInputError("the URL is like mysql://user:password@host:3306/database")
        return cls(parsed.set(drivername="mysql+pymysql"), configured(more))

    @property
    def place(self) -> str:
        """Return where it is, without user and password."""
        return f"{self.url.host}:{self.url.port or 3306}/{self.url.database}"

    def found(self) -> str:
        """Return the revision of the schema; 0000 stands for none."""
        with self._connected() as connection:
            return _found(connection)

    def newest(self) -> str:
        """Return the last revision that is known here."""
        return revisions(self.config)[-1].revision

    def upgrade(self, target: str = "head") -> str:
        """
        Run the revisions up to `target`; one that broke off is gone on with.

        Raises:
            PermanentError: the schema is newer than this program, or the server refuses.
            TransientError: a lock was held all the time, or the server is away.
            ConflictError: another migration runs.
        """
        with self._alone() as connection:
            self._known(connection)
            self._run(connection, partial(command.upgrade, self.config, target))
            return _found(connection)

    def downgrade(self, target: str, *, lose: bool = False) -> str:
        """
        Run the revisions back to `target`, which is a revision or 0000.

        Raises:
            ConflictError: what is dropped holds data, and `lose` is not set.
            PermanentError, TransientError: as `upgrade`.
        """
        with self._alone() as connection:
            self._known(connection)
            found = _found(connection)
            held = [
                str(loss)
                for loss in losses(self.config, found, target)
                if not lose and _answers(connection, loss.question)
            ]
            refuse_losses(held)
            stop = "base" if target == BASE else target
            if target < found:
                self._run(connection, partial(command.downgrade, self.config, stop))
            return _found(connection)

    def _known(self, connection: Connection) -> None:
        found, newest = _found(connection), self.newest()
        if found > newest:
            raise PermanentError(
                f"{self.place} has schema {found}, newer than {newest} of this program:"
                " use the program of that schema"
            )

    def _run(self, connection: Connection, run: Callable[[], None]) -> None:
        self.config.attributes["connection"] = connection
        run()

    @contextmanager
    def _alone(self) -> Iterator[Connection]:
        with self._connected() as connection:
            if not connection.scalar(text(ALONE)):
                raise ConflictError(f"another migration of {self.place} runs: wait for its end")
            yield connection

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        engine = create_engine(
            self.url,
            poolclass=NullPool,
            isolation_level="AUTOCOMMIT",
            hide_parameters=True,
            connect_args={"connect_timeout": CONNECT_S, "init_command": SESSION},
        )
        try:
            with engine.connect() as connection:
                connection.execute(text(ISOLATION))
                yield connection
        except DBAPIError as error:
            raise self.told(error) from error

    def told(self, error: DBAPIError) -> CreditError:
        """Return an error of the driver in our words; the server's text may quote a row."""
        code = code_of(error)
        if code in REFUSALS:
            return PermanentError(f"{self.place}: {REFUSALS[code]}")
        if code in CLIENT:
            return TransientError(f"nothing answers as MySQL at {self.place}: is it up?")
        if code == FULL:
            return TransientError(f"{self.place}: all connections of the server are taken")
        return PermanentError(f"{self.place}: the server refuses with error {code}")


def _found(connection: Connection) -> str:
    try:
        return connection.scalar(text(READ_REVISION)) or BASE
    except DBAPIError as error:
        if code_of(error) != NO_TABLE:
            raise
    return BASE


def _answers(connection: Connection, question: str) -> bool:
    return connection.execute(text(question)).first() is not None
