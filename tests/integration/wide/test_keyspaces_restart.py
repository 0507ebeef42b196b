"""The server itself ends and comes back, while the process goes on."""

import asyncio

import pytest

from domain.errors import TransientError
from domain.ports.storage import Applied, ProjectionRow
from tests.integration.shared.caches import Loop
from tests.integration.wide.stores import (
    BRISK,
    address_of,
    operated,
    profile,
    soon,
    store_on,
    transactions,
)
from tests.services.provided import provided_lasting

ROWS = [profile(2), *transactions(range(5))]


def test_a_server_that_was_killed_is_found_again_without_a_restart_of_the_process(
    loop: Loop,
) -> None:
    with provided_lasting("cassandra") as server:
        address = address_of(server.settings)
        with operated(address):
            pass
        with store_on(address, loop, limits=BRISK) as store:
            loop(store.put_if_newer(ROWS, soon()))

            server.kill()
            for _ in range(3):
                with pytest.raises(TransientError):
                    loop(store.read_item("c-1", "CUSTOMER_PROFILE", soon()))
                with pytest.raises(TransientError):
                    loop(store.put_if_newer(ROWS, soon()))
            server.revive()

            async def until() -> ProjectionRow | None:
                while True:
                    try:
                        # What the server had not synced is written again by whoever sent it.
                        assert set(await store.put_if_newer(ROWS, soon())) <= set(Applied)
                        return await store.read_item("c-1", "CUSTOMER_PROFILE", soon())
                    except TransientError:
                        await asyncio.sleep(0.05)

            assert loop(until()) == ROWS[0]
            assert loop(store.query("c-1", "TRANSACTION#", 9, "", soon())) == ROWS[:0:-1]
            assert loop(store.put_if_newer([profile(1)], soon())) == [Applied.STALE]
