"""Servers for a suite: skipped on a machine that cannot have them, a failure where CI runs."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import TypeVar

import pytest

from tests.services.downloads import MissingError
from tests.services.fleet import SERVERS, running
from tests.services.lasting import Lasting, lasting
from tests.services.server import Running

T = TypeVar("T")


def provided(*names: str) -> AbstractContextManager[dict[str, Running]]:
    """Have servers by name while the suite runs, and end them."""
    return _had(running(*names), *names)


def provided_lasting(name: str) -> AbstractContextManager[Lasting]:
    """Have a server that the suite may end and bring back."""
    return _had(lasting(name, SERVERS[name]), name)


@contextmanager
def _had(servers: AbstractContextManager[T], *names: str) -> Iterator[T]:
    with ExitStack() as stack:
        with skipping(", ".join(names)):
            found = stack.enter_context(servers)
        yield found


@contextmanager
def skipping(what: str) -> Iterator[None]:
    """Skip the test when a server cannot be had here; where CI runs, fail."""
    try:
        yield
    except MissingError as error:
        if "CI" in os.environ:
            raise
        pytest.skip(f"{what}: {error}")
