"""What a session sees of others, and what goes wrong when it relies on it."""

from typing import Final

import pytest

from adapters.stores.model.database import DuplicateKeyError
from tests.simulation.kernel.isolation.lab import (
    Lab,
    Scenario,
    account,
    amount_of,
    reservation,
    values,
)


async def no_dirty_reads(lab: Lab) -> None:
    a, b = await lab.sessions()
    await a.insert("accounts", account(1))
    await a.begin()
    await a.update("accounts", {"id": 1}, {"amount": 7})
    await a.insert("accounts", account(2))
    assert await values(b, "accounts", "amount") == [100]
    await a.commit()
    assert await values(b, "accounts", "amount") == [7, 100]


async def own_writes_are_visible(lab: Lab) -> None:
    a, _ = await lab.sessions()
    await a.insert("accounts", [account(1), account(2)])
    await a.begin()
    await a.update("accounts", {"id": 1}, {"amount": 7})
    await a.delete("accounts", {"id": 2})
    await a.insert("accounts", account(3))
    assert await values(a, "accounts", "amount") == [7, 100]


async def non_repeatable_read(lab: Lab) -> None:
    a, b = await lab.sessions()
    await a.insert("accounts", account(1))
    await a.begin()
    assert await amount_of(a, 1) == 100
    await b.update("accounts", {"id": 1}, {"amount": 7})
    assert await amount_of(a, 1) == 7


async def phantom_behind_a_locking_read(lab: Lab) -> None:
    a, b = await lab.sessions()
    await a.insert("reservations", reservation(1))
    await a.begin()
    await a.select("reservations", {"person_id": "p"}, for_update=True)
    await b.insert("reservations", reservation(2))
    assert await values(a, "reservations", "id", person_id="p") == [1, 2]


async def rollback_undoes_and_frees(lab: Lab) -> None:
    a, b = await lab.sessions()
    await a.insert("accounts", account(1, owner="ann"))
    await a.begin()
    await a.update("accounts", {"id": 1}, {"amount": 7, "owner": "bob"})
    await a.insert("accounts", account(2))
    await a.rollback()
    assert await b.select("accounts", {}) == [account(1, owner="ann")]
    await b.insert("accounts", account(2, owner="bob"))
    await b.update("accounts", {"id": 1}, {"amount": 8})


async def begin_commits_what_is_open(lab: Lab) -> None:
    a, b = await lab.sessions()
    await a.begin()
    await a.insert("accounts", account(1))
    await a.begin()
    await a.rollback()
    assert await values(b, "accounts", "id") == [1]


async def lost_update_without_lock(lab: Lab) -> None:
    a, b = await lab.sessions()
    await a.insert("accounts", account(1, 100))
    for session in (a, b):
        await session.begin()
    seen_by_a, seen_by_b = await amount_of(a, 1), await amount_of(b, 1)
    assert seen_by_a == seen_by_b == 100
    await a.update("accounts", {"id": 1}, {"amount": 100 + 1})
    await a.commit()
    await b.update("accounts", {"id": 1}, {"amount": 100 + 10})
    await b.commit()
    assert await amount_of(a, 1) == 110


async def no_lost_update_with_lock(lab: Lab) -> None:
    a, b = await lab.sessions()
    await a.insert("accounts", account(1, 100))
    for session in (a, b):
        await session.begin()
    (row,) = await a.select("accounts", {"id": 1}, for_update=True)
    waiting = await lab.blocked(b.select("accounts", {"id": 1}, for_update=True))
    await a.update("accounts", {"id": 1}, {"amount": row["amount"] + 1})
    await a.commit()
    (row,) = await waiting
    await b.update("accounts", {"id": 1}, {"amount": row["amount"] + 10})
    await b.commit()
    assert await amount_of(a, 1) == 111


async def compare_and_set_is_evaluated_after_the_wait(lab: Lab) -> None:
    a, b = await lab.sessions()
    await a.insert("accounts", account(1, 100))
    await a.begin()
    await a.update("accounts", {"id": 1, "amount": 100}, {"amount": 101})
    waiting = await lab.blocked(b.update("accounts", {"id": 1, "amount": 100}, {"amount": 110}))
    await a.commit()
    assert await waiting == 0
    assert await amount_of(b, 1) == 101


async def write_skew_of_sum_then_insert(lab: Lab) -> None:
    a, b = await lab.sessions()
    await a.insert("persons", {"person_id": "p"})
    for session in (a, b):
        await session.begin()
    for session in (a, b):
        assert sum(await values(session, "reservations", "principal", person_id="p")) == 0
    await a.insert("reservations", reservation(1, 60))
    await b.insert("reservations", reservation(2, 60))
    for session in (a, b):
        await session.commit()
    assert sum(await values(a, "reservations", "principal", person_id="p")) == 120


async def no_write_skew_under_the_persons_lock(lab: Lab) -> None:
    a, b = await lab.sessions()
    await a.insert("persons", {"person_id": "p"})
    for session in (a, b):
        await session.begin()
    await a.select("persons", {"person_id": "p"}, for_update=True)
    waiting = await lab.blocked(b.select("persons", {"person_id": "p"}, for_update=True))
    assert await values(a, "reservations", "principal", person_id="p") == []
    await a.insert("reservations", reservation(1, 60))
    await a.commit()
    await waiting
    assert await values(b, "reservations", "principal", person_id="p") == [60]


async def what_does_not_exist_cannot_be_locked(lab: Lab) -> None:
    a, b = await lab.sessions()
    for session in (a, b):
        await session.begin()
        assert await session.select("persons", {"person_id": "p"}, for_update=True) == []
    await a.insert("persons", {"person_id": "p"})
    waiting = await lab.blocked(b.insert("persons", {"person_id": "p"}))
    await a.commit()
    with pytest.raises(DuplicateKeyError):
        await waiting


SCENARIOS: Final[tuple[Scenario, ...]] = (
    no_dirty_reads,
    own_writes_are_visible,
    non_repeatable_read,
    phantom_behind_a_locking_read,
    rollback_undoes_and_frees,
    begin_commits_what_is_open,
    lost_update_without_lock,
    no_lost_update_with_lock,
    compare_and_set_is_evaluated_after_the_wait,
    write_skew_of_sum_then_insert,
    no_write_skew_under_the_persons_lock,
    what_does_not_exist_cannot_be_locked,
)
