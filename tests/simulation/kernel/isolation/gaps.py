"""The few gap locks of READ COMMITTED: around duplicates, and where a row was rolled back."""

from typing import Final

import pytest

from adapters.stores.model.database import DeadlockError, DuplicateKeyError, LockWaitError
from tests.simulation.kernel.isolation.lab import Lab, Scenario, Sql, account, values


async def _insert_owners(session: Sql, *owners: str) -> None:
    for number, owner in enumerate(owners, start=1):
        await session.insert("accounts", account(10 * number, owner=owner))


async def a_duplicate_of_a_secondary_key_locks_the_gap_before_it(lab: Lab) -> None:
    a, b = await lab.sessions()
    await _insert_owners(a, "cid", "moe", "tom")
    await a.begin()
    with pytest.raises(DuplicateKeyError):
        await a.insert("accounts", account(1, owner="moe"))
    for number, owner in enumerate(("ann", "pia", "zoe"), start=2):
        await b.insert("accounts", account(number, owner=owner))
    waiting = await lab.blocked(b.insert("accounts", account(5, owner="dan")))
    await a.rollback()
    assert await waiting == 1


async def a_value_given_up_still_bounds_the_gap(lab: Lab) -> None:
    a, b = await lab.sessions()
    await _insert_owners(a, "cid", "moe", "tom")
    await a.begin()
    await a.update("accounts", {"id": 10}, {"owner": "zoe"})
    with pytest.raises(DuplicateKeyError):
        await a.insert("accounts", account(1, owner="moe"))
    assert await b.insert("accounts", account(2, owner="ann")) == 1


async def a_duplicate_of_the_primary_key_locks_no_gap(lab: Lab) -> None:
    a, b = await lab.sessions()
    await a.insert("accounts", [account(1), account(10), account(20)])
    await a.begin()
    with pytest.raises(DuplicateKeyError):
        await a.insert("accounts", account(10))
    assert await b.insert("accounts", [account(5), account(15)]) == 2


async def an_upsert_that_meets_a_secondary_key_locks_the_gap_before_it(lab: Lab) -> None:
    a, b = await lab.sessions()
    await _insert_owners(a, "cid", "moe", "tom")
    await a.begin()
    await a.upsert_if_newer("accounts", {"id": 1}, {"owner": "moe", "amount": 1}, "amount")
    await b.insert("accounts", account(2, owner="pia"))
    waiting = await lab.blocked(b.insert("accounts", account(5, owner="dan")))
    await a.rollback()
    assert await waiting == 1


async def who_awaits_a_duplicate_holds_up_neighbours(lab: Lab) -> None:
    a, b = await lab.sessions()
    c = await lab.session("c")
    await _insert_owners(a, "cid", "tom")
    await a.begin()
    await a.insert("accounts", account(1, owner="moe"))
    duplicate = await lab.blocked(b.insert("accounts", account(2, owner="moe")))
    await c.insert("accounts", account(3, owner="pia"))
    neighbour = await lab.blocked(c.insert("accounts", account(4, owner="dan")))
    await a.commit()
    with pytest.raises(DuplicateKeyError):
        await duplicate
    assert await neighbour == 1


async def inserting_before_an_awaited_key_deadlocks(lab: Lab) -> None:
    a, b = await lab.sessions()
    await _insert_owners(a, "cid", "tom")
    await a.begin()
    await a.insert("accounts", account(1, owner="moe"))
    duplicate = await lab.blocked(b.insert("accounts", account(2, owner="moe")))
    assert await a.insert("accounts", account(3, owner="dan")) == 1
    with pytest.raises(DeadlockError):
        await duplicate


async def inserting_behind_an_awaited_key_does_not(lab: Lab) -> None:
    a, b = await lab.sessions()
    await _insert_owners(a, "cid", "tom")
    await a.begin()
    await a.insert("accounts", account(1, owner="moe"))
    duplicate = await lab.blocked(b.insert("accounts", account(2, owner="moe")))
    assert await a.insert("accounts", account(3, owner="pia")) == 1
    await a.commit()
    with pytest.raises(DuplicateKeyError):
        await duplicate
    assert await values(a, "accounts", "owner") == ["moe", "pia", "cid", "tom"]


async def a_wait_given_up_gives_up_the_gap(lab: Lab) -> None:
    a, b = await lab.sessions()
    c = await lab.session("c")
    await _insert_owners(a, "cid", "tom")
    for session in (a, b):
        await session.begin()
    await a.insert("accounts", account(1, owner="moe"))
    with pytest.raises(LockWaitError):
        await b.insert("accounts", account(2, owner="moe"))
    assert await c.insert("accounts", account(3, owner="dan")) == 1


async def a_row_rolled_back_leaves_its_gap_to_the_waiter(lab: Lab) -> None:
    a, b = await lab.sessions()
    c, d = await lab.session("c"), await lab.session("d")
    await a.insert("accounts", [account(1), account(20)])
    for session in (a, b):
        await session.begin()
    await a.insert("accounts", account(10))
    waiting = await lab.blocked(b.insert("accounts", account(10)))
    await a.rollback()
    assert await waiting == 1
    await c.insert("accounts", account(25))
    before = await lab.blocked(c.insert("accounts", account(5)))
    behind = await lab.blocked(d.insert("accounts", account(15)))
    await b.commit()
    assert [await before, await behind] == [1, 1]


SCENARIOS: Final[tuple[Scenario, ...]] = (
    a_duplicate_of_a_secondary_key_locks_the_gap_before_it,
    a_value_given_up_still_bounds_the_gap,
    a_duplicate_of_the_primary_key_locks_no_gap,
    an_upsert_that_meets_a_secondary_key_locks_the_gap_before_it,
    who_awaits_a_duplicate_holds_up_neighbours,
    inserting_before_an_awaited_key_deadlocks,
    inserting_behind_an_awaited_key_does_not,
    a_wait_given_up_gives_up_the_gap,
    a_row_rolled_back_leaves_its_gap_to_the_waiter,
)
