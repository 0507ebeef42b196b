"""What `creditctl doctor` finds of a machine and of a data folder."""

import os
import shutil
import socket
from datetime import timedelta
from pathlib import Path

import pytest

from adapters.bootstrap.doctor import machine
from adapters.bootstrap.doctor.examine import examine
from adapters.bootstrap.doctor.found import Found
from adapters.inbound.cli.wiring import Level
from adapters.settings import SERVICES_MAY_HAVE, SERVICES_NEED
from adapters.stores.embedded import folder_clock
from adapters.stores.embedded.directory import TRUTH
from adapters.stores.embedded.opening import Layout
from adapters.stores.embedded.sqlite_file import SqliteFile
from adapters.stores.sql.sqlite_truth import SCHEMA_VERSION, SqliteTruth, schema_ddl
from adapters.system import SystemClock
from tests.integration.ledger.build import build_ledger
from tests.unit.record.ports import HandClock
from tests.unit.record.toy import NOW


def of(found: list[Found], name: str) -> Found:
    return next(each for each in found if each.name == name)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder with an empty store of truth."""
    made = tmp_path / "data"
    made.mkdir(mode=0o700)
    layout = Layout("truth", SCHEMA_VERSION, schema_ddl())
    SqliteTruth(SqliteFile(made / TRUTH, layout, HandClock())).close()
    return made


def test_a_folder_that_is_not_there_yet_is_well(tmp_path: Path) -> None:
    found = examine(tmp_path / "none", "embedded")

    assert [each for each in found if not each.ok] == []
    assert not (tmp_path / "none").exists()


def test_a_folder_is_looked_at_and_not_changed(data: Path) -> None:
    before = sorted(path.name for path in data.iterdir())

    found = examine(data, "embedded")

    assert [each for each in found if not each.ok] == []
    assert {path.name for path in data.iterdir()} - set(before) <= {
        f"{TRUTH}-wal",
        f"{TRUTH}-shm",
    }


def test_others_must_not_read_the_folder(data: Path) -> None:
    data.chmod(0o755)

    found = of(examine(data, "embedded"), "data folder")

    assert (found.ok, found.remedy.partition(":")[0]) == (False, "chmod 700")


def test_others_must_not_read_a_key(data: Path) -> None:
    (data / "token.key").write_text("{}")
    (data / "token.key").chmod(0o644)

    found = of(examine(data, "embedded"), "key files")

    assert found.detail == "token.key may be read by others"
    assert found.remedy == "chmod 600 it"


@pytest.mark.parametrize(
    ("free", "level"),
    [(1 << 20, Level.FAULT), (2 << 30, Level.WARNING), (1 << 40, Level.WELL)],
)
def test_a_disk_gets_full(
    data: Path, monkeypatch: pytest.MonkeyPatch, free: int, level: Level
) -> None:
    usage = shutil.disk_usage(data)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=free))

    found = of(examine(data, "embedded"), "disk")

    assert found.level is level
    assert bool(found.remedy) == (level is not Level.WELL)


def test_a_port_that_is_taken_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
        monkeypatch.setattr(machine, "PORTS", ((port, "--port"),))
        (taken,) = machine.ports()
    (free,) = machine.ports()

    assert (taken.level, str(port) in taken.detail, "--port" in taken.remedy) == (
        Level.WARNING,
        True,
        True,
    )
    assert free.level is Level.WELL


@pytest.mark.parametrize(("behind_s", "well"), [(0.5, True), (90.0, False)])
def test_a_clock_that_went_back_is_a_fault(tmp_path: Path, behind_s: float, *, well: bool) -> None:
    data = tmp_path / "data"
    build_ledger(data, 1, 1)
    # The newest decision of the ledger is one millisecond after its NOW.
    clock = HandClock()
    clock.instant = NOW + timedelta(milliseconds=1) - timedelta(seconds=behind_s)

    found = machine.clock_of(data, clock)

    assert found.ok is well
    assert well or found.detail == "the newest decision is 90.0 s ahead of the folder's clock"


def test_the_offset_of_a_folder_belongs_to_its_clock(tmp_path: Path) -> None:
    data = tmp_path / "data"
    build_ledger(data, 1, 1)
    behind = SystemClock((NOW - SystemClock().now()).total_seconds() - 3600)
    folder_clock.save(data, timedelta(hours=2), NOW)

    assert machine.clock_of(data, behind).ok


def test_a_clock_that_cannot_be_read_is_a_fault(data: Path) -> None:
    (data / folder_clock.NAME).write_text("{}")

    found = of(examine(data, "embedded"), "clock")

    assert (found.ok, folder_clock.NAME in found.detail) == (False, True)


def test_a_folder_of_others_is_a_fault(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # An administrator may write everywhere, and tests may run as one.
    monkeypatch.setattr(os, "access", lambda *_: False)

    found = of(examine(data, "embedded"), "data folder")

    assert (found.ok, "--data" in found.remedy) == (False, True)


def test_the_profile_services_names_what_it_lacks(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (*SERVICES_NEED, *SERVICES_MAY_HAVE):
        monkeypatch.delenv(name, raising=False)

    found = of(examine(data, "services"), "settings")

    assert found.detail == (
        "the profile services needs MYSQL_URL, KEYS_MYSQL_URL, REDIS_URL, KEYS_DIR,"
        " CASSANDRA_ADDRESS in its settings"
    )
    assert found.remedy == "docs/services.md lists the settings"
