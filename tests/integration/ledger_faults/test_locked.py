"""Persons who are locked elsewhere hold nobody up, and a hot one starves nobody."""

import asyncio
from contextlib import ExitStack

from decision_engine.record.entry import Done, Result
from domain.errors import CreditError, LedgerBusyError
from tests.contracts.mysql import connected
from tests.integration.ledger_faults.bank import LIMIT, Bank
from tests.integration.ledger_faults.desk import Desk, desk
from tests.unit.record.toy import entry

LOCKED = 6
CALLERS = 32
ASKS = 4
REFUSED = {"limit": 0, "amount": 600_00}
Told = tuple[float, Result | CreditError]


async def told(made: Desk, key: str, person: str, **case: int) -> Told:
    """Return when there was an answer, and which."""
    answer = await made.ask(entry(key, person=person, customer="", **{"limit": LIMIT, **case}))
    return made.clock.monotonic(), answer


def test_of_six_locked_persons_the_five_that_are_freed_are_served_first(bank: Bank) -> None:
    bank.add_persons(f"p{number}" for number in range(LOCKED + 1))

    async def main() -> tuple[list[Told], list[Told]]:
        with ExitStack() as elsewhere:
            locks = []
            for number in range(LOCKED):
                locks.append(elsewhere.enter_context(connected(bank.server.address)))
                cursor = locks[-1].cursor()
                cursor.execute("BEGIN")
                cursor.execute(
                    f"SELECT 1 FROM persons WHERE person_id = 'p{number}' FOR UPDATE"  # noqa: S608
                )
            async with desk(bank.address) as made:
                waiting = [
                    asyncio.create_task(told(made, f"k{number}", f"p{number}"))
                    for number in range(LOCKED)
                ]
                # Neither another person nor a refusal of a locked one waits for them.
                free = [
                    await told(made, "free", f"p{LOCKED}"),
                    await told(made, "no", "p0", **REFUSED),
                ]
                for lock in locks[:-1]:
                    lock.rollback()
                answers = await asyncio.gather(*waiting)
                assert made.seen.counts["ledger_moved_total"] >= 1
                assert bank.faults(made) == []
                return free, answers

    free, (*freed, last) = asyncio.run(main())

    assert all(isinstance(answer, Done) for _, answer in (*free, *freed))
    assert isinstance(last[1], LedgerBusyError)
    # It is given up after a second: whoever was served before that was not held up by it.
    assert max(at for at, _ in (*free, *freed)) < last[0]


def test_one_person_asked_for_by_two_writers_at_once_is_served_to_all(bank: Bank) -> None:
    bank.add_persons(["hot"])

    async def busy(made: Desk, caller: str) -> None:
        for turn in range(ASKS):
            answer = await made.settle(entry(f"{caller}/{turn}", person="hot", limit=LIMIT))
            assert isinstance(answer, Done)

    async def main() -> None:
        async with desk(bank.address) as one, desk(bank.address) as other:
            async with asyncio.TaskGroup() as group:
                for number in range(CALLERS):
                    group.create_task(busy(one, f"one/{number}"))
                    group.create_task(busy(other, f"other/{number}"))
            assert bank.faults(one, other) == []

    asyncio.run(main())

    assert len(bank.decisions()) == 2 * CALLERS * ASKS
    assert bank.server.run("SELECT count(*) FROM reservations") == [(3,)]
