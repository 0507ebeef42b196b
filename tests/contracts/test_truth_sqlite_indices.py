"""No statement walks through a table of the SQLite store of truth, but those that say why."""

import asyncio
import re

import apsw
import pytest

from adapters.stores.embedded.sqlite_file import SqliteFile
from adapters.stores.sql.schema import metadata
from adapters.stores.sql.sqlite_words import SqliteWords
from adapters.stores.sql.statements import renderers
from tests.contracts.every_statement import SEARCHES, WALKS, texts
from tests.contracts.filled import filling
from tests.contracts.opened import NEVER

WORDS = SqliteWords()
KNOWN = renderers(WORDS)
SCAN = re.compile(r"SCAN (\w+)")
TABLES = frozenset(metadata.tables)


def is_walk(text: str, details: list[str]) -> bool:
    """Return whether a plan walks; one in the order that is asked for ends with the page."""
    scans = any(found[1] in TABLES for each in details if (found := SCAN.match(each)))
    sorts = any("TEMP B-TREE" in each for each in details)
    return scans and (sorts or "LIMIT" not in text)


def walks(connection: apsw.Connection) -> list[tuple[object, list[str]]]:
    """Return the statements that walk through a table, with what SQLite says of it."""
    connection.execute("BEGIN")
    for text, params in filling(WORDS):
        connection.execute(text, tuple(params))
    connection.execute("ANALYZE")
    found: list[tuple[object, list[str]]] = []
    for statement, text, params in texts(KNOWN, SEARCHES):
        plan = connection.execute(f"EXPLAIN QUERY PLAN {text}", tuple(params)).fetchall()
        details = [str(row[3]) for row in plan]
        if is_walk(text, details):
            found.append((statement, details))
    connection.execute("ROLLBACK")
    return found


def test_every_search_uses_an_index(truth_file: SqliteFile) -> None:
    found = asyncio.run(truth_file.run(walks, NEVER))

    assert [each for each in found if each[0] not in WALKS] == []


@pytest.mark.parametrize(
    ("text", "details", "walks"),
    [
        ("", ["SCAN customers"], True),
        ("", ["SCAN credit_decisions USING INDEX idx_decision_newest"], True),
        ("LIMIT", ["SCAN credit_decisions USING INDEX idx_decision_newest"], False),
        ("LIMIT", ["SCAN customers", "USE TEMP B-TREE FOR ORDER BY"], True),
        ("", ["SEARCH customers USING PRIMARY KEY (customer_id=?)"], False),
        ("", ["SCAN json_each VIRTUAL TABLE INDEX 1:"], False),
    ],
)
def test_a_walk_is_known_by_what_sqlite_says(text: str, details: list[str], *, walks: bool) -> None:
    assert is_walk(text, details) is walks
