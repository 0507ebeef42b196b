"""Fixtures shared by the suites of the store of truth."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contracts.truth_adapters import TRUTHS, Store


@pytest.fixture(params=sorted(TRUTHS))
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Each adapter of the store of truth, open and empty."""
    with TRUTHS[request.param](tmp_path) as opened:
        yield Store(opened)
