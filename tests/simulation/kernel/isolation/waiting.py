"""Row locks: waiting, skipping, giving up."""

from typing import Final

import pytest

from adapters.stores.model.database import DeadlockError, DuplicateKeyError, LockWaitError
from tests.simulation.kernel.isolation.lab import Lab, Scenario, account, values


async def skip_locked_skips(lab: Lab) -> None:
    a, b = await lab.sessions()
    await a.insert("accounts", [account(1), account(2), account(3)])
    await a.begin()
    await a.select("accounts", {"id": 2}, for_update=True)
    await b.begin()
    found = await b.select("accounts", {"id": (1, 2, 3)}, for_update=True, skip_locked=True)
    assert [row["id"] for row in found] == [1, 3]
    await a.commit()
    found = await b.select("accounts", {"id": (1, 2, 3)}, for_update=True, skip_locked=True)
    assert [row["id"] for row in found] == [1, 2, 3]


async def skip_locked_skips_an_uncommitted_insert(lab: Lab) -> None:
    a, b = await lab.sessions()
    await a.begin()
    await a.insert("accounts", account(1))
    assert await b.select("accounts", {"id": 1}, for_update=True, skip_locked=True) == []


async def a_plain_read_waits_for_nobody(lab: Lab) -> None:
    a, b = await lab.sessions()
    await a.insert("accounts", account(1))
    await a.begin()
    await a.delete("accounts", {"id": 1})
    assert await values(b, "accounts", "id") == [1]


async def a_lock_wait_undoes_the_statement_only(lab: Lab) -> None:
    a, b = await lab.sessions()
    await a.insert("accounts", [account(1), account(2)])
    await a.begin()
    await a.select("accounts", {"id": 2}, for_update=True)
    await b.begin()
    await b.insert("accounts", account(3))
    with pytest.raises(LockWaitError):
        await b.update("accounts", {"id": (1, 2)}, {"amount": 7})
    await b.commit()
    assert await values(a, "accounts", "amount") == [100, 100, 100]


async def a_deadlock_undoes_the_whole_transaction(lab: Lab) -> None:
    a, b = await lab.sessions()
    await a.insert("accounts", [account(1), account(2)])
    await a.begin()
    await b.begin()
    await a.insert("accounts", [account(3), account(4), account(5)])
    await a.update("accounts", {"id": 1}, {"amount": 7})
    await b.update("accounts", {"id": 2}, {"amount": 8})
    waiting = await lab.blocked(a.update("accounts", {"id": 2}, {"amount": 7}))
    with pytest.raises(DeadlockError):
        await b.update("accounts", {"id": 1}, {"amount": 8})
    assert await waiting == 1
    await a.commit()
    assert await values(b, "accounts", "amount") == [7, 7, 100, 100, 100]


async def after_a_deadlock_statements_commit_alone(lab: Lab) -> None:
    a, b = await lab.sessions()
    await a.insert("accounts", [account(1), account(2)])
    await a.begin()
    await b.begin()
    await a.insert("accounts", [account(3), account(4), account(5)])
    await a.select("accounts", {"id": 1}, for_update=True)
    await b.select("accounts", {"id": 2}, for_update=True)
    waiting = await lab.blocked(a.select("accounts", {"id": 2}, for_update=True))
    with pytest.raises(DeadlockError):
        await b.select("accounts", {"id": 1}, for_update=True)
    await b.insert("accounts", account(9))
    await b.rollback()
    await waiting
    assert await values(a, "accounts", "id", id=9) == [9]


async def the_lighter_transaction_is_given_up_even_if_it_waited_first(lab: Lab) -> None:
    a, b = await lab.sessions()
    await a.insert("accounts", [account(1), account(2)])
    await a.begin()
    await b.begin()
    await a.select("accounts", {"id": 1}, for_update=True)
    await b.insert("accounts", [account(3), account(4), account(5)])
    await b.select("accounts", {"id": 2}, for_update=True)
    waiting = await lab.blocked(a.select("accounts", {"id": 2}, for_update=True))
    assert len(await b.select("accounts", {"id": 1}, for_update=True)) == 1
    with pytest.raises(DeadlockError):
        await waiting


async def a_failed_statement_keeps_its_locks(lab: Lab) -> None:
    a, b = await lab.sessions()
    c = await lab.session("c")
    await a.insert("accounts", [account(1), account(2)])
    await a.begin()
    await a.select("accounts", {"id": 2}, for_update=True)
    await b.begin()
    with pytest.raises(LockWaitError):
        await b.update("accounts", {"id": (1, 2)}, {"amount": 7})
    waiting = await lab.blocked(c.update("accounts", {"id": 1}, {"amount": 8}))
    await b.rollback()
    assert await waiting == 1


async def first_come_first_served(lab: Lab) -> None:
    a, b = await lab.sessions()
    c = await lab.session("c")
    await a.insert("accounts", account(1))
    for session in (a, b, c):
        await session.begin()
    await a.select("accounts", {"id": 1}, for_update=True)
    first = await lab.blocked(b.select("accounts", {"id": 1}, for_update=True))
    second = await lab.blocked(c.select("accounts", {"id": 1}, for_update=True))
    await a.commit()
    await first
    assert not second.done()
    await b.commit()
    await second


async def a_shared_lock_becomes_exclusive_past_a_waiter(lab: Lab) -> None:
    a, b = await lab.sessions()
    await a.insert("accounts", account(1))
    await a.begin()
    with pytest.raises(DuplicateKeyError):
        await a.insert("accounts", account(1))
    waiting = await lab.blocked(b.update("accounts", {"id": 1}, {"amount": 8}))
    assert await a.update("accounts", {"id": 1}, {"amount": 7}) == 1
    with pytest.raises(DeadlockError):
        await waiting


SCENARIOS: Final[tuple[Scenario, ...]] = (
    skip_locked_skips,
    skip_locked_skips_an_uncommitted_insert,
    a_plain_read_waits_for_nobody,
    a_lock_wait_undoes_the_statement_only,
    a_deadlock_undoes_the_whole_transaction,
    after_a_deadlock_statements_commit_alone,
    the_lighter_transaction_is_given_up_even_if_it_waited_first,
    a_failed_statement_keeps_its_locks,
    first_come_first_served,
    a_shared_lock_becomes_exclusive_past_a_waiter,
)
