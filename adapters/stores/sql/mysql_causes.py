"""Why a server cannot be worked with, and what to do about it: in words, without a secret."""

import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pymysql.err import MySQLError

from adapters.mysql_address import MysqlAddress
from adapters.settings import RefusedError
from adapters.stores.sql.mysql_errors import CLIENT, READ_ONLY
from domain.errors import CreditError, TransientError

#: What goes wrong while one talks to a server; ValueError and the rest: it speaks no MySQL.
FAILURES: Final = (MySQLError, OSError, EOFError, ValueError, IndexError, AssertionError)

LOGIN: Final = ("refuses user or password", "correct them in {setting}")
GRANT: Final = "GRANT SELECT, INSERT, UPDATE, DELETE ON {database}.* to the user of {setting}"
FULL: Final = ("has no room: its disk or its tablespace is full", "free or add space there")
CROWDED: Final = (
    "has no connection left",
    "raise max_connections there, or start fewer processes",
)
METHOD: Final = (
    "logs this user in by a method that is not known here",
    "let the user of {setting} log in by caching_sha2_password or mysql_native_password",
)
READER: Final = ("is read-only", "name the writer's endpoint in {setting}")
REFUSALS: Final[Mapping[int, tuple[str, str]]] = {
    3: FULL,
    1021: FULL,
    1114: FULL,
    1040: CROWDED,
    1203: CROWDED,
    1226: CROWDED,
    1044: ("lets this user not use the database", GRANT),
    1142: ("lets this user not use a table", GRANT),
    1143: ("lets this user not use a column", GRANT),
    1045: LOGIN,
    1698: LOGIN,
    1251: METHOD,
    1524: METHOD,
    1049: ("has no such database", "create it, or correct its name in {setting}"),
    1129: ("has shut this host out after too many broken connections", "FLUSH HOSTS there"),
    1130: ("lets nobody in from this host", "allow this host for the user of {setting}"),
    1146: ("lacks a table", "run `creditctl db upgrade`"),
    **dict.fromkeys(READ_ONLY, READER),
}
#: The same may work later, when others have gone.
LATER: Final = frozenset({1040, 1203, 1226})
UNKNOWN_HOST: Final = ("is a host that is not known", "correct the host in {setting}")
NOBODY: Final = ("refuses the connection", "start the server, or correct host and port")
SILENCE: Final = (
    "does not answer in time",
    "see that the server is well, and that nothing between drops the packets",
)
TLS: Final = (
    "cannot be trusted, or speaks no TLS",
    "give the authority of its certificate as ssl_ca in {setting}",
)
BROKEN: Final = (
    "breaks the connection off",
    "see that MySQL or MariaDB listens there, and its log",
)
NO_FILE: Final = (
    "is not asked: a file of ssl_ca, ssl_cert or ssl_key cannot be read",
    "correct the path in {setting}, or the file's rights",
)


@dataclass(frozen=True, slots=True)
class Cause:
    """What was found and what to do; `error` is the kind of failure that it is."""

    found: str
    remedy: str
    error: type[CreditError]

    def raised(self) -> CreditError:
        """Return the error that says both."""
        return self.error(f"{self.found}: {self.remedy}")


def cause_of(error: Exception, address: MysqlAddress, setting: str) -> Cause:
    """Return why; the server's own text is left out, for it may quote a value."""
    number = number_of(error)
    if number and number not in CLIENT:
        what, remedy = REFUSALS.get(
            number, (f"refuses with error {number}", "see the server's log")
        )
        kind: type[CreditError] = TransientError if number in LATER else RefusedError
    else:
        (what, remedy), kind = _of_network(getattr(error, "original_exception", None) or error)
    place = f"{address.host}:{address.port}"
    told = remedy.format(setting=setting, database=address.database)
    return Cause(f"{place} {what}", told, kind)


def number_of(error: Exception) -> int:
    """Return the server's or the client's number of an error; 0 when it has none."""
    first = error.args[0] if isinstance(error, MySQLError) and error.args else 0
    return first if isinstance(first, int) else 0


def _of_network(error: BaseException) -> tuple[tuple[str, str], type[CreditError]]:
    if isinstance(error, ssl.SSLError) or _says_no_tls(error):
        return TLS, RefusedError
    if isinstance(error, socket.gaierror):
        return UNKNOWN_HOST, TransientError
    if isinstance(error, ConnectionRefusedError):
        return NOBODY, TransientError
    if isinstance(error, TimeoutError):
        return SILENCE, TransientError
    if isinstance(error, FileNotFoundError | PermissionError | IsADirectoryError):
        return NO_FILE, RefusedError
    return BROKEN, TransientError


def _says_no_tls(error: BaseException) -> bool:
    # The driver: TLS is asked for, and the server has none.
    return isinstance(error, MySQLError) and error.args[:1] == (2026,)
