"""Unique keys among open transactions."""

import asyncio
from typing import Final

import pytest

from adapters.stores.model.database import DuplicateKeyError
from tests.simulation.kernel.isolation.lab import Lab, Scenario, account, amount_of, values


async def a_duplicate_waits_for_an_uncommitted_insert(lab: Lab) -> None:
    a, b = await lab.sessions()
    await a.begin()
    await a.insert("accounts", account(1))
    waiting = await lab.blocked(b.insert("accounts", account(1, 7)))
    await a.commit()
    with pytest.raises(DuplicateKeyError) as caught:
        await waiting
    assert caught.value.key_name == "PRIMARY"
    assert await amount_of(b, 1) == 100


async def an_insert_goes_on_when_the_other_is_rolled_back(lab: Lab) -> None:
    a, b = await lab.sessions()
    await a.begin()
    await a.insert("accounts", account(1))
    waiting = await lab.blocked(b.insert("accounts", account(1, 7)))
    await a.rollback()
    assert await waiting == 1
    assert await amount_of(a, 1) == 7


async def an_insert_waits_for_an_uncommitted_delete(lab: Lab) -> None:
    a, b = await lab.sessions()
    await a.insert("accounts", account(1))
    await a.begin()
    await a.delete("accounts", {"id": 1})
    waiting = await lab.blocked(b.insert("accounts", account(1, 7)))
    await a.rollback()
    with pytest.raises(DuplicateKeyError):
        await waiting


async def a_secondary_unique_key_waits_and_is_named(lab: Lab) -> None:
    a, b = await lab.sessions()
    await a.begin()
    await a.insert("accounts", account(1, owner="ann"))
    waiting = await lab.blocked(b.insert("accounts", account(2, owner="ann")))
    await a.commit()
    with pytest.raises(DuplicateKeyError) as caught:
        await waiting
    assert caught.value.key_name == "uq_owner"
    assert await values(b, "accounts", "id") == [1]


async def a_value_given_up_is_not_free_before_commit(lab: Lab) -> None:
    a, b = await lab.sessions()
    await a.insert("accounts", account(1, owner="ann"))
    await a.begin()
    await a.update("accounts", {"id": 1}, {"owner": "bob"})
    waiting = await lab.blocked(b.insert("accounts", account(2, owner="ann")))
    await a.commit()
    assert await waiting == 1


async def nulls_are_no_duplicates(lab: Lab) -> None:
    a, _ = await lab.sessions()
    await a.insert("accounts", [account(1, owner=None), account(2, owner=None)])
    assert await values(a, "accounts", "id") == [1, 2]


async def a_duplicate_undoes_the_statement_only(lab: Lab) -> None:
    a, b = await lab.sessions()
    await a.insert("accounts", account(1))
    await a.begin()
    await a.insert("accounts", account(2))
    with pytest.raises(DuplicateKeyError):
        await a.insert("accounts", [account(3), account(1), account(4)])
    await a.commit()
    assert await values(b, "accounts", "id") == [1, 2]


async def rows_of_a_failed_insert_block_nobody(lab: Lab) -> None:
    a, b = await lab.sessions()
    await a.insert("accounts", account(1))
    await a.begin()
    with pytest.raises(DuplicateKeyError):
        await a.insert("accounts", [account(3), account(1)])
    assert await b.insert("accounts", account(3)) == 1


async def a_failed_duplicate_keeps_the_row_shared(lab: Lab) -> None:
    a, b = await lab.sessions()
    await a.insert("accounts", account(1))
    await a.begin()
    with pytest.raises(DuplicateKeyError):
        await a.insert("accounts", account(1))
    waiting = await lab.blocked(b.update("accounts", {"id": 1}, {"amount": 7}))
    await a.rollback()
    assert await waiting == 1


async def two_who_waited_for_a_rolled_back_insert_deadlock(lab: Lab) -> None:
    a, b = await lab.sessions()
    c = await lab.session("c")
    for session in (a, b, c):
        await session.begin()
    await a.insert("accounts", account(1))
    waiting = [await lab.blocked(each.insert("accounts", account(1))) for each in (b, c)]
    await a.rollback()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert sorted(type(each).__name__ for each in results) == ["DeadlockError", "int"]


async def two_who_waited_for_a_committed_delete_deadlock(lab: Lab) -> None:
    a, b = await lab.sessions()
    c = await lab.session("c")
    await a.insert("accounts", account(1))
    for session in (a, b, c):
        await session.begin()
    await a.delete("accounts", {"id": 1})
    waiting = [await lab.blocked(each.insert("accounts", account(1))) for each in (b, c)]
    await a.commit()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert sorted(type(each).__name__ for each in results) == ["DeadlockError", "int"]


async def a_locked_row_makes_a_duplicate_wait(lab: Lab) -> None:
    a, b = await lab.sessions()
    await a.insert("accounts", account(1, owner="ann"))
    await a.begin()
    await a.select("accounts", {"id": 1}, for_update=True)
    waiting = await lab.blocked(b.insert("accounts", account(1)))
    await a.commit()
    with pytest.raises(DuplicateKeyError):
        await waiting


async def a_row_locked_by_its_primary_key_leaves_other_keys_alone(lab: Lab) -> None:
    a, b = await lab.sessions()
    await a.insert("accounts", account(1, owner="ann"))
    await a.begin()
    await a.update("accounts", {"id": 1}, {"amount": 7})
    with pytest.raises(DuplicateKeyError):
        await b.insert("accounts", account(2, owner="ann"))


async def a_row_locked_by_a_unique_key_locks_that_key(lab: Lab) -> None:
    a, b = await lab.sessions()
    await a.insert("accounts", account(1, owner="ann"))
    await a.begin()
    await a.select("accounts", {"owner": "ann"}, for_update=True)
    waiting = await lab.blocked(b.insert("accounts", account(2, owner="ann")))
    await a.commit()
    with pytest.raises(DuplicateKeyError):
        await waiting


async def an_insert_locks_row_by_row(lab: Lab) -> None:
    a, b = await lab.sessions()
    c = await lab.session("c")
    await a.begin()
    await a.insert("accounts", account(2))
    several = await lab.blocked(b.insert("accounts", [account(1), account(2), account(3)]))
    waiting = await lab.blocked(c.insert("accounts", account(1)))
    await a.commit()
    with pytest.raises(DuplicateKeyError):
        await several
    assert await waiting == 1


async def a_duplicate_of_another_key_leaves_its_own_free(lab: Lab) -> None:
    a, b = await lab.sessions()
    await a.insert("accounts", account(1, owner="ann"))
    await a.begin()
    with pytest.raises(DuplicateKeyError):
        await a.insert("accounts", account(5, owner="ann"))
    assert await b.insert("accounts", account(5, owner="zoe")) == 1
    assert await b.update("accounts", {"id": 1}, {"amount": 7}) == 1
    waiting = await lab.blocked(b.update("accounts", {"id": 1}, {"owner": "bob"}))
    await a.rollback()
    assert await waiting == 1


async def a_key_inserted_and_deleted_stays_locked(lab: Lab) -> None:
    a, b = await lab.sessions()
    await a.begin()
    await a.insert("accounts", account(1))
    await a.delete("accounts", {"id": 1})
    waiting = await lab.blocked(b.insert("accounts", account(1, 7)))
    await a.rollback()
    assert await waiting == 1


async def delete_and_insert_roll_back(lab: Lab) -> None:
    a, b = await lab.sessions()
    await a.insert("accounts", account(1, owner="ann"))
    await a.begin()
    await a.delete("accounts", {"id": 1})
    await a.insert("accounts", account(1, 7, owner="ann"))
    await a.rollback()
    assert await b.select("accounts", {"owner": "ann"}) == [account(1, owner="ann")]


SCENARIOS: Final[tuple[Scenario, ...]] = (
    a_duplicate_waits_for_an_uncommitted_insert,
    an_insert_goes_on_when_the_other_is_rolled_back,
    an_insert_waits_for_an_uncommitted_delete,
    a_secondary_unique_key_waits_and_is_named,
    a_value_given_up_is_not_free_before_commit,
    nulls_are_no_duplicates,
    a_duplicate_undoes_the_statement_only,
    rows_of_a_failed_insert_block_nobody,
    a_failed_duplicate_keeps_the_row_shared,
    two_who_waited_for_a_rolled_back_insert_deadlock,
    two_who_waited_for_a_committed_delete_deadlock,
    a_locked_row_makes_a_duplicate_wait,
    a_row_locked_by_its_primary_key_leaves_other_keys_alone,
    a_row_locked_by_a_unique_key_locks_that_key,
    an_insert_locks_row_by_row,
    a_duplicate_of_another_key_leaves_its_own_free,
    a_key_inserted_and_deleted_stays_locked,
    delete_and_insert_roll_back,
)
