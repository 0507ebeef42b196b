"""Changes the schema of an embedded file full of rows, up and down, while others use the file."""

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import Final

import apsw

from adapters.stores.embedded.opening import Layout, open_writer, version_of
from adapters.stores.sql.migrations.embedded import rendered, schema_upgrades
from adapters.stores.sql.migrations.scripts import configured, revisions, sqlite_text
from tests.integration.sql.database import REVISIONS
from tests.integration.sql.writers import COLUMNS, loaded

FIRST: Final = Layout("truth", 1, (rendered(1, "upgrade"),))
#: No reader may wait longer. A second writer waits for the upgrade; in the product there is none.
LONGEST_S: Final = 1.0
TOUCHED: Final = 1_000
PATIENCE_MS: Final = 120_000
REST_S: Final = 0.02

LOAD: Final = f"""
WITH RECURSIVE number (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM number WHERE n + 1 < ?)
INSERT INTO credit_decisions ({", ".join(COLUMNS)})
SELECT printf('d-%07d', n), 'client', 'key-' || n, 'sha256:c', 'c-' || (n % 9973),
 'c.c-' || (n % 9973), 'personal_loan', 100000 + n, 12, 'APPROVED', 'p', 1, 500, 'B', 1000000 + n,
 '2026-12-10', '', '', 'lane', n, zeroblob(16), zeroblob(32), zeroblob(200), 'reply-' || n
FROM number"""  # noqa: S608 - our own columns
INSERT: Final = (
    f"INSERT INTO credit_decisions ({', '.join(COLUMNS)}) VALUES"  # noqa: S608 - our own columns
    " (?, 'client', ?, 'sha256:c', 'c-1', 'c.c-1', 'personal_loan', 1, 12, 'DECLINED', 'p', 1,"
    " NULL, 'B', 1, '2026-12-11', '', '', 'w', 1, zeroblob(16), zeroblob(32), NULL, ?)"
)
CHANGE: Final = "UPDATE credit_decisions SET reply = ? WHERE decision_id = ?"
READ: Final = "SELECT reply FROM credit_decisions WHERE decision_id = ?"


def expanded() -> Layout:
    """Return the layout that the tests' own revisions lead to, too."""
    more = [script for script in revisions(configured((REVISIONS,))) if script.revision > "9"]
    upgrades = (*schema_upgrades(), *(sqlite_text(script, "upgrade") for script in more))
    return Layout("truth", len(upgrades) + 1, (), upgrades)


def downgrades() -> list[str]:
    """Return the SQL from there back to the first schema, in the order in which it runs."""
    found = revisions(configured((REVISIONS,)))[1:]
    return [sqlite_text(script, "downgrade") for script in reversed(found)]


def make_old(path: Path, rows: int) -> None:
    """Make a file of the first schema with decisions in it."""
    with closing(open_writer(path, FIRST, None)) as connection:
        connection.execute(LOAD, (rows,))


@dataclass(slots=True)
class Loop:
    """Does something on a connection of its own until it is told to stop."""

    path: Path
    step: Callable[[apsw.Connection, int], None]
    #: SQLite hands its lock to whoever asks at the right moment: without a rest between them, the
    #: transactions of one connection may keep another out for longer than it waits.
    rest_s: float = 0.0
    done: int = 0
    longest_s: float = 0.0
    errors: list[BaseException] = field(default_factory=list)

    def run(self, over: Event) -> None:
        """Go on; whatever goes wrong is kept for the test."""
        try:
            with closing(apsw.Connection(str(self.path))) as connection:
                connection.set_busy_timeout(PATIENCE_MS)
                while not over.is_set():
                    started = time.monotonic()
                    self.step(connection, self.done)
                    self.longest_s = max(self.longest_s, time.monotonic() - started)
                    self.done += 1
                    over.wait(self.rest_s)
        except BaseException as error:  # noqa: BLE001 - handed to the test's thread
            self.errors.append(error)


def write(connection: apsw.Connection, number: int) -> None:
    """Insert a decision and change an older one, as the program of the first schema did."""
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(INSERT, (f"w-{number:07d}", f"w-{number}", f"written {number}"))
    connection.execute(CHANGE, (f"changed {number}", loaded(number % TOUCHED)))
    connection.execute("COMMIT")


def read(connection: apsw.Connection, number: int) -> None:
    """Read a decision that nobody changes."""
    place = TOUCHED + number % TOUCHED
    assert connection.execute(READ, (loaded(place),)).fetchall() == [(f"reply-{place}",)]


@contextmanager
def beside(*loops: Loop) -> Iterator[None]:
    """Have loops go on meanwhile, and raise what went wrong in one."""
    over = Event()
    threads = [Thread(target=loop.run, args=(over,)) for loop in loops]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()
    for loop in loops:
        if loop.errors:
            raise loop.errors[0]


def check_file(path: Path, rows: int) -> Mapping[str, int | float]:
    """
    Expand, fill, index and go back on `rows` decisions of a file.

    Raises:
        AssertionError: a write was lost, a row differs, or a reader waited too long.
    """
    make_old(path, rows)
    before = _content(path)
    writer, reader = Loop(path, write, rest_s=REST_S), Loop(path, read)
    started = time.monotonic()
    with beside(writer, reader):
        open_writer(path, expanded(), None).close()
    upgrade_s = time.monotonic() - started
    with closing(apsw.Connection(str(path))) as connection:
        assert version_of(connection) == expanded().version
        empty = "SELECT COUNT(*) FROM credit_decisions WHERE decision_id < 'e' AND channel IS NULL"
        assert connection.execute(empty).fetchall() == [(0,)]
    with beside(reader):
        _go_back(path)
    assert _content(path) == before, "a row that nobody touched differs, or the schema does"
    _check_written(path, writer.done, rows)
    assert reader.longest_s < LONGEST_S, f"a reader waited {reader.longest_s:.2f} s"
    return {
        "file_rows": rows,
        "file_writes": writer.done,
        "file_reads": reader.done,
        "file_longest_read_s": round(reader.longest_s, 3),
        "file_upgrade_s": round(upgrade_s, 3),
    }


def _go_back(path: Path) -> None:
    with closing(open_writer(path, expanded(), None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        for text in downgrades():
            connection.execute(text)
        connection.execute("PRAGMA user_version = 1")
        connection.execute("COMMIT")


def _content(path: Path) -> tuple[object, str]:
    """Return the schema, and a hash of every row that nobody touches."""
    found = hashlib.sha256()
    asked = "SELECT * FROM credit_decisions WHERE decision_id >= ? AND decision_id < 'd-:'"
    with closing(apsw.Connection(str(path))) as connection:
        for row in connection.execute(asked, (loaded(TOUCHED),)):
            found.update(repr(row).encode())
        schema = connection.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall()
    return schema, found.hexdigest()


def _check_written(path: Path, done: int, rows: int) -> None:
    assert done, "the program before has written nothing meanwhile"
    last = {loaded(number % TOUCHED): f"changed {number}" for number in range(done)}
    with closing(apsw.Connection(str(path))) as connection:
        made = connection.execute(
            "SELECT decision_id, reply FROM credit_decisions WHERE decision_id > 'w' ORDER BY 1"
        ).fetchall()
        found = {key: connection.execute(READ, (key,)).fetchall()[0][0] for key in last}
        ((count,),) = connection.execute("SELECT COUNT(*) FROM credit_decisions").fetchall()
    assert made == [(f"w-{number:07d}", f"written {number}") for number in range(done)]
    assert found == last
    assert count == rows + done
