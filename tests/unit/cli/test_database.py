"""`creditctl db`: which place, what is said, and the exit code."""

from pathlib import Path

import pytest

from adapters.bootstrap.command_line import EmbeddedWiring
from adapters.bootstrap.stores import truth_layout
from adapters.inbound.cli.wiring import Place
from adapters.settings import CommandLineSettings
from adapters.stores.embedded.directory import DataFolder
from adapters.stores.embedded.opening import Layout, open_writer
from adapters.stores.sql.migrations.embedded import rendered
from adapters.stores.sql.migrations.version import REVISION
from domain.errors import ConflictError, InvalidInputError, PermanentError
from tests.unit.cli.conftest import Terminal
from tests.unit.cli.fake_wiring import FakeWiring

URL = "mysql://app:secret@db:3306/credit"


def test_status_says_what_to_do_and_fails_when_there_is_something(
    run: Terminal, wiring: FakeWiring
) -> None:
    told = {}
    for wiring.schema in ("0000", "0001", "0002", "0003"):
        result = run("db", "status")
        told[wiring.schema] = (result.exit_code, result.stdout)

    assert [code for code, _ in told.values()] == [1, 1, 0, 1]
    assert "no schema yet; `creditctl db upgrade` makes it" in told["0000"][1]
    assert "0001, older than 0002 of this program" in told["0001"][1]
    assert "0002, as this program needs it" in told["0002"][1]
    assert "0003, newer than 0002 of this program" in told["0003"][1]


def test_a_program_reads_the_state(run: Terminal) -> None:
    wanted = {"place": "here", "found": "0001", "needed": "0002", "ok": False}

    assert run.document("db", "status", code=1) == wanted
    assert run.document("db", "upgrade") == {**wanted, "found": "0002", "ok": True}


def test_the_place_is_what_was_named_else_the_database_else_the_folder(
    run: Terminal, wiring: FakeWiring, tmp_path: Path
) -> None:
    run("db", "upgrade")
    wiring.mysql = URL
    run("db", "upgrade")
    run("db", "upgrade", "--data", str(tmp_path))
    run("db", "upgrade", "--url", "mysql://other/credit")

    found = [(place.url, place.data) for place in wiring.places]
    other = "mysql://other/credit"
    assert found == [
        (None, wiring.data), (URL, wiring.data), (None, tmp_path), (other, wiring.data),
    ]  # fmt: skip
    assert "secret" not in repr(wiring.places)


def test_both_places_are_usage(run: Terminal, wiring: FakeWiring, tmp_path: Path) -> None:
    result = run("db", "status", "--url", URL, "--data", str(tmp_path))

    assert result.exit_code == 2
    assert "exclude each other" in result.stderr
    assert wiring.places == []


def test_going_back_needs_a_revision_and_drops_data_only_by_force(
    run: Terminal, wiring: FakeWiring
) -> None:
    assert run("db", "downgrade").exit_code == 2
    assert "four digits" in run("db", "downgrade", "--to", "1").stderr
    run("db", "downgrade", "--to", "0001")
    run("db", "downgrade", "--to", "0001", "--force-data-loss")

    assert wiring.lost == [False, True]


def test_a_refusal_is_one_sentence(run: Terminal, wiring: FakeWiring) -> None:
    wiring.failure = ConflictError("going back would drop audit_log", code="data-loss")
    result = run("db", "downgrade", "--to", "0001")

    assert result.exit_code == 1
    assert "Going back would drop audit_log." in result.stderr


# --- the wiring on a folder ---------------------------------------------------------------------


def wired() -> EmbeddedWiring:
    return EmbeddedWiring(CommandLineSettings())


@pytest.fixture
def old(tmp_path: Path) -> Place:
    """A folder whose file the program of version 1 wrote."""
    folder = DataFolder.claim(tmp_path / "data")
    open_writer(folder.truth, Layout("truth", 1, (rendered(1, "upgrade"),)), None).close()
    folder.release()
    return Place(None, folder.root)


def test_a_folder_goes_up_and_back(old: Place) -> None:
    assert wired().schema_state(old).found == "0001"
    assert wired().upgrade_schema(old).found == REVISION
    assert wired().schema_state(old).found == REVISION
    assert wired().downgrade_schema(old, "0001", lose=False).found == "0001"
    assert wired().downgrade_schema(old, REVISION, lose=False).found == "0001"
    assert wired().downgrade_schema(old, "0000", lose=False).found == "0000"


def test_what_a_file_holds_is_dropped_only_by_force(old: Place) -> None:
    wired().upgrade_schema(old)
    connection = open_writer(old.data / "truth.sqlite", truth_layout(), None)
    connection.execute("INSERT INTO audit_log VALUES ('e', 1, 'a', 'b', 'c', 'd')")
    connection.close()

    with pytest.raises(ConflictError, match="drop audit_log with what"):
        wired().downgrade_schema(old, "0001", lose=False)
    assert wired().schema_state(old).found == REVISION
    assert wired().downgrade_schema(old, "0001", lose=True).found == "0001"


def test_a_folder_that_is_not_there_has_no_schema_until_it_is_made(tmp_path: Path) -> None:
    place = Place(None, tmp_path / "new")
    assert wired().schema_state(place).found == "0000"
    assert not place.data.exists()
    assert wired().upgrade_schema(place).found == REVISION


def test_a_folder_in_use_is_left_alone(old: Place) -> None:
    folder = DataFolder.claim(old.data)
    try:
        with pytest.raises(PermanentError, match="in use"):
            wired().upgrade_schema(old)
        assert wired().schema_state(old).found == "0001"
    finally:
        folder.release()


def test_an_unknown_revision_is_refused(old: Place) -> None:
    with pytest.raises(InvalidInputError, match="0000, 0001, 0002"):
        wired().downgrade_schema(old, "0007", lose=True)


def test_the_database_comes_from_the_environment() -> None:
    settings = CommandLineSettings.from_environment({"MYSQL_URL": URL})

    assert EmbeddedWiring(settings).default_mysql() == URL
    assert "secret" not in repr(settings)
