"""What only the projections in files promise: columns, index attributes, forgetting, the folder."""

import asyncio
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from adapters.stores.embedded.directory import DataFolder
from adapters.stores.embedded.projection import DYNAMODB, KEYSPACES, SqliteProjection
from adapters.stores.embedded.sqlite_file import SqliteFile
from domain.errors import PermanentError
from domain.ports.storage import ProjectionRow
from tests.contracts.opened import NEVER, START, HandClock

NOW_S = int(START.timestamp())


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def file(tmp_path: Path, clock: HandClock) -> Iterator[SqliteFile]:
    file = SqliteFile(tmp_path / "dynamodb.sqlite", DYNAMODB.layout, clock)
    yield file
    file.close()


def rows_of(file: SqliteFile, text: str) -> list[object]:
    def work(connection: apsw.Connection) -> list[object]:
        return [*connection.execute(text)]

    return asyncio.run(file.read(work))


def test_index_attributes_are_cut_into_parts(file: SqliteFile, clock: HandClock) -> None:
    storage = SqliteProjection(file, DYNAMODB, clock)
    rows = [
        ProjectionRow(f"c-{number}", "CUSTOMER_PROFILE", 1, b"", columns={"status": "ACTIVE"})
        for number in range(100)
    ]
    asyncio.run(storage.put_if_newer(rows, NEVER))

    found = rows_of(file, "SELECT DISTINCT gsi1pk, gsi2pk FROM credit_hot_data ORDER BY 1")

    assert found == [(f"CUSTOMER_PROFILE#{n:02d}", f"ACTIVE#{n:02d}") for n in range(16)]


def test_dated_rows_of_one_kind_share_index_attributes(file: SqliteFile, clock: HandClock) -> None:
    storage = SqliteProjection(file, DYNAMODB, clock)
    rows = [ProjectionRow("c-1", f"DECISION#2026-12-{day}#x", 1, b"") for day in (10, 11)]
    asyncio.run(storage.put_if_newer(rows, NEVER))

    found = rows_of(file, "SELECT DISTINCT substr(gsi1pk, 1, 9), gsi2pk FROM credit_hot_data")

    assert found == [("DECISION#", None)]


def test_columns_that_the_table_does_not_have_are_left_out(
    tmp_path: Path, clock: HandClock
) -> None:
    file = SqliteFile(tmp_path / "keyspaces.sqlite", KEYSPACES.layout, clock)
    storage = SqliteProjection(file, KEYSPACES, clock)
    columns: dict[str, str | int] = {"amount": 1_200, "status": "ACTIVE", "lastUpdated": 7}
    row = ProjectionRow("c-1", "CUSTOMER_PROFILE", 1, b"p", "e-1", columns)
    asyncio.run(storage.put_if_newer([row], NEVER))

    back = asyncio.run(storage.read_item("c-1", "CUSTOMER_PROFILE", NEVER))
    storage.close()

    assert back is not None
    assert (back.event_id, back.columns) == ("e-1", {"amount": 1_200, "status": "ACTIVE"})


def test_an_expired_row_guards_its_key_until_it_is_forgotten(
    file: SqliteFile, clock: HandClock
) -> None:
    storage = SqliteProjection(file, DYNAMODB, clock)
    rows = [
        ProjectionRow("c-1", name, 5, b"five", expires_s=expires_s)
        for name, expires_s in (("A", NOW_S + 10), ("B", NOW_S + 99), ("C", None))
    ]
    older = ProjectionRow("c-1", "A", 4, b"four")
    asyncio.run(storage.put_if_newer(rows, NEVER))
    clock.advance(10)

    guarded = asyncio.run(storage.put_if_newer([older], NEVER))
    forgotten = [asyncio.run(storage.forget_expired()) for _ in range(2)]
    written = asyncio.run(storage.put_if_newer([older], NEVER))

    assert (guarded, forgotten, written) == (["STALE"], [1, 0], ["APPLIED"])


# --- the folder --------------------------------------------------------------------------------


def test_a_new_folder_is_private(tmp_path: Path) -> None:
    folder = DataFolder.claim(tmp_path / "new" / "data")

    assert stat.S_IMODE(folder.root.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder.root / "owner.lock").stat().st_mode) == 0o600
    folder.release()


def test_a_folder_has_one_owner_and_names_it(tmp_path: Path) -> None:
    root = tmp_path / "data"
    folder = DataFolder.claim(root)

    with pytest.raises(PermanentError, match=rf"{root} is in use by process {os.getpid()}:"):
        DataFolder.claim(root)
    folder.release()
    DataFolder.claim(root).release()


def test_a_folder_that_was_open_to_others_becomes_private(tmp_path: Path) -> None:
    root = tmp_path / "data"
    DataFolder.claim(root).release()
    root.chmod(0o755)

    DataFolder.claim(root).release()

    assert stat.S_IMODE(root.stat().st_mode) == 0o700


def test_a_folder_with_files_of_others_is_left_alone(tmp_path: Path) -> None:
    root = tmp_path / "home"
    root.mkdir(mode=0o755)
    (root / "letter.txt").touch()

    with pytest.raises(PermanentError, match="holds files that are not ours"):
        DataFolder.claim(root)
    assert [path.name for path in root.iterdir()] == ["letter.txt"]
    assert stat.S_IMODE(root.stat().st_mode) == 0o755


def test_every_file_has_a_name_of_its_own(tmp_path: Path) -> None:
    folder = DataFolder.claim(tmp_path / "data")
    names = {
        folder.truth, folder.keyspaces, folder.dynamodb, folder.stream, folder.person_keys,
        folder.wrapping_key, folder.token_key,
    }  # fmt: skip
    folder.release()

    assert len(names) == 7
    assert {path.parent for path in names} == {folder.root}
