"""Revisions while programs of the schema before and after them go on."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from functools import partial

import pytest

from adapters.stores.sql.migrations import filling, patience
from adapters.stores.sql.migrations.server import Server
from domain.errors import TransientError
from tests.integration.sql.database import REVISIONS, ask, connected
from tests.integration.sql.side_by_side import LONGEST_S, check_side_by_side
from tests.integration.sql.writers import Writer, load, loaded, writing

ROWS = 100_000


@dataclass(frozen=True, slots=True)
class Releasing:
    """A pause in which somebody else's transaction ends."""

    release: Callable[[], None]

    def wait(self, _seconds: float) -> None:
        self.release()


def test_old_and_new_programs_go_on_and_lose_nothing(url: str) -> None:
    found = check_side_by_side(url, ROWS)

    assert found["rows"] == ROWS


def test_a_table_that_stays_locked_is_left_alone_and_nobody_waits_long(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "TRIES", 3)
    server = Server.at(url, (REVISIONS,))
    server.upgrade("0002")
    load(url, 2_000)
    writer = Writer("old", url)
    with closing(connected(url, autocommit=False)) as holding, holding.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM credit_decisions")
        with writing(writer), pytest.raises(TransientError, match="end it and run"):
            server.upgrade()
        assert server.found() == "0002"
        holding.rollback()

    assert writer.inserted
    assert writer.longest_s < LONGEST_S
    assert server.upgrade() == "9002"


def test_a_row_that_stays_locked_is_left_for_the_end(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filling, "TRIES", 2)
    server = Server.at(url, (REVISIONS,))
    server.upgrade("9001")
    load(url, 2_000)
    with closing(connected(url, autocommit=False)) as holding, holding.cursor() as cursor:
        asked = "SELECT 1 FROM credit_decisions WHERE decision_id = %s FOR UPDATE"
        cursor.execute(asked, (loaded(7),))
        with pytest.raises(TransientError, match="1 rows of credit_decisions stay locked"):
            server.upgrade()
        missing = ask(url, "SELECT decision_id FROM credit_decisions WHERE channel IS NULL")
        assert missing == [(loaded(7),)]
        monkeypatch.setattr(filling, "TRIES", 40)
        monkeypatch.setattr(filling, "Event", partial(Releasing, holding.rollback))
        assert server.upgrade() == "9002"

    assert ask(url, "SELECT COUNT(*) FROM credit_decisions WHERE channel IS NULL") == [(0,)]
