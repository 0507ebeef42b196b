"""A folder with a few people and the shipped policy, made once and copied by each test."""

import asyncio
import shutil
from pathlib import Path

import pytest

from tests.e2e.people import Customer
from tests.e2e.platform import running, seed

KNOWN = tuple(Customer(customer_id=f"c-{number}") for number in range(4))
UNPAID = Customer(customer_id="c-unpaid", income=None)


@pytest.fixture(scope="session")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder at rest, not to be changed."""
    data = tmp_path_factory.mktemp("book") / "data"

    async def make() -> None:
        async with running(data) as platform:
            await seed(platform, (event for each in (*KNOWN, UNPAID) for event in each.events()))
            await platform.stop()

    asyncio.run(make())
    return data


@pytest.fixture
def data(book: Path, tmp_path: Path) -> Path:
    """A copy of the book for one test."""
    copied: Path = shutil.copytree(book, tmp_path / "data")
    return copied
