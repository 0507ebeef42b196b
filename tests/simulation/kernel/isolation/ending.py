"""Sessions that end before their transactions."""

from typing import Final

import pytest

from adapters.stores.model.database import DuplicateKeyError, LostConnectionError
from tests.simulation.kernel.isolation.lab import Lab, Scenario, account, amount_of, values


async def a_closed_session_is_rolled_back(lab: Lab) -> None:
    a, b = await lab.sessions()
    await a.begin()
    await a.insert("accounts", account(1))
    waiting = await lab.blocked(b.insert("accounts", account(1, 7)))
    await a.close()
    assert await waiting == 1


async def a_killed_sessions_work_vanishes(lab: Lab) -> None:
    a, b = await lab.sessions()
    assert await a.get_lock("lane")
    assert not await b.get_lock("lane")
    await a.begin()
    await a.insert("accounts", account(1))
    assert await b.kill_holder("lane")
    assert await b.get_lock("lane", 1.0)
    assert await b.insert("accounts", account(1, 7)) == 1
    with pytest.raises(LostConnectionError):
        await a.commit()
    assert await amount_of(b, 1) == 7


async def a_named_lock_outlives_transactions(lab: Lab) -> None:
    a, b = await lab.sessions()
    await a.begin()
    assert await a.get_lock("lane")
    await a.rollback()
    assert not await b.get_lock("lane")
    waiting = await lab.blocked(b.get_lock("lane", 5.0))
    await a.close()
    assert await waiting


async def a_void_row_loses_to_a_commit(lab: Lab) -> None:
    old, new = await lab.sessions()
    await old.begin()
    await old.insert("batches", {"lane": "l", "seq": 1, "root": "full"})
    await old.insert("accounts", account(1))
    waiting = await lab.blocked(new.insert("batches", {"lane": "l", "seq": 1, "root": ""}))
    await old.commit()
    with pytest.raises(DuplicateKeyError):
        await waiting
    assert await values(new, "batches", "root") == ["full"]
    assert await values(new, "accounts", "id") == [1]


async def a_void_row_wins_over_a_killed_session(lab: Lab) -> None:
    old, new = await lab.sessions()
    await old.get_lock("lane:l")
    await old.begin()
    await old.insert("batches", {"lane": "l", "seq": 1, "root": "full"})
    await old.insert("accounts", account(1))
    assert await new.kill_holder("lane:l")
    assert await new.get_lock("lane:l", 1.0)
    assert await new.insert("batches", {"lane": "l", "seq": 1, "root": ""}) == 1
    with pytest.raises(LostConnectionError):
        await old.commit()
    assert await values(new, "batches", "root") == [""]
    assert await values(new, "accounts", "id") == []


async def a_session_is_killed_while_it_waits(lab: Lab) -> None:
    a, b = await lab.sessions()
    await a.insert("accounts", account(1))
    await a.begin()
    await a.select("accounts", {"id": 1}, for_update=True)
    await b.get_lock("lane")
    await b.begin()
    await b.insert("accounts", account(2))
    waiting = await lab.blocked(b.update("accounts", {"id": 1}, {"amount": 7}))
    await a.kill_holder("lane")
    with pytest.raises(LostConnectionError):
        await waiting
    assert await a.get_lock("lane", 1.0)
    assert await values(a, "accounts", "id") == [1]


SCENARIOS: Final[tuple[Scenario, ...]] = (
    a_closed_session_is_rolled_back,
    a_killed_sessions_work_vanishes,
    a_named_lock_outlives_transactions,
    a_void_row_loses_to_a_commit,
    a_void_row_wins_over_a_killed_session,
    a_session_is_killed_while_it_waits,
)
