from collections.abc import Iterator

import pytest

from tests.integration.whole.site import ALL
from tests.services.provided import provided
from tests.services.server import Running


@pytest.fixture(scope="package")
def servers() -> Iterator[dict[str, Running]]:
    """Every server of the profile services."""
    with provided(*ALL) as started:
        yield started
