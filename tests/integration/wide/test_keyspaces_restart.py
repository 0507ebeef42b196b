"""The server itself ends and comes back, while the process goes on."""

import asyncio
import time

import pytest
from cassandra.cluster import NoHostAvailable

from adapters.stores.keyspaces.storage import KeyspacesStorage
from domain.errors import TransientError
from domain.ports.storage import Applied, ProjectionRow
from tests.integration.shared.caches import Loop
from tests.integration.wide.stores import BRISK, Server, profile, soon, store_on, transactions
from tests.services.lasting import Lasting

ROWS = [profile(2), *transactions(range(5))]


def test_a_server_that_was_killed_is_found_again_without_a_restart_of_the_process(
    server: Server, process: Lasting, loop: Loop
) -> None:
    with store_on(server.address, loop, limits=BRISK) as store:
        loop(store.put_if_newer(ROWS, soon()))

        process.kill()
        try:
            for _ in range(3):
                with pytest.raises(TransientError):
                    loop(store.read_item("c-1", "CUSTOMER_PROFILE", soon()))
                with pytest.raises(TransientError):
                    loop(store.put_if_newer(ROWS, soon()))
        finally:
            process.revive()

        assert loop(_written_and_read(store)) == ROWS[0]
        assert loop(store.query("c-1", "TRANSACTION#", 9, "", soon())) == ROWS[:0:-1]
        assert loop(store.put_if_newer([profile(1)], soon())) == [Applied.STALE]
    _await(server)


async def _written_and_read(store: KeyspacesStorage) -> ProjectionRow | None:
    """Try until it works; what the server had not synced is sent again, as a stream does."""
    while True:
        try:
            await store.put_if_newer(ROWS, soon())
            return await store.read_item("c-1", "CUSTOMER_PROFILE", soon())
        except TransientError:
            await asyncio.sleep(0.05)


def _await(server: Server) -> None:
    """Leave it to the next test as it was found: the operator's session has to come back too."""
    last = time.monotonic() + 20
    while True:
        try:
            server.clear()
        except NoHostAvailable:
            if time.monotonic() > last:
                raise
            time.sleep(0.1)
        else:
            return
