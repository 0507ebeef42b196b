"""Values reach a real server as they are, whatever `sql_mode` the session has."""

from collections.abc import Iterator

import pymysql
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.stores.sql import mysql_session
from adapters.stores.sql.mysql_literals import literals
from tests.contracts.mysql import Server, connected
from tests.contracts.test_truth_ledger import test_identifiers_are_values_and_never_sql as odd_keys
from tests.contracts.truth_adapters import Store

MODES = ("", "NO_BACKSLASH_ESCAPES", "ANSI_QUOTES", "ANSI_QUOTES,NO_BACKSLASH_ESCAPES")
BITS = 63
TEXTS = st.text() | st.text("'\"\\`%_;-# /*\0\n\r\x1a\N{SNOWMAN}a")
NUMBERS = st.integers(-(1 << BITS), (1 << BITS) - 1)
ROWS = st.lists(TEXTS | st.binary() | NUMBERS | st.none(), min_size=1, max_size=8)


@pytest.fixture(scope="module")
def connection(server: Server) -> Iterator[pymysql.Connection]:
    with connected(server.address) as opened:
        yield opened


def asked(connection: pymysql.Connection, mode: str, row: list[object]) -> list[object]:
    """Return what the server understood."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET SESSION sql_mode = '{mode}'")
        cursor.execute(f"SELECT {literals(row)}")
        (found,) = cursor.fetchall()
    return list(found)


@pytest.mark.parametrize("mode", MODES)
@given(row=ROWS)
def test_every_value_comes_back(
    connection: pymysql.Connection, mode: str, row: list[object]
) -> None:
    assert asked(connection, mode, row) == row


def test_a_session_without_our_mode_changes_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    without = mysql_session.SETUP.replace("NO_BACKSLASH_ESCAPES,", "")
    assert without != mysql_session.SETUP
    monkeypatch.setattr(mysql_session, "SETUP", without)

    odd_keys(store)
