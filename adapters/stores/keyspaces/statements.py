"""
Every statement that is sent, in CQL that both Apache Cassandra and Amazon Keyspaces have.

None says `USING TIMESTAMP`: a version is not a time, and light-weight transactions and client
timestamps of one row undo one another. Names are those of this file and of the settings, never of
data. `tests/unit/keyspaces` holds the texts to what Keyspaces has.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

TABLE: Final = "creditdata"
KEY: Final = ("customer_id", "data_type")
FIXED: Final = ("version", "payload", "event_id", "ttl")
READABLE: Final = (
    "transaction_id", "amount", "status", "credit_score", "monthly_income", "existing_debts",
    "created_at", "updated_at",
)  # fmt: skip
COLUMNS: Final = (*KEY, *FIXED, *READABLE)
VALUES: Final = (*FIXED, *READABLE)

#: What Keyspaces takes at most: keys of one IN, statements of one unlogged batch.
IN_MAX: Final = 100
BATCH_MAX: Final = 30

#: The columns that appended rows have in common: what is not in a statement leaves no tombstone.
_TIMES: Final = ("created_at", "updated_at")
SHAPES: Final[tuple[tuple[str, ...], ...]] = (
    ("transaction_id", "amount", *_TIMES),
    ("status", *_TIMES),
    ("status", "credit_score", *_TIMES),
    ("amount", "status", *_TIMES),
    ("amount", "status", "credit_score", *_TIMES),
)


@dataclass(frozen=True, slots=True)
class Texts:
    """The statements of one keyspace; of each pair the second one sets a time to live."""

    read: str
    page: str
    held: str
    many: str
    replace: tuple[str, str]
    add: tuple[str, str]
    append: dict[tuple[str, ...], tuple[str, str]]
    remove: str

    def all(self) -> Sequence[str]:
        """Return every statement."""
        appended = [text for pair in self.append.values() for text in pair]
        return [
            self.read, self.page, self.held, self.many, *self.replace, *self.add, *appended,
            self.remove,
        ]  # fmt: skip


def texts(keyspace: str) -> Texts:
    """Return the statements on the table of a keyspace."""
    name = f"{keyspace}.{TABLE}"
    select = f"SELECT {', '.join(COLUMNS)} FROM {name}"  # noqa: S608  see above
    row = "customer_id = ? AND data_type = ?"
    changes = ", ".join(f"{column} = ?" for column in VALUES)
    return Texts(
        read=f"{select} WHERE {row}",
        page=f"{select} WHERE customer_id = ? AND data_type >= ? AND data_type < ?"
        " ORDER BY data_type DESC LIMIT ?",
        held=f"SELECT data_type, version, payload FROM {name}"  # noqa: S608
        " WHERE customer_id = ? AND data_type IN ?",
        many=f"{select} WHERE customer_id IN ? AND data_type = ?",
        replace=(
            f"UPDATE {name} SET {changes} WHERE {row} IF version < ?",  # noqa: S608
            f"UPDATE {name} USING TTL ? SET {changes} WHERE {row} IF version < ?",  # noqa: S608
        ),
        add=_inserts(name, VALUES, " IF NOT EXISTS"),
        append={shape: _inserts(name, (*FIXED, *shape)) for shape in (*SHAPES, READABLE)},
        remove=f"DELETE FROM {name} WHERE {row}",  # noqa: S608
    )


def _inserts(name: str, columns: Sequence[str], condition: str = "") -> tuple[str, str]:
    every = (*KEY, *columns)
    marks = ", ".join("?" * len(every))
    text = f"INSERT INTO {name} ({', '.join(every)}) VALUES ({marks}){condition}"  # noqa: S608
    return text, f"{text} USING TTL ?"
