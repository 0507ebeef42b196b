"""
Wrapped person keys in a MySQL or MariaDB database of their own, shared by processes.

Ids and keys travel as hexadecimal, so that neither a character set nor an SQL mode touches them.
Every statement is a transaction of its own and may be repeated without harm.
"""

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

import pymysql
from pymysql.cursors import Cursor

from adapters.mysql_address import MysqlAddress
from adapters.security.wrapped_keys import WrappedKey
from domain.errors import PermanentError, TransientError

if TYPE_CHECKING:
    from pymysql.connections import Connection

T = TypeVar("T")
Row = tuple[Any, ...] | None

#: A server that says nothing for longer ends the statement and its connection.
WAIT_S: Final = 2
SESSION: Final = "SET SESSION innodb_lock_wait_timeout = 1, sql_mode = 'STRICT_ALL_TABLES'"
#: Bytes compare exactly: a text column would take 'p' and 'p ' for the same person.
TABLE: Final = """
CREATE TABLE IF NOT EXISTS person_keys (
    person_id VARBINARY(255) NOT NULL PRIMARY KEY,
    kek_version VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    wrapped VARBINARY(255) NULL
) ENGINE = InnoDB
"""
THERE: Final = "SELECT 1 FROM person_keys LIMIT 0"
SELECT: Final = "SELECT kek_version, HEX(wrapped) FROM person_keys WHERE person_id = UNHEX(%s)"
#: Not INSERT IGNORE: that would hide a value that does not fit.
INSERT: Final = """
INSERT INTO person_keys (person_id, kek_version, wrapped) VALUES (UNHEX(%s), %s, UNHEX(%s))
ON DUPLICATE KEY UPDATE person_id = person_id
"""
#: The row stays without its key, a tombstone: destroying is final.
DESTROY: Final = """
INSERT INTO person_keys (person_id, kek_version, wrapped) VALUES (UNHEX(%s), '', NULL)
ON DUPLICATE KEY UPDATE kek_version = '', wrapped = NULL
"""

NO_DATABASE: Final = 1049
NO_TABLE: Final = 1146
DENIED: Final = frozenset({1044, 1045, 1142, 1227, 1698})
#: Another transaction was in the way: lock wait, deadlock.
IN_THE_WAY: Final = frozenset({1205, 1213})
ATTEMPTS: Final = 3
FAILURES: Final = (pymysql.MySQLError, OSError)
#: How the driver says that a connection has ended.
LOST: Final = (pymysql.OperationalError, pymysql.InterfaceError, OSError)


class MysqlKeyStore:
    """Implements `KeyStore`; each thread that asks has a connection of its own."""

    def __init__(self, address: MysqlAddress) -> None:
        self._address = address
        self._mine = threading.local()
        self._lock = threading.Lock()
        self._opened: list[Connection[Cursor]] = []

    def prepare(self) -> None:
        """
        Make the database and the table where they are missing.

        Raises:
            PermanentError: the login may not use or make them.
            TransientError: the server is away.
        """
        try:
            self._run(lambda cursor: cursor.execute(THERE))
        except _MissingError as missing:
            if missing.number == NO_DATABASE:
                self._create_database()
            self._run(lambda cursor: cursor.execute(TABLE))

    def get(self, person_id: str) -> WrappedKey | None:
        """Return the stored key, a tombstone, or None."""
        name = person_id.encode().hex()

        def read(cursor: Cursor) -> Row:
            cursor.execute(SELECT, (name,))
            return cursor.fetchone()

        row = self._run(read)
        if row is None:
            return None
        return WrappedKey(row[0], None if row[1] is None else bytes.fromhex(row[1]))

    def put_if_absent(self, person_id: str, key: WrappedKey) -> WrappedKey:
        """Keep the key unless there is one, or a tombstone; return what is stored, durably."""
        wrapped = None if key.wrapped is None else key.wrapped.hex()
        row = (person_id.encode().hex(), key.kek_version, wrapped)
        self._run(lambda cursor: cursor.execute(INSERT, row))
        stored = self.get(person_id)
        if stored is None:
            raise TransientError("the key vault lost a row")
        return stored

    def destroy(self, person_id: str) -> None:
        """Replace the key by a tombstone; undo and binary logs forget it in their own time."""
        self._run(lambda cursor: cursor.execute(DESTROY, (person_id.encode().hex(),)))

    def close(self) -> None:
        """Close the connections of all threads."""
        with self._lock:
            opened, self._opened = self._opened, []
        for connection in opened:
            _end(connection)

    def _run(self, work: Callable[[Cursor], T]) -> T:
        """Run statements, once more on a fresh connection or after whoever was in the way."""
        for attempt in range(1, ATTEMPTS + 1):
            kept = getattr(self._mine, "connection", None) is not None
            try:
                with self._connection().cursor() as cursor:
                    return work(cursor)
            except FAILURES as error:
                number = _number(error)
                if number not in IN_THE_WAY:
                    self._forget()
                again = number in IN_THE_WAY or (kept and isinstance(error, LOST))
                if not again or attempt == ATTEMPTS:
                    raise _translated(error) from None
        raise AssertionError("unreachable")

    def _connection(self) -> "Connection[Cursor]":
        held: Connection[Cursor] | None = getattr(self._mine, "connection", None)
        if held is None:
            held = self._mine.connection = self._connect(self._address.database)
            with self._lock:
                self._opened.append(held)
        return held

    def _forget(self) -> None:
        held: Connection[Cursor] | None = getattr(self._mine, "connection", None)
        self._mine.connection = None
        if held is not None:
            with self._lock:
                if held in self._opened:
                    self._opened.remove(held)
            _end(held)

    def _connect(self, database: str | None) -> "Connection[Cursor]":
        where = self._address
        made: Connection[Cursor] = pymysql.connect(
            host=where.host, port=where.port, user=where.user, password=where.password,
            database=database, charset="utf8mb4", autocommit=True, init_command=SESSION,
            connect_timeout=WAIT_S, read_timeout=WAIT_S, write_timeout=WAIT_S,
            ssl_ca=where.tls.get("ssl_ca"), ssl_cert=where.tls.get("ssl_cert"),
            ssl_key=where.tls.get("ssl_key"),
        )  # fmt: skip
        return made

    def _create_database(self) -> None:
        quoted = self._address.database.replace("`", "``")
        try:
            with self._connect(None) as connection, connection.cursor() as cursor:
                cursor.execute(f"CREATE DATABASE IF NOT EXISTS `{quoted}`")
        except FAILURES as error:
            raise _translated(error) from None


class _MissingError(TransientError):
    """The database or its table is not there."""

    def __init__(self, number: int) -> None:
        super().__init__("the key vault has no table: start with the right to make it")
        self.number = number


def _translated(error: Exception) -> TransientError | PermanentError:
    """Return the port's error; the server's text may quote a value, so its number must do."""
    number = _number(error)
    if number in {NO_DATABASE, NO_TABLE}:
        return _MissingError(number)
    if number in DENIED:
        return PermanentError(
            "the key vault's database refuses the login in KEYS_MYSQL_URL, or a right"
        )
    if isinstance(error, pymysql.DataError):
        return PermanentError("a person's id is too long for the key vault")
    return TransientError(f"the key vault is away ({type(error).__name__} {number})")


def _number(error: Exception) -> int:
    return error.args[0] if error.args and isinstance(error.args[0], int) else 0


def _end(connection: "Connection[Cursor]") -> None:
    try:
        connection.close()
    except FAILURES:
        # It had ended already.
        return
