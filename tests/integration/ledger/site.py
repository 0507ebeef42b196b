"""
A place to tamper at: an open ledger, what is in it, and how to take everything back.

Each fault changes one ledger through SQL, says which code is to be found at which place, and is
taken back afterwards from a changeset of SQLite's.
"""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from random import Random
from typing import Any, Final

import apsw

from adapters.stores.embedded.directory import TRUTH
from decision_engine.record.statements import BatchRow, DecisionRow

Expected = tuple[str, str]

DECISIONS: Final = "credit_decisions"
BATCHES: Final = "ledger_batches"
#: An id that no builder gives.
ADDED: Final = "00000000-0000-7000-8000-00000000add0"
BATCH_NAMES: Final = ", ".join(field.name for field in fields(BatchRow))
DECISION_NAMES: Final = ", ".join(field.name for field in fields(DecisionRow))
LAST: Final = "SELECT lane, max(sequence) FROM ledger_batches GROUP BY lane"
HIDDEN: Final = "name = 'idx_decision_lane'"


@dataclass(frozen=True, slots=True)
class Site:
    """An open ledger and chance; whatever changes it makes sure that it did."""

    connection: apsw.Connection
    random: Random

    def rows(self, text: str, *bindings: Any) -> list[tuple[Any, ...]]:
        """Read something."""
        return self.connection.execute(text, bindings).fetchall()

    def run(self, text: str, *bindings: Any) -> None:
        """Change something."""
        self.connection.execute(text, bindings)
        assert self.connection.changes() > 0, text

    def decision(self, where: str = "evidence IS NOT NULL") -> DecisionRow:
        """Return some decision."""
        return DecisionRow(*self._any(DECISION_NAMES, DECISIONS, where, "decision_id"))

    def batch(self, where: str = "n > 2") -> BatchRow:
        """Return some batch, by default of several decisions, that is no head."""
        where = f"{where} AND (lane, sequence) NOT IN ({LAST})"
        return BatchRow(*self._any(BATCH_NAMES, BATCHES, where, "lane, sequence"))

    def batches(self, lane: str, since: int) -> list[BatchRow]:
        """Return the batches of a lane from a place on."""
        rest = "WHERE lane = ? AND sequence >= ? ORDER BY sequence"
        found = self.rows(_sql("SELECT", BATCH_NAMES, "FROM", BATCHES, rest), lane, since)
        return [BatchRow(*row) for row in found]

    def decisions_of(self, batch: BatchRow) -> list[DecisionRow]:
        """Return the decisions of a batch."""
        rest = "WHERE lane = ? AND lane_seq = ? ORDER BY decision_id"
        text = _sql("SELECT", DECISION_NAMES, "FROM", DECISIONS, rest)
        found = self.rows(text, batch.lane, batch.sequence)
        return [DecisionRow(*row) for row in found]

    def put(self, row: DecisionRow | BatchRow, **columns: Any) -> None:
        """Give columns of a row other values."""
        table, where, key = _place(row)
        changes = ", ".join(f"{name} = ?" for name in columns)
        self.run(_sql("UPDATE", table, "SET", changes, where), *columns.values(), *key)

    def put_sql(self, row: DecisionRow, column: str, value: str) -> None:
        """Give a column what an expression says."""
        table, where, key = _place(row)
        self.run(_sql("UPDATE", table, "SET", column, "=", value, where), *key)

    def insert(self, row: DecisionRow) -> None:
        """Add a decision."""
        values = tuple(getattr(row, field.name) for field in fields(row))
        marks = ", ".join("?" * len(values))
        head = f"{DECISIONS} ({DECISION_NAMES})"
        self.run(_sql("INSERT INTO", head, "VALUES", f"({marks})"), *values)

    def drop(self, table: str, row: BatchRow, which: str) -> None:
        """Delete the rows of a lane on one side of a batch; there may be none."""
        text = _sql("DELETE FROM", table, "WHERE lane = ? AND", which, "?")
        self.connection.execute(text, (row.lane, row.sequence))

    def _any(self, names: str, table: str, where: str, order: str) -> tuple[Any, ...]:
        ((count,),) = self.rows(_sql("SELECT count(*) FROM", table, "WHERE", where))
        rest = f"ORDER BY {order} LIMIT 1 OFFSET {self.random.randrange(count)}"
        return self.rows(_sql("SELECT", names, "FROM", table, "WHERE", where, rest))[0]


Fault = Callable[[Site], list[Expected]]


def _sql(*words: str) -> str:
    return " ".join(words)


def _place(row: DecisionRow | BatchRow) -> tuple[str, str, tuple[Any, ...]]:
    if isinstance(row, DecisionRow):
        return DECISIONS, "WHERE decision_id = ?", (row.decision_id,)
    return BATCHES, "WHERE lane = ? AND sequence = ?", (row.lane, row.sequence)


def flipped(value: Any, random: Random) -> Any:
    """Return a value with one bit, or one letter, changed."""
    if isinstance(value, int):
        return value ^ 1
    if isinstance(value, bytes):
        place = random.randrange(len(value))
        return value[:place] + bytes([value[place] ^ 1 << random.randrange(8)]) + value[place + 1 :]
    if not value:
        return "x"
    place = random.randrange(len(value))
    # A digit must not become another one: the key of a neighbour is taken.
    letter = chr(ord(value[place]) ^ 0x10)
    return value[:place] + letter + value[place + 1 :]


def hide_a_decision(data: Path) -> None:
    """Add a decision that the index of the lanes does not hold."""
    path = str(data / TRUTH)
    with closing(apsw.Connection(path)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        site = Site(connection, Random(0))
        kept = site.rows(_sql("SELECT * FROM sqlite_schema WHERE", HIDDEN))
        site.run(_sql("DELETE FROM sqlite_schema WHERE", HIDDEN))
    with closing(apsw.Connection(path)) as connection:
        site = Site(connection, Random(0))
        site.insert(replace(site.decision(), decision_id=ADDED, idem_key="added"))
    with closing(apsw.Connection(path)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("INSERT INTO sqlite_schema VALUES (?, ?, ?, ?, ?)", kept[0])


@contextmanager
def tampered(data: Path, fault: Fault, seed: int) -> Iterator[list[Expected]]:
    """Do it to the ledger of a folder, and take it back at the end."""
    with closing(apsw.Connection(str(data / TRUTH))) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        session = apsw.Session(connection, "main")
        for table in (DECISIONS, BATCHES):
            session.attach(table)
        expected = fault(Site(connection, Random(seed)))
        changes = session.changeset()
        session.close()
        try:
            yield expected
        finally:
            apsw.Changeset.apply(apsw.Changeset.invert(changes), connection)
