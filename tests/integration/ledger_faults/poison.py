"""One request among 128 that the server refuses: the others must not notice."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Final

from decision_engine.exposure import NO_EXPOSURE, Exposure
from decision_engine.proposal import Proposal
from decision_engine.record.entry import Done, Entry, Failed
from domain.errors import CreditError, PermanentError, TransientError
from domain.money import Money
from domain.ports.time import Deadline
from tests.integration.ledger_faults.bank import LIMIT, Bank
from tests.integration.ledger_faults.desk import Desk, desk
from tests.unit.record.toy import ToyCase, entry

BATCH: Final = 128
#: An amount that the table is told to refuse.
REFUSED_AMOUNT: Final = 123_45
PERSONS: Final = 40


class Boundless(ToyCase):
    """A case whose score is far too high."""

    def assess(self, exposure: Exposure) -> Proposal:
        return replace(ToyCase.assess(self, exposure), score=1 << 31)


def too_long(made: Entry) -> Entry:
    """Give it a key that the column cannot hold (error 1406)."""
    return replace(made, idem_key=made.idem_key + "x" * 300)


def out_of_range(made: Entry) -> Entry:
    """Give it a score that the column cannot hold (error 1264)."""
    case = _case(made)
    odd = Boundless(application=case.application, person_id=case.person_id, limit=case.limit)
    return replace(made, case=odd, proposal=odd.assess(NO_EXPOSURE))


def checked(made: Entry) -> Entry:
    """Give it an amount that a CHECK refuses (error 4025; 3819 on MySQL)."""
    case = _case(made)
    application = replace(case.application, amount=Money(REFUSED_AMOUNT))
    return replace(made, case=replace(case, application=application))


def half_a_character(made: Entry) -> Entry:
    """Give it a language that has no bytes: no packet can hold it."""
    return replace(made, language="\ud800")


#: What a request is told of each: whether it may come again.
POISONS: Final[Mapping[Callable[[Entry], Entry], type[CreditError]]] = {
    too_long: PermanentError,
    out_of_range: PermanentError,
    checked: TransientError,
    half_a_character: PermanentError,
}


def check_poison(bank: Bank, places: Iterable[int]) -> Mapping[str, int]:
    """Poison one place after the other, by turns in each way; raise at the first that spreads."""
    bank.server.run(
        "ALTER TABLE credit_decisions DROP CONSTRAINT IF EXISTS refused",
        f"ALTER TABLE credit_decisions ADD CONSTRAINT refused CHECK (amount <> {REFUSED_AMOUNT})",
    )
    try:
        return asyncio.run(_poisoned(bank, places))
    finally:
        bank.server.run("ALTER TABLE credit_decisions DROP CONSTRAINT refused")


async def _poisoned(bank: Bank, places: Iterable[int]) -> Mapping[str, int]:
    batches = 0
    async with desk(bank.address, lanes=1) as made:
        for batches, place in enumerate(places, 1):
            bank.add_persons(f"{batches}-{number}" for number in range(PERSONS))
            await _one_batch(bank, made, batches, place)
    faults = bank.faults(made)
    assert not faults, faults
    await bank.left_alone()
    return {"batches": batches, "recorded": len(bank.decisions())}


async def _one_batch(bank: Bank, made: Desk, number: int, place: int) -> None:
    entries = [_asked(number, turn) for turn in range(BATCH)]
    poison, kind = [*POISONS.items()][number % len(POISONS)]
    entries[place] = poison(entries[place])
    made.seen.largest = 0
    results = await asyncio.gather(*(made.writer.record(each, _soon(made)) for each in entries))
    where = f"{poison.__name__} at {place}"
    assert made.seen.largest == BATCH, f"{where}: {made.seen.largest} in a batch"
    told = results.pop(place)
    assert isinstance(told, Failed), f"{where}: {told}"
    assert isinstance(told.error, kind), f"{where}: {told.error!r}"
    assert all(isinstance(each, Done) for each in results), where
    assert bank.open_transactions() == [], where
    for made_of, result in zip(
        (e for e in entries if e is not entries[place]), results, strict=True
    ):
        assert isinstance(result, Done)
        made.answers[made_of.idem_key] = {(result.decision_id, result.reply)}


def _asked(number: int, turn: int) -> Entry:
    """Return an entry; every third is a refusal, which locks nobody: both kinds are halved."""
    key, person = f"{number:03d}/{turn:03d}", f"{number}-{turn % PERSONS}"
    if turn % 3 == 0:
        return entry(key, person=person, limit=0, amount=600_00)
    return entry(key, person=person, limit=LIMIT)


def _case(made: Entry) -> ToyCase:
    assert isinstance(made.case, ToyCase)
    return made.case


def _soon(made: Desk) -> Deadline:
    return Deadline.after(made.clock, 60.0)
