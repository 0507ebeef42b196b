"""The revisions on a real server: where they lead, back again, and what is refused."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, make_url

from adapters.bootstrap.command_line import EmbeddedWiring
from adapters.inbound.cli.wiring import Place, SchemaState
from adapters.settings import CommandLineSettings
from adapters.stores.sql.migrations import online
from adapters.stores.sql.migrations.server import Server
from adapters.stores.sql.migrations.version import READ_REVISION, REVISION, check_revision
from adapters.stores.sql.schema import metadata
from domain.errors import (
    ConflictError,
    CreditError,
    InvalidInputError,
    PermanentError,
    TransientError,
)
from tests.integration.sql.database import REVISIONS, ask, connected, described, fresh

#: A279-A284 and A89, with the columns that ARCHITECTURE's readings give them.
OF_THE_BRIEF = {
    ("customers", "idx_customer_cpf"): ["cpf_index"],
    ("customers", "idx_customer_status"): ["status"],
    ("transactions", "idx_transaction_date"): ["occurred_us"],
    ("transactions", "idx_customer_transaction"): ["customer_id", "occurred_us"],
    ("credit_decisions", "idx_decision_date"): ["decision_date"],
    ("credit_decisions", "idx_customer_decision"): ["customer_id", "decision_date"],
    ("credit_decisions", "idx_combined_customer_status"): [
        "customer_id", "outcome", "decision_date",
    ],
}  # fmt: skip

#: Steps of each revision before which it breaks off.
BREAKS = {"0001": (2, 30), "0002": (1, 2, 3), "9001": (1,), "9002": (1, 2)}

WINDOW = "INSERT INTO loss_windows (window_id, opened_us, opened_by, reason, cause)"


@pytest.fixture(scope="module")
def migrated(server: str) -> Iterator[str]:
    with fresh(server) as database:
        Server.at(database).upgrade()
        yield database


def wiring() -> EmbeddedWiring:
    return EmbeddedWiring(CommandLineSettings())


def place(url: str) -> Place:
    return Place(url, Path("unused"))


def revision_of(url: str) -> Sequence[tuple[Any, ...]]:
    return ask(url, READ_REVISION)


def test_the_revisions_build_what_the_schema_says(migrated: str, url: str) -> None:
    engine = create_engine(make_url(url).set(drivername="mysql+pymysql"))
    metadata.create_all(engine)
    engine.dispose()

    built, said = described(migrated), described(url)

    assert built["tables"]
    for part, rows in said.items():
        assert built[part] == rows


def test_every_text_compares_by_bytes_whatever_the_database_says(migrated: str) -> None:
    found = described(migrated)

    assert {row[1:] for row in found["tables"]} == {("InnoDB", "Dynamic", "utf8mb4_bin")}
    assert {row[6:8] for row in found["columns"]} == {("utf8mb4", "utf8mb4_bin"), (None, None)}


def test_every_index_of_the_brief_is_there(migrated: str) -> None:
    found: dict[tuple[str, str], list[str]] = {}
    for table, index, _, column, _, part in described(migrated)["indices"]:
        assert part is None, f"{table}.{index} holds only a part of {column}"
        found.setdefault((table, index), []).append(column)

    assert {key: found.get(key) for key in OF_THE_BRIEF} == OF_THE_BRIEF


def test_each_revision_goes_back_to_what_was_before(url: str) -> None:
    migrated = Server.at(url, (REVISIONS,))
    seen = [described(url)]
    targets = ["0001", "0002", "9001", "9002"]
    for target in targets:
        assert migrated.upgrade(target) == target
        seen.append(described(url))
    for target in ["9001", "0002", "0001", "0000"]:
        seen.pop()
        assert migrated.downgrade(target) == target
        assert described(url) == seen[-1]


def test_a_revision_that_broke_off_goes_on(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = breaks_at = 0

    def breaking(step: Callable[..., None]) -> Callable[..., None]:
        def run(*parts: Any, **options: Any) -> None:
            nonlocal calls
            calls += 1
            if calls == breaks_at:
                raise TransientError("cut")
            step(*parts, **options)

        return run

    for name in ("create_table", "add_index", "add_column", "backfill"):
        monkeypatch.setattr(online, name, breaking(getattr(online, name)))
    for target, breaks in BREAKS.items():
        for place in breaks:
            calls, breaks_at = 0, place
            with pytest.raises(TransientError, match="cut"):
                Server.at(url, (REVISIONS,)).upgrade(target)
        breaks_at = 0
        assert Server.at(url, (REVISIONS,)).upgrade(target) == target
    broken = described(url)
    Server.at(url, (REVISIONS,)).downgrade("0000")
    Server.at(url, (REVISIONS,)).upgrade()

    assert broken == described(url)


def test_commands_upgrade_look_and_go_back(url: str) -> None:
    assert wiring().schema_state(place(url)).found == "0000"
    made = wiring().upgrade_schema(place(url))
    assert (made.found, made.needed) == (REVISION, REVISION)
    assert "app:app" not in made.place
    assert made.place.startswith("127.0.0.1:")
    assert wiring().upgrade_schema(place(url)) == made == wiring().schema_state(place(url))
    assert wiring().downgrade_schema(place(url), "0001", lose=False).found == "0001"
    assert wiring().downgrade_schema(place(url), "0002", lose=False).found == "0001"


def test_the_program_prints_one_document_and_no_password(url: str) -> None:
    program = Path(sys.executable).with_name("creditctl")
    done = subprocess.run(
        [program, "db", "upgrade", "--json"],
        env={**os.environ, "MYSQL_URL": url},
        capture_output=True,
        text=True,
        check=True,
    )

    assert json.loads(done.stdout)["found"] == REVISION
    assert done.stderr == ""
    assert "app:app" not in done.stdout


def test_what_holds_data_is_dropped_only_by_force(url: str) -> None:
    wiring().upgrade_schema(place(url))
    ask(url, f"{WINDOW} VALUES ('w', 1, 'a', 'b', 'c')")

    with pytest.raises(ConflictError, match=r"drop loss_windows with what they hold") as refused:
        wiring().downgrade_schema(place(url), "0001", lose=False)

    assert "audit_log" not in str(refused.value)
    assert ask(url, "SELECT window_id, released_us FROM loss_windows") == [("w", 0)]
    assert wiring().downgrade_schema(place(url), "0001", lose=True).found == "0001"


def test_a_service_starts_on_its_own_schema_only(url: str) -> None:
    with pytest.raises(PermanentError, match=r"no schema yet: run `creditctl db upgrade`"):
        check_revision([])
    Server.at(url).upgrade("0001")
    with pytest.raises(PermanentError, match=r"0001, older than .*`creditctl db upgrade`"):
        check_revision(revision_of(url))
    Server.at(url).upgrade()
    check_revision(revision_of(url))
    newer = Server.at(url, (REVISIONS,))
    newer.upgrade()
    with pytest.raises(PermanentError, match=r"9002, newer than"):
        check_revision(revision_of(url))
    with pytest.raises(PermanentError, match=r"newer than .* of this program"):
        Server.at(url).upgrade()
    with pytest.raises(PermanentError, match=r"newer than .* of this program"):
        Server.at(url).downgrade("0001")
    assert wiring().schema_state(place(url)) == SchemaState(newer.place, "9002", REVISION)


def test_one_migration_at_a_time(url: str) -> None:
    name = make_url(url).database
    with closing(connected(url)) as other, other.cursor() as cursor:
        cursor.execute(f"SELECT GET_LOCK('migrations:{name}', 0)")
        with pytest.raises(ConflictError, match="another migration"):
            Server.at(url).upgrade()

    assert Server.at(url).upgrade() == REVISION


@pytest.mark.parametrize(
    ("change", "kind", "sentence"),
    [
        ({"port": 1}, TransientError, "nothing answers as MySQL"),
        ({"password": "wrong"}, PermanentError, "refuses user or password"),
        ({"database": "nowhere"}, PermanentError, "no such database"),
        ({"drivername": "postgresql"}, InvalidInputError, "the URL is like"),
        ({"database": ""}, InvalidInputError, "the URL is like"),
    ],
)
def test_what_cannot_be_reached_is_told_without_the_password(
    url: str, change: dict[str, Any], kind: type[CreditError], sentence: str
) -> None:
    other = make_url(url).set(**change).render_as_string(hide_password=False)

    with pytest.raises(kind, match=sentence) as told:
        Server.at(other).upgrade()

    assert "app:" not in str(told.value)
    assert "wrong" not in str(told.value)
