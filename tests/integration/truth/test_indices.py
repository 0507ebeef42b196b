"""No statement walks through a table of a real server, but those that say why."""

from collections.abc import Iterator
from typing import Any

import pytest

from adapters.stores.sql.mysql_session import SETUP
from adapters.stores.sql.mysql_words import MysqlWords
from adapters.stores.sql.schema import metadata
from adapters.stores.sql.statements import renderers
from tests.contracts.every_statement import SEARCHES, WALKS, texts
from tests.contracts.filled import filling
from tests.contracts.mysql import Server

WORDS = MysqlWords()
KNOWN = renderers(WORDS)
TABLES = frozenset(metadata.tables)


@pytest.fixture
def filled(server: Server) -> Iterator[Server]:
    """A server whose tables are full, and whose planner knows it."""
    server.empty()
    server.run(SETUP, "BEGIN", *(text for text, _ in filling(WORDS)), "COMMIT")
    server.run(f"ANALYZE TABLE {', '.join(sorted(TABLES))}")
    yield server
    server.empty()


def plan(server: Server, text: str) -> list[tuple[Any, ...]]:
    """Return (table, how it is read, by which index, what else is done) of each step."""
    return [(row[2], row[3], row[5], row[-1]) for row in server.run(SETUP, f"EXPLAIN {text}")]


def is_walk(text: str, step: tuple[Any, ...]) -> bool:
    """Return whether a step walks; one in the order that is asked for ends with the page."""
    table, how, _, other = step
    in_order = how == "index" and "LIMIT" in text and "filesort" not in str(other)
    return table in TABLES and how in ("ALL", "index") and not in_order


def walks(server: Server) -> list[tuple[object, tuple[Any, ...]]]:
    """Return the statements that walk through a table, with what the server says of it."""
    return [
        (statement, step)
        for statement, text, _ in texts(KNOWN, SEARCHES)
        for step in plan(server, text)
        if is_walk(text, step)
    ]


def test_every_search_uses_an_index(filled: Server) -> None:
    found = walks(filled)

    assert [each for each in found if each[0] not in WALKS] == []
    assert {statement for statement, _ in found} == set(WALKS)


def test_a_search_without_an_index_is_told(filled: Server) -> None:
    assert plan(filled, "SELECT amount FROM credit_decisions WHERE amount = 5") == [
        ("credit_decisions", "ALL", None, "Using where")
    ]
