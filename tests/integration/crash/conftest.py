"""The folder that every end begins with."""

from pathlib import Path

import pytest

from tests.integration.crash.checks import make_book


@pytest.fixture(scope="package")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """People, a policy, and nothing decided."""
    data = tmp_path_factory.mktemp("crash") / "book"
    make_book(data)
    return data
