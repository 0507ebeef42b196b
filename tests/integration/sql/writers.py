"""Programs that go on writing decisions while the schema changes, and remember what was taken."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Any, Final

import pymysql

from tests.integration.sql.database import connected

#: What every program of the first schema writes.
COLUMNS: Final = (
    *("decision_id", "client_id", "idem_key", "command_hash", "customer_id", "person_id"),
    *("product", "amount", "term_months", "outcome", "policy_id", "policy_version", "score"),
    *("band", "decided_us", "decision_date", "duplicate_of", "reviewed_decision", "lane"),
    *("lane_seq", "salt", "content_hash", "evidence", "reply"),
)
#: Lock wait, deadlock: the program tries the transaction again.
AGAIN: Final = frozenset({1205, 1213})
#: Loaded rows of which the writers change some; the others must stay as they were.
TOUCHED: Final = 1_000


def loaded(number: int) -> str:
    """Return the id of a loaded decision."""
    return f"d-{number:07d}"


def load(url: str, rows: int) -> None:
    """Fill the table as a history of decisions would."""
    digits = " UNION ALL ".join(f"SELECT {digit} AS d" for digit in range(10))
    numbers = " CROSS JOIN ".join(f"({digits}) AS t{place}" for place in range(4))
    number = " + ".join(f"t{place}.d * {10**place}" for place in range(4))
    made = (
        "CONCAT('d-', LPAD(n, 7, '0')), 'client', CONCAT('key-', n), 'sha256:c',"
        " CONCAT('c-', MOD(n, 9973)), CONCAT('c.c-', MOD(n, 9973)), 'personal_loan', 100000 + n,"
        " 12, 'APPROVED', 'p', 1, 500, 'B', 1000000 + n, '2026-12-10', '', '', 'lane', n,"
        " REPEAT('s', 16), REPEAT('h', 32), REPEAT('e', 200), CONCAT('reply-', n)"
    )
    counted = f"SELECT %s + {number} AS n FROM {numbers}"  # noqa: S608
    filling = (
        f"INSERT INTO credit_decisions ({', '.join(COLUMNS)}) SELECT {made} FROM ({counted}) AS c"  # noqa: S608
    )
    with closing(connected(url)) as connection, connection.cursor() as cursor:
        for start in range(0, rows, 10_000):
            cursor.execute(f"{filling} WHERE n < %s", (start, rows))


@dataclass(slots=True)
class Writer:
    """One program: a transaction inserts a decision and changes an older reply, then reads both."""

    name: str
    url: str
    #: Columns that only the new program knows, with what it writes there.
    more: Mapping[str, str] = field(default_factory=dict)
    longest_s: float = 0.0
    statements: int = 0
    repeated: int = 0
    inserted: list[str] = field(default_factory=list)
    replies: dict[str, bytes] = field(default_factory=dict)
    error: BaseException | None = None

    def run(self, over: Event) -> None:
        """Write until told to stop; whatever goes wrong is kept for the test."""
        try:
            with closing(connected(self.url, autocommit=False)) as connection:
                connection.query("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
                connection.query("SET SESSION innodb_lock_wait_timeout = 5")
                while not over.is_set():
                    self.turn(connection)
        except BaseException as error:  # noqa: BLE001 - handed to the test's thread
            self.error = error

    def turn(self, connection: Any) -> None:
        """Do one transaction, again when the server asks for it, and read it back."""
        number = len(self.inserted)
        made = f"{self.name}-{number:07d}"
        older = loaded(number * 7 % TOUCHED * 2 + (self.name == "new"))
        reply = f"{self.name} {number}".encode()
        while not self._committed(connection, made, older, reply):
            self.repeated += 1
        self.inserted.append(made)
        self.replies[older] = self.replies[made] = reply
        wanted = {made: reply, older: reply}
        found = self.execute(
            connection,
            "SELECT decision_id, reply FROM credit_decisions WHERE decision_id IN (%s, %s)",
            (made, older),
        )
        connection.rollback()
        if dict(found) != wanted:
            raise AssertionError(f"{self.name}: {dict(found)} in place of {wanted}")

    def _committed(self, connection: Any, made: str, older: str, reply: bytes) -> bool:
        try:
            self.execute(connection, self._insert(), self._row(made, reply))
            changing = "UPDATE credit_decisions SET reply = %s WHERE decision_id = %s"
            self.execute(connection, changing, (reply, older))
            started = time.monotonic()
            connection.commit()
            self._noted(started)
        except pymysql.MySQLError as error:
            if error.args[0] not in AGAIN:
                raise
            connection.rollback()
            return False
        return True

    def execute(self, connection: Any, statement: str, parameters: Sequence[object]) -> Any:
        """Run one statement, noting how long it took."""
        started = time.monotonic()
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement, parameters)
                return cursor.fetchall()
        finally:
            self._noted(started)

    def _noted(self, started: float) -> None:
        self.statements += 1
        self.longest_s = max(self.longest_s, time.monotonic() - started)

    def _insert(self) -> str:
        names = (*COLUMNS, *self.more)
        values = ", ".join(["%s"] * len(names))
        return f"INSERT INTO credit_decisions ({', '.join(names)}) VALUES ({values})"  # noqa: S608

    def _row(self, made: str, reply: bytes) -> tuple[object, ...]:
        number = len(self.inserted)
        return (
            *(made, "client", made, "sha256:c", "c-1", "c.c-1", "personal_loan", 1, 12),
            *("DECLINED", "p", 1, None, "B", number, "2026-12-11", "", "", self.name, number),
            *(b"s" * 16, b"h" * 32, b"evidence", reply, *self.more.values()),
        )


@contextmanager
def writing(*writers: Writer) -> Iterator[None]:
    """Have programs write meanwhile; what went wrong in one is raised here."""
    over = Event()
    threads = [Thread(target=writer.run, args=(over,)) for writer in writers]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()
    for writer in writers:
        if writer.error is not None:
            raise writer.error
