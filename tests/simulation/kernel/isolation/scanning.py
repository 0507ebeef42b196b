"""Which rows a statement that locks waits for, and which it keeps."""

from typing import Final

from tests.simulation.kernel.isolation.lab import (
    Lab,
    Scenario,
    Sql,
    account,
    amount_of,
    reservation,
    values,
)

#: Enough rows of another person, or the server prefers a scan to the index.
OTHERS: Final = [reservation(number, person="q") for number in range(2, 20)]


async def a_miss_is_let_go(lab: Lab) -> None:
    a, b = await lab.sessions()
    await a.insert("accounts", [account(1), account(2)])
    await a.insert("batches", [{"lane": each, "seq": 1, "root": "r"} for each in "kl"])
    await a.begin()
    assert await a.select("accounts", {"id": (1, 2), "amount": 5}, for_update=True) == []
    assert await a.update("accounts", {"id": 1, "amount": 5}, {"amount": 6}) == 0
    assert await a.delete("accounts", {"amount": 5}) == 0
    assert await a.select("batches", {"lane": "k", "root": "s"}, for_update=True) == []
    assert await b.update("accounts", {"id": (1, 2)}, {"amount": 7}) == 2
    assert await b.update("batches", {"lane": "k", "seq": 1}, {"root": "s"}) == 1


async def a_miss_by_an_index_stays_locked(lab: Lab) -> None:
    a, b = await lab.sessions()
    await a.insert("reservations", [reservation(1), *OTHERS])
    await a.begin()
    miss = {"person_id": "p", "principal": 5}
    assert await a.select("reservations", miss, for_update=True) == []
    waiting = await lab.blocked(b.update("reservations", {"id": 1}, {"principal": 7}))
    await a.commit()
    assert await waiting == 1


async def a_miss_by_primary_key_stays_locked_by_select(lab: Lab) -> None:
    a, b = await lab.sessions()
    await a.insert("accounts", account(1))
    await a.begin()
    assert await a.select("accounts", {"id": 1, "amount": 5}, for_update=True) == []
    waiting = await lab.blocked(b.update("accounts", {"id": 1}, {"amount": 7}))
    await a.commit()
    assert await waiting == 1


async def a_miss_by_unique_key_stays_locked(lab: Lab) -> None:
    a, b = await lab.sessions()
    await a.insert("accounts", account(1, owner="ann"))
    await a.begin()
    assert await a.update("accounts", {"owner": "ann", "amount": 5}, {"amount": 6}) == 0
    waiting = await lab.blocked(b.update("accounts", {"id": 1}, {"amount": 7}))
    await a.commit()
    assert await waiting == 1


async def a_locked_row_is_waited_for_before_it_is_judged(lab: Lab) -> None:
    a, b = await lab.sessions()
    await a.insert("reservations", [reservation(1), *OTHERS])
    await a.begin()
    await a.select("reservations", {"id": 1}, for_update=True)
    miss = {"person_id": "p", "principal": 5}
    waiting = await lab.blocked(b.select("reservations", miss, for_update=True))
    await a.commit()
    assert await waiting == []


async def an_index_does_not_lead_to_other_rows(lab: Lab) -> None:
    a, b = await lab.sessions()
    await a.insert("reservations", [reservation(1), *OTHERS])
    await a.begin()
    await a.select("reservations", {"id": 2}, for_update=True)
    found = await b.select("reservations", {"person_id": "p"}, for_update=True)
    assert [row["id"] for row in found] == [1]


async def both_versions_of_a_row_are_waited_for(lab: Lab) -> None:
    a, b = await lab.sessions()
    await a.insert("reservations", [reservation(1), reservation(20), *OTHERS])
    await a.begin()
    await a.update("reservations", {"id": 1}, {"person_id": "z"})
    for person, found in (("p", [20]), ("z", [1])):
        waiting = await lab.blocked(
            b.select("reservations", {"person_id": person}, for_update=True)
        )
        await a.commit()
        assert [row["id"] for row in await waiting] == found
        await a.begin()
        await a.update("reservations", {"id": 1}, {"principal": 1})


async def only_update_passes_over_locked_misses_of_a_scan(lab: Lab) -> None:
    a, b = await lab.sessions()
    await a.insert("accounts", account(1))
    await a.begin()
    await a.select("accounts", {"id": 1}, for_update=True)
    assert await b.update("accounts", {"amount": 5}, {"amount": 6}) == 0
    waiting = await lab.blocked(b.delete("accounts", {"amount": 5}))
    await a.commit()
    assert await waiting == 0


async def _insert_while_a_scan_waits_at_5(lab: Lab, new: int) -> tuple[Sql, int]:
    a, b = await lab.sessions()
    c = await lab.session("c")
    await a.insert("accounts", [account(5), account(6)])
    await a.begin()
    await a.select("accounts", {"id": 5}, for_update=True)
    waiting = await lab.blocked(b.update("accounts", {"amount": 100}, {"amount": 7}))
    await c.insert("accounts", account(new))
    await a.commit()
    return c, await waiting


async def a_scan_does_not_look_back(lab: Lab) -> None:
    session, updated = await _insert_while_a_scan_waits_at_5(lab, 1)
    assert updated == 2
    assert await amount_of(session, 1) == 100


async def a_scan_meets_what_was_inserted_ahead(lab: Lab) -> None:
    session, updated = await _insert_while_a_scan_waits_at_5(lab, 9)
    assert updated == 3
    assert await values(session, "accounts", "amount") == [7, 7, 7]


async def a_scan_meets_what_was_moved_ahead(lab: Lab) -> None:
    a, b = await lab.sessions()
    c = await lab.session("c")
    await a.insert("reservations", [reservation(1), *OTHERS])
    await a.begin()
    await a.select("reservations", {"id": 1}, for_update=True)
    waiting = await lab.blocked(b.select("reservations", {"person_id": "p"}, for_update=True))
    await c.update("reservations", {"id": 9}, {"person_id": "p"})
    await a.commit()
    assert [row["id"] for row in await waiting] == [1, 9]


SCENARIOS: Final[tuple[Scenario, ...]] = (
    a_miss_is_let_go,
    a_miss_by_an_index_stays_locked,
    a_miss_by_primary_key_stays_locked_by_select,
    a_miss_by_unique_key_stays_locked,
    a_locked_row_is_waited_for_before_it_is_judged,
    an_index_does_not_lead_to_other_rows,
    both_versions_of_a_row_are_waited_for,
    only_update_passes_over_locked_misses_of_a_scan,
    a_scan_does_not_look_back,
    a_scan_meets_what_was_inserted_ahead,
    a_scan_meets_what_was_moved_ahead,
)
