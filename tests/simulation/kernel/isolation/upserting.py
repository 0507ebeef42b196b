"""INSERT .. ON DUPLICATE KEY UPDATE guarded by a version."""

import asyncio
from typing import Final

import pytest

from adapters.stores.model.database import DeadlockError
from tests.simulation.kernel.isolation.lab import Lab, Scenario, Sql, account, values

KEY: Final = {"customer_id": "c"}


async def upsert(session: Sql, version: int) -> int:
    """Write a version of the one profile."""
    row = {"version": version, "score": 10 * version}
    return await session.upsert_if_newer("profiles", KEY, row, "version")


async def the_newest_stays(lab: Lab) -> None:
    a, b = await lab.sessions()
    assert [await upsert(a, version) for version in (2, 1, 2, 3)] == [1, 0, 0, 2]
    await a.begin()
    await upsert(a, 5)
    waiting = await lab.blocked(upsert(b, 4))
    await a.commit()
    assert await waiting == 0
    assert await values(b, "profiles", "score") == [50]


async def a_stale_upsert_keeps_the_row_locked(lab: Lab) -> None:
    a, b = await lab.sessions()
    await upsert(a, 2)
    await a.begin()
    await upsert(a, 1)
    waiting = await lab.blocked(upsert(b, 3))
    await a.commit()
    assert await waiting == 2


async def an_upsert_goes_on_when_the_other_is_rolled_back(lab: Lab) -> None:
    a, b = await lab.sessions()
    await a.begin()
    await upsert(a, 5)
    waiting = await lab.blocked(upsert(b, 4))
    await a.rollback()
    assert await waiting == 1
    assert await values(b, "profiles", "version") == [4]


async def two_who_waited_for_a_rolled_back_upsert_deadlock(lab: Lab) -> None:
    a, b = await lab.sessions()
    c = await lab.session("c")
    for session in (a, b, c):
        await session.begin()
    await upsert(a, 1)
    waiting = [await lab.blocked(upsert(each, 2)) for each in (b, c)]
    await a.rollback()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert sorted(type(each).__name__ for each in results) == ["DeadlockError", "int"]


async def two_who_waited_for_a_committed_delete_take_turns(lab: Lab) -> None:
    a, b = await lab.sessions()
    c = await lab.session("c")
    await upsert(a, 1)
    for session in (a, b, c):
        await session.begin()
    await a.delete("profiles", KEY)
    first, second = [await lab.blocked(upsert(each, n)) for n, each in ((2, b), (3, c))]
    await a.commit()
    assert await first == 1
    assert not second.done()
    await b.commit()
    assert await second == 2


async def upserts_in_opposite_order_deadlock(lab: Lab) -> None:
    a, b = await lab.sessions()
    for session in (a, b):
        await session.begin()
    await a.insert("accounts", [account(1), account(3), account(4)])
    await b.insert("accounts", account(2))
    row = {"owner": None, "amount": 200}
    waiting = await lab.blocked(a.upsert_if_newer("accounts", {"id": 2}, row, "amount"))
    with pytest.raises(DeadlockError):
        await b.upsert_if_newer("accounts", {"id": 1}, row, "amount")
    assert await waiting == 1


async def another_unique_key_leads_to_another_row(lab: Lab) -> None:
    a, _ = await lab.sessions()
    await a.insert("accounts", account(1, 5, owner="ann"))
    row = {"owner": "ann", "amount": 9}
    assert await a.upsert_if_newer("accounts", {"id": 2}, row, "amount") == 2
    assert await a.select("accounts", {}) == [account(1, 9, owner="ann")]


async def another_unique_key_leaves_its_own_primary_key_free(lab: Lab) -> None:
    a, b = await lab.sessions()
    await a.insert("accounts", account(1, 5, owner="ann"))
    await a.begin()
    await a.upsert_if_newer("accounts", {"id": 2}, {"owner": "ann", "amount": 9}, "amount")
    assert await b.insert("accounts", account(2, owner="zoe")) == 1


SCENARIOS: Final[tuple[Scenario, ...]] = (
    the_newest_stays,
    a_stale_upsert_keeps_the_row_locked,
    an_upsert_goes_on_when_the_other_is_rolled_back,
    two_who_waited_for_a_rolled_back_upsert_deadlock,
    two_who_waited_for_a_committed_delete_take_turns,
    upserts_in_opposite_order_deadlock,
    another_unique_key_leads_to_another_row,
    another_unique_key_leaves_its_own_primary_key_free,
)
