"""Fixtures shared by the suites of the store of truth."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.stores.embedded.sqlite_file import SqliteFile
from adapters.stores.sql.sqlite_truth import SqliteTruth
from tests.contracts.embedded import TRUTH
from tests.contracts.opened import HandClock
from tests.contracts.truth_adapters import TRUTHS, Store


@pytest.fixture(params=sorted(TRUTHS))
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Each adapter of the store of truth, open and empty."""
    with TRUTHS[request.param](tmp_path) as opened:
        yield Store(opened)


@pytest.fixture
def truth_file(tmp_path: Path) -> Iterator[SqliteFile]:
    """The file of an SQLite store of truth, for what only that one promises."""
    file = SqliteFile(tmp_path / "truth.sqlite", TRUTH, HandClock())
    yield file
    file.close()


@pytest.fixture
def truth(truth_file: SqliteFile) -> SqliteTruth:
    """The store of truth on `truth_file`."""
    return SqliteTruth(truth_file)
