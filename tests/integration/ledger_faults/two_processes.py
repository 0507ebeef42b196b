"""Row 3 of the foundation with two processes on one database: three of sixty-four fit."""

import asyncio
import tempfile
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any

from tests.e2e.people import Customer, application
from tests.integration.exposure.rounds import (
    ASKERS,
    INCOMES,
    PARTS,
    SMALLEST,
    TERM,
    Ask,
    Kind,
    centavos,
    judge,
)
from tests.integration.ledger_faults.processes import CREATED, PATIENCE_S, Api, Site, recent, up


def check_two_processes(
    mysql_url: str, redis_url: str, rounds: int, seed: int
) -> Mapping[str, int]:
    """Run rounds of 64 requests for one person, 32 at each process; raise at a wrong one."""
    with tempfile.TemporaryDirectory(prefix="two-processes-") as folder:
        site = Site.made(Path(folder), mysql_url, redis_url)
        asyncio.run(_rounds(site, rounds, seed))
        decisions = site.bank.decisions()
        faults = list(site.bank.broken_lanes(decisions))
        assert not faults, faults
        assert len(decisions) == rounds * ASKERS
        lanes = {row.lane for row in decisions}
        assert len(lanes) >= 2, "one process decided everything"
    return {"rounds": rounds, "requests": len(decisions), "lanes": len(lanes)}


async def _rounds(site: Site, rounds: int, seed: int) -> None:
    async with up(site, "one") as one, up(site, "other") as other:
        for number in range(rounds):
            try:
                await _round(site, (one, other), Random(f"two/{seed}/{number}"), number)
            except AssertionError as error:
                raise AssertionError(f"seed {seed}, round {number}: {error}") from error


async def _round(site: Site, apis: tuple[Api, Api], chance: Random, number: int) -> None:
    customer = Customer(customer_id=f"p-{number}", income=chance.randrange(4_000_00, 8_000_00))
    events = recent(customer)
    # Each process has a stream of its own; truth and cache are shared.
    await apis[number % 2].tell(events)
    await site.known(customer, len(events))
    ask = await _fitting(apis[number % 2], customer)
    body = application(customer.customer_id, amount=_text(ask.amount), term_months=TERM)
    replies = await asyncio.gather(
        *(
            _decided(apis[turn % 2], f"{number}-{turn}", body | {"external_reference": f"a-{turn}"})
            for turn in range(ASKERS)
        )
    )
    judge(replies, ask, Kind())
    names = ", ".join(f"'{reply['decision_id']}'" for reply in replies)
    held = site.bank.server.run(
        "SELECT count(DISTINCT person_id), count(*), sum(principal) FROM reservations"  # noqa: S608
        f" WHERE decision_id IN ({names})"
    )
    assert held == [(1, PARTS, PARTS * ask.principal)], held
    assert PARTS * ask.principal <= ask.limit


async def _decided(api: Api, key: str, body: Mapping[str, object]) -> Any:
    """Ask until there is a decision; a full machine may have to say 503 in between."""
    async with asyncio.timeout(PATIENCE_S):
        while (answer := await api.decide(key, body)).status != CREATED:
            assert answer.status == 503, answer.body
            await asyncio.sleep(float(answer.headers["retry-after"]) / 10)
    return answer.document


async def _fitting(api: Api, customer: Customer) -> Ask:
    """Return an amount of which three fit into the limit, less than a smallest offer left over."""
    assert customer.income is not None
    smallest, band = await _principal(api, customer, SMALLEST)
    limit = INCOMES[band] * customer.income
    amount = (limit // PARTS - 2_00) * SMALLEST // smallest
    principal, _ = await _principal(api, customer, amount)
    assert 0 <= limit - PARTS * principal < smallest
    return Ask(amount, principal, limit, smallest)


async def _principal(api: Api, customer: Customer, amount: int) -> tuple[int, str]:
    body = application(customer.customer_id, amount=_text(amount), term_months=TERM)
    answer = (await api.request("POST", "/v1/credit-decisions/what-if", body)).document
    assert answer["outcome"] == "APPROVED", answer
    return centavos(answer["offers"][0]["principal"]), answer["score"]["band"]


def _text(amount: int) -> str:
    return f"{amount // 100}.{amount % 100:02d}"
