"""The promises of tests/contracts/test_index_back_fill.py on a real server."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contracts import test_index_back_fill
from tests.contracts.test_person_index import Rotation, sqlite_rotation

globals().update(
    {name: test for name, test in vars(test_index_back_fill).items() if name.startswith("test_")}
)


@pytest.fixture
def rotation(tmp_path: Path) -> Iterator[Rotation]:
    with sqlite_rotation(tmp_path) as made:
        yield made
