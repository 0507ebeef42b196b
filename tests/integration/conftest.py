from collections.abc import Iterator

import pytest

from tests.integration.shared.caches import Loop


@pytest.fixture
def loop() -> Iterator[Loop]:
    """A loop of its own in a thread, as a store has it whose callers are elsewhere."""
    with Loop() as running:
        yield running
