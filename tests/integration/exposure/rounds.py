"""
One person asks sixty-four times at once, and can take up what the limit allows and no more.

A round has a person of its own, an income drawn from its seed, and an amount of which exactly three
fit into the limit. Who wins the race does not matter; that three win, and only three, does.
"""

import asyncio
import json
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from pathlib import Path
from random import Random
from statistics import median
from time import perf_counter, process_time
from typing import Any, Final

from adapters.bootstrap.platform import Core
from decision_engine.commands import WhatIfCommand
from domain.application import CreditApplication
from domain.money import Money
from tests.e2e.core import core_on, decide, patience, settle, tell
from tests.e2e.folder import Folder
from tests.e2e.people import KNOWN_CPFS, Customer

ASKERS: Final = 64
PARTS: Final = 3
TERM: Final = 60
SMALLEST: Final = 1_000_00
#: The limit in monthly incomes, by band (the shipped policy's own words, docs of the demo).
INCOMES: Final[Mapping[str, int]] = {"A": 8, "B": 6, "C": 5, "D": 4, "E": 3}
LIMIT_REASON: Final = "R12"

Measured = Mapping[str, str | int | float | bool | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A variant: what of the limit three requests leave over, and what must come out."""

    #: The rest in smallest offers (less than one), or in requests when `half` is set.
    half: bool = False
    #: Two customers that share a CPF ask by turns.
    shared: bool = False

    @property
    def outcomes(self) -> dict[str, int]:
        """What the sixty-four are told."""
        counter = {"COUNTER_OFFER": 1} if self.half else {}
        declined = ASKERS - PARTS - len(counter)
        return {"APPROVED": PARTS, "DECLINED": declined, **counter}


@dataclass(frozen=True, slots=True)
class Ask:
    """What each of the sixty-four asks for, and the numbers behind it, in centavos."""

    amount: int
    principal: int
    limit: int
    smallest: int


def check_exposure(rounds: int, seed: int, kind: Kind | None = None) -> Measured:
    """Run rounds and raise at the first one in which more or less than the limit is taken up."""
    asked = kind or Kind()
    # A CPF has taken up its limit after one round, so known ones need new folders.
    most = len(KNOWN_CPFS) if asked.shared else rounds
    done = 0
    while done < rounds:
        some = range(done, min(done + most, rounds))
        with tempfile.TemporaryDirectory(prefix="exposure-") as folder:
            data = Path(folder) / "data"
            asyncio.run(_rounds(data, some, seed, asked))
            faults = list(islice(Folder(data).faults(), 3))
            assert not faults, f"seed {seed}: {faults}"
        done += len(some)
    return {"rounds": rounds, "requests": rounds * ASKERS}


async def _rounds(data: Path, numbers: Sequence[int], seed: int, kind: Kind) -> None:
    async with core_on(data) as core:
        for number in numbers:
            try:
                await _round(core, data, Random(f"exposure/{seed}/{number}"), number, kind)
            except AssertionError as error:
                raise AssertionError(f"seed {seed}, round {number}, {kind}: {error}") from error


async def _round(core: Core, data: Path, chance: Random, number: int, kind: Kind) -> None:
    customers = _customers(chance, number, kind)
    await tell(core, (event for each in customers for event in each.events()))
    ask = await fitting(core, customers[0], chance, kind)
    names = [customers[turn % len(customers)].customer_id for turn in range(ASKERS)]
    asks = [(name, ask.amount) for name in names]
    replies = await _released_together(core, asks, f"r{number}")
    judge(replies, ask, kind)
    _judge_reservations(Folder(data), replies, ask, kind)


def _customers(chance: Random, number: int, kind: Kind) -> list[Customer]:
    income = chance.randrange(4_000_00, 8_000_00)
    if not kind.shared:
        return [Customer(customer_id=f"p-{number}", income=income)]
    identity = {"cpf": KNOWN_CPFS[number % len(KNOWN_CPFS)]}
    return [
        Customer(customer_id=f"p-{number}{half}", income=income, identity=identity) for half in "ab"
    ]


async def fitting(core: Core, customer: Customer, chance: Random, kind: Kind) -> Ask:
    """Return an amount of which three fit into the customer's limit, and what is left as asked."""
    smallest, band = await _principal(core, customer, SMALLEST)
    assert customer.income is not None
    limit = INCOMES[band] * customer.income
    target = limit * 2 // 7 if kind.half else (limit - chance.randrange(smallest)) // PARTS
    amount = target * SMALLEST // smallest
    principal, _ = await _principal(core, customer, amount)
    while principal > target:
        amount -= max(1, (principal - target) * SMALLEST // smallest)
        principal, _ = await _principal(core, customer, amount)
    left = limit - PARTS * principal
    assert smallest < left < principal if kind.half else 0 <= left < smallest
    return Ask(amount, principal, limit, smallest)


async def _principal(core: Core, customer: Customer, amount: int) -> tuple[int, str]:
    """Return what an amount becomes with its tax, and the customer's band, recording nothing."""
    command = WhatIfCommand(
        application=_application(customer.customer_id, amount, "what-if"),
        overrides={},
        policy=None,
        language="en",
        deadline=patience(core),
    )
    answer: Any = await core.use_cases.what_if(command)
    assert answer["outcome"] == "APPROVED", answer
    return centavos(answer["offers"][0]["principal"]), answer["score"]["band"]


async def _released_together(
    core: Core,
    asks: Sequence[tuple[str, int]],
    name: str,
    answered: Callable[[str], object] = str,
) -> list[Any]:
    """Ask for (customer, amount) each, all let go at once; return the replies in that order."""
    release = asyncio.Event()

    async def ask(turn: int, customer_id: str, amount: int) -> Any:
        application = _application(customer_id, amount, f"{name}-{turn}")
        await release.wait()
        recorded = await decide(core, f"{name}-{turn}", application)
        answered(customer_id)
        return json.loads(recorded.reply)

    tasks = [asyncio.create_task(ask(turn, *each)) for turn, each in enumerate(asks)]
    await asyncio.sleep(0)
    release.set()
    return await asyncio.gather(*tasks)


def judge(replies: Sequence[Any], ask: Ask, kind: Kind) -> None:
    """Raise unless the replies are what the limit allows."""
    outcomes = Counter(reply["outcome"] for reply in replies)
    assert outcomes == kind.outcomes, dict(outcomes)
    declined = [reply for reply in replies if reply["outcome"] == "DECLINED"]
    assert {reply["reasons"][0]["code"] for reply in declined} == {LIMIT_REASON}
    assert all(not reply["offers"] for reply in declined)
    approved = [reply for reply in replies if reply["outcome"] == "APPROVED"]
    principals = [centavos(reply["offers"][0]["principal"]) for reply in approved]
    assert principals == [ask.principal] * PARTS, principals


def _judge_reservations(folder: Folder, replies: Sequence[Any], ask: Ask, kind: Kind) -> None:
    names = {reply["decision_id"]: reply["outcome"] for reply in replies}
    rows = folder.rows("SELECT decision_id, person_id, principal FROM reservations")
    held = [(names[name], person, principal) for name, person, principal in rows if name in names]
    assert len({person for _, person, _ in held}) == 1, "one person has several names"
    total = sum(principal for *_, principal in held)
    assert total <= ask.limit, f"{total} is more than the limit of {ask.limit}"
    approved = sum(principal for outcome, _, principal in held if outcome == "APPROVED")
    assert approved == PARTS * ask.principal
    if not kind.half:
        assert total == PARTS * ask.principal
    else:
        # The smaller offer takes what is left, to the hundred reais below.
        assert ask.limit - total < ask.smallest // 10 + 1


def _application(customer_id: str, amount: int, reference: str) -> CreditApplication:
    return CreditApplication(
        customer_id=customer_id,
        product="personal_loan",
        amount=Money(amount),
        term_months=TERM,
        external_reference=reference,
    )


def centavos(text: str) -> int:
    """Return an amount of a reply in centavos."""
    return int(Decimal(text).scaleb(2))


# --- the others are not held up ------------------------------------------------------------------


def check_liveness(repeats: int, seed: int) -> Measured:
    """
    Decide for sixty-four persons alone, then beside one person who asks sixty-four times.

    Raises unless all of them are approved every time, and at a fair share of the rate they reach
    alone (medians of the repeats). Judged is the share in processor time, which other work on the
    machine moves least; it counts the work of both, so beside sixty-four other persons it is half.
    """
    measured = measure_liveness(repeats, seed)
    assert measured[f"processor {BUSY}"] >= PROCESSOR_SHARE, measured
    return measured


def measure_liveness(repeats: int, seed: int) -> dict[str, float]:
    """Return the shares of `check_liveness`; raises only if one of the others is not approved."""
    with tempfile.TemporaryDirectory(prefix="exposure-") as folder:
        timings = asyncio.run(_timings(Path(folder) / "data", repeats, seed))
    measured: dict[str, float] = {}
    for number, unit in enumerate(("processor", "clock")):
        alone, crowd, busy = (
            [timing[kind][number] for timing in timings] for kind in ("alone", "crowd", "busy")
        )
        measured[f"alone per {unit} second"] = round(ASKERS / median(alone), 1)
        pairs = zip(alone, crowd, strict=True), zip(alone, busy, strict=True)
        shares = [round(median(own / with_ for own, with_ in each), 3) for each in pairs]
        measured[f"{unit} {CROWD}"], measured[f"{unit} {BUSY}"] = shares
    return measured


PROCESSOR_SHARE: Final = 0.80
BUSY: Final = "share beside one busy person"
CROWD: Final = "share beside 64 other persons"
Timing = tuple[float, float]


async def _timings(data: Path, repeats: int, seed: int) -> list[dict[str, Timing]]:
    chance = Random(f"liveness/{seed}")
    async with core_on(data) as core:
        # The first one only warms up.
        return [await _timed_kinds(core, number, chance) for number in range(repeats + 1)][1:]


async def _timed_kinds(core: Core, number: int, chance: Random) -> dict[str, Timing]:
    hot = Customer(customer_id=f"hot-{number}", income=chance.randrange(4_000_00, 8_000_00))
    groups = [
        [Customer(customer_id=f"{name}-{number}-{one}") for one in range(ASKERS)]
        for name in ("alone", "first", "second", "beside")
    ]
    everyone = [hot, *(each for group in groups for each in group)]
    await tell(core, (event for each in everyone for event in each.events()))
    ask = await fitting(core, hot, chance, Kind())
    alone, first, second, beside = (
        [(each.customer_id, SMALLEST) for each in group] for group in groups
    )
    busy = [(hot.customer_id, ask.amount)] * ASKERS
    sides = [("alone", alone, []), ("crowd", first, second), ("busy", beside, busy)]
    chance.shuffle(sides)
    timed: dict[str, Timing] = {}
    for kind, mine, theirs in sides:
        timed[kind] = await _timed(core, mine, theirs, chance)
        # What these decisions left for the other stores must not run beside the next ones.
        await settle(core)
    return timed


async def _timed(
    core: Core,
    mine: Sequence[tuple[str, int]],
    theirs: Sequence[tuple[str, int]],
    chance: Random,
) -> Timing:
    """Return how long it took until the last of mine was answered, all of them let go at once."""
    turns = [*mine, *theirs]
    chance.shuffle(turns)
    own = {customer_id for customer_id, _ in mine}
    answers: list[Timing] = []
    began = (process_time(), perf_counter())

    def answered(customer_id: str) -> None:
        if customer_id in own:
            answers.append((process_time() - began[0], perf_counter() - began[1]))

    replies = await _released_together(core, turns, f"t-{mine[0][0]}", answered)
    outcomes = [
        reply["outcome"]
        for (customer_id, _), reply in zip(turns, replies, strict=True)
        if customer_id in own
    ]
    assert outcomes == ["APPROVED"] * len(mine), outcomes
    return answers[-1]
