"""Servers for a suite: skipped on a machine that cannot have them, a failure where CI runs."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tests.services.downloads import MissingError
from tests.services.fleet import running
from tests.services.server import Running


@contextmanager
def provided(*names: str) -> Iterator[dict[str, Running]]:
    """Have servers by name while the suite runs, and end them."""
    with ExitStack() as stack:
        try:
            servers = stack.enter_context(running(*names))
        except MissingError as error:
            if "CI" in os.environ:
                raise
            pytest.skip(f"{', '.join(names)}: {error}")
        yield servers
