"""
A statement that would rather fail and try again than hold everybody up.

DDL waits for the last transaction that touched its table, and whatever comes later waits behind
it. `lock_wait_timeout` is whole seconds, so somebody else watches: a statement that has waited for
a table for a quarter of a second is ended from a second connection, and tried again later.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread
from typing import Final

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError, OperationalError

from domain.errors import TransientError

TRIES: Final = 40
PAUSE_S: Final = 0.5
LOOK_S: Final = 0.05
#: Looks in a row at a statement that waits for a table before it is ended.
LOOKS: Final = 5
WAITING: Final = "Waiting for table"
#: Lock wait timeout, deadlock, ended by KILL QUERY.
PASSING: Final = frozenset({1205, 1213, 1317})
INTERRUPTED: Final = 1317


def patiently(connection: Connection, statement: str) -> None:
    """
    Run a statement that commits by itself; what is locked is tried again.

    Raises:
        TransientError: a lock was held every time. The statement has changed nothing.
    """
    for number in range(TRIES):
        if number:
            Event().wait(PAUSE_S)
        try:
            with _watched(connection):
                connection.execute(text(statement))
        except OperationalError as error:
            if code_of(error) not in PASSING:
                raise
        else:
            return
    raise TransientError(
        f"another transaction holds what `{statement.partition(',')[0]}` needs: end it and run"
        " `creditctl db upgrade` again, which goes on from here"
    )


def code_of(error: Exception) -> int:
    """Return the server's number of an error, or 0."""
    arguments = getattr(getattr(error, "orig", error), "args", ())
    return arguments[0] if arguments and isinstance(arguments[0], int) else 0


@contextmanager
def _watched(connection: Connection) -> Iterator[None]:
    number = connection.scalar(text("SELECT CONNECTION_ID()"))
    over = Event()
    killed = Event()
    watcher = Thread(target=_watch, args=(connection.engine, number, over, killed), daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()
        if killed.is_set():
            _take_late_kill(connection)


def _watch(engine: Engine, number: int, over: Event, killed: Event) -> None:
    if over.wait(LOOK_S):
        return
    # Without a watcher the session's own lock_wait_timeout ends the wait, a little later.
    with suppress(DBAPIError), engine.connect() as other:
        seen = 0
        while not over.wait(LOOK_S):
            states = {row[0]: row[6] or "" for row in other.execute(text("SHOW PROCESSLIST"))}
            seen = seen + 1 if states.get(number, "").startswith(WAITING) else 0
            if seen == LOOKS:
                killed.set()
                other.execute(text(f"KILL QUERY {int(number)}"))
                return


def _take_late_kill(connection: Connection) -> None:
    """Let a kill that came after the statement's end meet a statement that does not matter."""
    try:
        connection.execute(text("SELECT 1"))
    except OperationalError as error:
        if code_of(error) != INTERRUPTED:
            raise
