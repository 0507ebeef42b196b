"""A data folder's clock: real time unless it was begun elsewhere, and never backwards."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapters.stores.embedded import folder_clock
from domain.errors import PermanentError

REAL = datetime(2026, 11, 24, 6, tzinfo=UTC)
BEGIN = datetime(2026, 6, 10, 12, tzinfo=UTC)


def test_a_folder_without_a_beginning_lives_in_real_time(tmp_path: Path) -> None:
    assert folder_clock.resume(tmp_path, None, None, REAL) == timedelta(0)
    folder_clock.keep(tmp_path, REAL)
    assert not (tmp_path / folder_clock.NAME).exists()
    assert folder_clock.read_offset(tmp_path) == timedelta(0)


def test_a_new_folder_begins_where_it_is_told(tmp_path: Path) -> None:
    offset = folder_clock.resume(tmp_path, None, BEGIN, REAL)

    assert REAL + offset == BEGIN
    assert folder_clock.read_offset(tmp_path) == offset


def test_idle_weeks_make_nothing_stale(tmp_path: Path) -> None:
    folder_clock.resume(tmp_path, None, BEGIN, REAL)
    folder_clock.keep(tmp_path, BEGIN + timedelta(hours=2))
    later = REAL + timedelta(weeks=5)

    offset = folder_clock.resume(tmp_path, None, BEGIN, later)

    assert later + offset == BEGIN + timedelta(hours=2)


def test_the_newest_row_of_the_ledger_counts_when_it_is_later(tmp_path: Path) -> None:
    folder_clock.resume(tmp_path, None, BEGIN, REAL)
    newest = BEGIN + timedelta(hours=3)

    assert REAL + folder_clock.resume(tmp_path, newest, None, REAL) == newest


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"offset_us": "much"}'])
def test_a_clock_that_cannot_be_read_stops_the_start(tmp_path: Path, content: bytes) -> None:
    (tmp_path / folder_clock.NAME).write_bytes(content)

    with pytest.raises(PermanentError):
        folder_clock.read_offset(tmp_path)
    with pytest.raises(PermanentError):
        folder_clock.resume(tmp_path, None, None, REAL)
