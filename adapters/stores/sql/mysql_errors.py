"""
MySQL's and MariaDB's errors in the words of the truth port; never a value of a row.

Numbers: MySQL 8.4 Reference Manual, "Server Error Message Reference" and "Client Error Message
Reference"; MariaDB Knowledge Base, "MariaDB Error Codes".
"""

import re
from dataclasses import dataclass
from typing import Final

from domain.ports.truth import (
    DataError,
    DeadlockError,
    DuplicateKeyError,
    LockWaitError,
    LostConnectionError,
    ServerError,
    TruthError,
)

DUPLICATE: Final = 1062
LOCK_WAIT: Final = 1205
DEADLOCK: Final = 1213
#: This server takes no writes (any more): it became a reader, or somebody set `read_only`.
READ_ONLY: Final = frozenset({1290, 1792, 1836, 3100})
#: Out of range, not of the column's kind or character set, too long.
BAD_VALUE: Final = frozenset({1264, 1265, 1292, 1366, 1406})
#: The session is over, or will be before its next answer.
ENDING: Final = frozenset({1053, 1077, 1079, 1152, 1153, 1158, 1159, 1160, 1161, 1184, 1927, 3169})
#: What a client library says of a connection that broke.
CLIENT: Final = range(2000, 3000)
#: It is this service, not the server, that must be mended before it can work.
NOT_FOR_US: Final = frozenset({1044, 1045, 1049, 1129, 1130, 1142, 1146, 1227, 1251, 1524, 1698})
KEY: Final = re.compile(r"for key '(?:[^'.]+\.)?([^'.]+)'\s*$")


@dataclass(frozen=True, slots=True)
class Refusal(Exception):  # noqa: N818  it becomes an error of the port
    """The server refused a statement: its number and message, which may hold a value."""

    number: int
    message: str


class BrokenError(Exception):
    """The connection broke, or did not answer in time."""


def wire_error(error: Exception) -> Refusal | BrokenError:
    """Return the session's error for one that a driver raised, or the system under it."""
    if isinstance(error, TimeoutError):
        return BrokenError("no answer in time")
    if isinstance(error, OSError | EOFError):
        return BrokenError(type(error).__name__)
    # Both drivers say a number and a message; less is said of a connection that broke.
    number, message = error.args[:2] if len(error.args) > 1 else (0, "")
    if not number or number in CLIENT:
        return BrokenError(f"client error {number}")
    return Refusal(number, message)


def truth_error(refusal: Refusal) -> TruthError:
    """Return what a refused statement means to a program."""
    if refusal.number == DUPLICATE:
        key = KEY.search(refusal.message)
        return DuplicateKeyError(key[1] if key else "unknown")
    if refusal.number == DEADLOCK:
        return DeadlockError("the server chose this transaction")
    if refusal.number == LOCK_WAIT:
        return LockWaitError("a lock was not granted in time")
    if is_lost(refusal.number):
        return LostConnectionError(f"the server ended the session: {refusal.number}")
    kind = DataError if refusal.number in BAD_VALUE else ServerError
    return kind(f"MySQL: error {refusal.number}")


def is_lost(number: int) -> bool:
    """Return whether an error means that this connection is of no more use for writing."""
    return number in ENDING or number in READ_ONLY or number in CLIENT
