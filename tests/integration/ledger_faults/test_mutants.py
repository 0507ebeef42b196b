"""Guards taken out, on a real server: the checks of this suite must say so."""

import asyncio
from collections.abc import Generator
from dataclasses import replace
from typing import Any

import pytest

from adapters.stores.sql import mysql_session
from adapters.stores.sql.mysql_words import MysqlWords
from adapters.stores.sql.statements import renderers
from decision_engine.record.batch import BatchProgram
from decision_engine.record.entry import Done, Known
from decision_engine.record.prepare import Prepared
from decision_engine.record.statements import InsertBatch, LockPersons, ReadBatch, ReadPersons
from domain.ports.truth import Begin, Commit, DuplicateKeyError, Rollback, Rows, Trip
from tests.integration.ledger_faults.bank import LIMIT, Bank
from tests.integration.ledger_faults.desk import desk
from tests.services.proxy import Faults, Verdict, Way, proxied
from tests.unit.record.toy import entry

KNOWN = renderers(MysqlWords())
LOCKLESS = {**KNOWN, LockPersons: KNOWN[ReadPersons]}
ASKERS = 8
ODD = "it's \\' \" `x` %s -- /* \\"


# --- without the person's lock


async def race(bank: Bank, rounds: int, **options: Any) -> list[Any]:
    """Let two writers ask for one person after the other at once; return the first faults."""
    async with desk(bank.address, **options) as one, desk(bank.address, **options) as other:
        for number in range(rounds):
            bank.add_persons([f"p{number}"])
            asked = [
                made.settle(entry(f"{number}/{who}/{turn}", person=f"p{number}", limit=LIMIT))
                for who, made in enumerate((one, other))
                for turn in range(ASKERS)
            ]
            await asyncio.gather(*asked)
            if faults := bank.faults(one, other):
                return faults
    return []


def test_with_its_lock_nobody_gets_more_than_the_limit(bank: Bank) -> None:
    assert asyncio.run(race(bank, 5)) == []


def test_without_its_lock_somebody_gets_more_than_the_limit(bank: Bank) -> None:
    faults = asyncio.run(race(bank, 50, known=LOCKLESS))

    assert any(fault.endswith("reserved") for fault in faults)


# --- a duplicate taken for a batch that landed


def believing(self: BatchProgram, _sent: Prepared) -> Generator[Trip, list[Rows], bool]:
    """Arbitrate, and take whatever is there for our batch."""
    void = self.lane.batch_row((), "void", 0)
    try:
        yield (Begin(), InsertBatch(void), Commit())
    except DuplicateKeyError:
        yield (Rollback(),)
        (rows,) = yield (ReadBatch(self.lane.lane_id, self.lane.sequence),)
        self.lane.advance(rows[0].root, rows[0].n)
        return True
    self.lane.advance(void.root, void.n)
    return False


def lost_twice() -> Faults:
    """Lose the batch on its way, and the answer to the void one that takes its place."""
    batches = 0

    def judge(way: Way, data: bytes) -> Verdict:
        nonlocal batches
        if way is Way.REPLY:
            if batches == 2:
                batches += 1
                return Verdict.CUT
            return Verdict.PASS
        if b"INSERT INTO ledger_batches" not in data:
            return Verdict.PASS
        batches += 1
        return Verdict.CUT if batches == 1 else Verdict.PASS

    return Faults(judge=judge)


async def lost_batch(bank: Bank) -> list[Any]:
    with proxied(bank.address.port) as proxy:
        address = bank.through(proxy.port)
        async with desk(address, lookups=bank.address) as made:
            await made.settle(entry("before", person="p", limit=LIMIT))
            proxy.faults = lost_twice()
            await made.settle(entry("lost", person="p", limit=LIMIT))
            (void,) = bank.server.run("SELECT count(*) FROM ledger_batches WHERE note = 'void'")
            assert void == (1,)
            return bank.faults(made)


def test_a_void_batch_whose_answer_is_lost_stays_void(bank: Bank) -> None:
    bank.add_persons(["p"])

    assert asyncio.run(lost_batch(bank)) == []


def test_a_void_batch_taken_for_the_lost_one_is_a_reply_without_a_row(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    bank.add_persons(["p"])
    monkeypatch.setattr(BatchProgram, "_landed", believing)

    assert asyncio.run(lost_batch(bank)) == ["lost was answered 1 ways, or otherwise than recorded"]


# --- a session without NO_BACKSLASH_ESCAPES


def test_a_session_that_takes_backslashes_for_escapes_changes_nothing(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    without = mysql_session.SETUP.replace("NO_BACKSLASH_ESCAPES,", "")
    assert without != mysql_session.SETUP
    monkeypatch.setattr(mysql_session, "SETUP", without)
    bank.add_persons(["p"])

    async def main() -> None:
        async with desk(bank.address) as made:
            for turn in range(3):
                asked = replace(entry(f"{ODD}{turn}", person="p", limit=LIMIT), language=ODD)
                first = await made.settle(asked)
                again = await made.settle(asked)
                assert isinstance(first, Done)
                assert isinstance(again, Known)
                assert again.reply == first.reply
            assert bank.faults(made) == []

    asyncio.run(main())
    assert sorted(row.idem_key for row in bank.decisions()) == [f"{ODD}{n}" for n in range(3)]
