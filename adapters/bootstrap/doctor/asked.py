"""A connection that only asks, and its errors as findings."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pymysql.err import MySQLError

from adapters.bootstrap.doctor.found import Found, fault
from adapters.mysql_address import MysqlAddress
from adapters.stores.sql.mysql_causes import FAILURES, Cause, cause_of, number_of
from adapters.stores.sql.mysql_limits import CONNECT_SECONDS, TRIP_SECONDS
from adapters.stores.sql.pymysql_truth import TimedConnection, connected


@dataclass(frozen=True, slots=True)
class Asked:
    """An open connection; every statement has its time."""

    address: MysqlAddress
    setting: str
    connection: TimedConnection

    def rows(self, text: str) -> list[tuple[Any, ...]]:
        """
        Return the rows of one statement.

        Raises:
            MySQLError, OSError, EOFError: it was refused, or the connection broke.
        """
        self.connection.give(TRIP_SECONDS)
        with self.connection.cursor() as cursor:
            cursor.execute(text)
            return list(cursor.fetchall())

    def refused(self, text: str) -> int:
        """Return the number of the error by which a statement is refused; 0 when it is not."""
        try:
            self.rows(text)
        except MySQLError as error:
            if not number_of(error):
                raise
            return number_of(error)
        return 0

    def cause(self, error: Exception) -> Cause:
        """Return why the server cannot be worked with."""
        return cause_of(error, self.address, self.setting)


@contextmanager
def asking(address: MysqlAddress, setting: str) -> Iterator[Asked]:
    """
    Have a connection, and close it.

    Raises:
        MySQLError, OSError, EOFError and others of `FAILURES`: there is none.
    """
    connection = connected(address, CONNECT_SECONDS)
    try:
        yield Asked(address, setting, connection)
    finally:
        connection._force_close()  # type: ignore[attr-defined]  # noqa: SLF001


def refused(name: str, cause: Cause) -> Found:
    """Return the finding of a cause."""
    return fault(name, cause.found, cause.remedy, cause.error)


__all__ = ["FAILURES", "Asked", "asking", "refused"]
