"""SQLite's errors in the words of the truth port; never a value of a row."""

import re
from functools import cache
from typing import Final

import apsw
from sqlalchemy import PrimaryKeyConstraint, UniqueConstraint

from adapters.stores.sql.schema import metadata
from domain.ports.truth import DuplicateKeyError, LostConnectionError, ServerError, TruthError

#: The name that MySQL gives to the key which has none.
PRIMARY: Final = "PRIMARY"
TAKEN: Final = re.compile(r"UNIQUE constraint failed: (.+)")


def truth_error(error: apsw.Error) -> TruthError:
    """Return what a failed statement means to a program."""
    if isinstance(error, apsw.ConstraintError):
        taken = TAKEN.search(str(error))
        if taken is not None:
            columns = frozenset(taken[1].split(", "))
            return DuplicateKeyError(_key_names().get(columns, PRIMARY))
    if isinstance(error, apsw.ConnectionClosedError):
        return LostConnectionError("the connection is closed")
    return ServerError(f"SQLite: {type(error).__name__}")


def at_commit(error: apsw.Error) -> TruthError:
    """Return what a failed COMMIT means: after a fault of the disk nobody knows what it holds."""
    if isinstance(error, apsw.IOError | apsw.FullError | apsw.CorruptError):
        return LostConnectionError(f"commit: {type(error).__name__}")
    return truth_error(error)


@cache
def _key_names() -> dict[frozenset[str], str]:
    names = {}
    for table in metadata.sorted_tables:
        for constraint in table.constraints:
            if isinstance(constraint, UniqueConstraint | PrimaryKeyConstraint):
                columns = frozenset(f"{table.name}.{each.name}" for each in constraint.columns)
                named = isinstance(constraint, UniqueConstraint)
                names[columns] = str(constraint.name) if named else PRIMARY
    return names
