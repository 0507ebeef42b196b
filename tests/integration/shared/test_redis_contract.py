"""Every promise of the port `Cache`, on a real Redis: the shared suite, with its own fixture."""

from collections.abc import Iterator

import pytest

from domain.ports.storage import Cache
from tests.contracts import test_cache
from tests.contracts.opened import Opened
from tests.integration.shared.caches import Loop, Server, ServerClock, cache_on

globals().update({name: test for name, test in vars(test_cache).items() if name[:5] == "test_"})


@pytest.fixture
def cache(server: Server, loop: Loop) -> Iterator[Opened[Cache]]:
    clock = ServerClock(server)
    with cache_on(server.url, loop, server.prefix, clock=clock) as made:
        yield Opened(made, clock, loop)
