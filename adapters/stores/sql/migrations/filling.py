"""Fills new columns of a table that is in use, a few rows at a time, waiting for nobody."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Event
from typing import Final

from sqlalchemy import Connection, TextClause, bindparam, text
from sqlalchemy.exc import OperationalError

from adapters.stores.sql.migrations.patience import PASSING, PAUSE_S, TRIES, code_of
from domain.errors import TransientError

CHUNK: Final = 500


@dataclass(frozen=True, slots=True)
class Filling:
    """Which columns of a table are filled with which expressions; all names of a revision."""

    table: str
    key: str
    values: Mapping[str, str]

    @property
    def missing(self) -> str:
        """Return the condition of a row that is not filled."""
        return " OR ".join(f"{column} IS NULL" for column in self.values)

    @property
    def update(self) -> str:
        """Return the statement that fills every row."""
        parts = (f"{name} = COALESCE({name}, {value})" for name, value in self.values.items())
        return f"UPDATE {self.table} SET {', '.join(parts)} WHERE ({self.missing})"  # noqa: S608

    def find(self) -> TextClause:
        """Return the statement that finds the next keys, locking nothing."""
        return text(
            f"SELECT {self.key} FROM {self.table} WHERE {self.key} > :after"  # noqa: S608
            f" AND ({self.missing}) ORDER BY {self.key} LIMIT :most"
        )

    def lock(self) -> TextClause:
        """Return the statement that locks those of some rows that nobody holds."""
        return _among(
            f"SELECT {self.key} FROM {self.table} WHERE {self.key} IN :keys FOR UPDATE SKIP LOCKED"  # noqa: S608
        )

    def fill(self) -> TextClause:
        """Return the statement that fills some rows."""
        return _among(f"{self.update} AND {self.key} IN :keys")


def fill(connection: Connection, filling: Filling, chunk: int) -> None:
    """
    Fill every row that is there now; each chunk is a transaction of its own.

    Raises:
        TransientError: rows stayed locked.
    """
    after, left = "", list[str]()
    while keys := _keys(connection, filling, after, chunk):
        left += _filled(connection, filling, keys)
        after = keys[-1]
    for _ in range(TRIES):
        if not left:
            return
        Event().wait(PAUSE_S)
        chunks = [left[start : start + chunk] for start in range(0, len(left), chunk)]
        left = [key for keys in chunks for key in _filled(connection, filling, keys)]
    raise TransientError(
        f"{len(left)} rows of {filling.table} stay locked: end the transaction that holds them and"
        " run `creditctl db upgrade` again, which goes on from here"
    )


def _keys(connection: Connection, filling: Filling, after: str, most: int) -> list[str]:
    found = connection.execute(filling.find(), {"after": after, "most": most})
    return [row[0] for row in found]


def _filled(connection: Connection, filling: Filling, keys: Sequence[str]) -> set[str]:
    """Fill what nobody holds of these rows, and return the others."""
    connection.execute(text("START TRANSACTION"))
    try:
        locked = connection.execute(filling.lock(), {"keys": list(keys)})
        free = [row[0] for row in locked]
        if free:
            connection.execute(filling.fill(), {"keys": free})
        connection.execute(text("COMMIT"))
    except OperationalError as error:
        connection.execute(text("ROLLBACK"))
        if code_of(error) not in PASSING:
            raise
        return set(keys)
    return set(keys) - set(free)


def _among(statement: str) -> TextClause:
    return text(statement).bindparams(bindparam("keys", expanding=True))
