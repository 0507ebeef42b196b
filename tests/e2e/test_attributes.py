"""Over HTTP: what is missing or too old is never approved, is named, and can be made good."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

from adapters.stores.embedded import folder_clock
from tests.e2e.conftest import UNPAID
from tests.e2e.folder import Folder
from tests.e2e.people import BEGIN, NEWEST_MONTH, Customer, application
from tests.e2e.platform import Platform, running

#: Bills may be 45 days old; those of May are older than that on this day.
LATER = BEGIN + timedelta(days=40)


def test_a_missing_income_is_referred_by_its_name_until_it_is_told(data: Path) -> None:
    async def run() -> tuple[Any, Any]:
        async with running(data) as platform:
            before = await _decided(platform, "before", UNPAID)
            known = Customer(customer_id=UNPAID.customer_id)
            await platform.accept(known.income_events())
            await platform.command("settle")
            after = await _decided(platform, "after", UNPAID)
            await platform.stop()
        return before, after

    before, after = asyncio.run(run())

    assert before["outcome"] == "REFERRED"
    assert _named(before) == {("R94", "income.monthly")}
    assert before["offers"] == []
    assert after["outcome"] == "APPROVED"
    assert _reviews(data) == [(before["decision_id"], "OPEN", "REFERRED")]
    assert list(Folder(data).faults()) == []


def test_old_bills_are_referred_by_their_names_until_new_ones_come(data: Path) -> None:
    customer = Customer(customer_id="c-0")

    async def run() -> tuple[Any, Any, Any]:
        async with running(data) as platform:
            fresh = await _decided(platform, "fresh", customer)
            await platform.stop()
        folder_clock.save(data, timedelta(0), LATER)
        async with running(data) as platform:
            stale = await _decided(platform, "stale", customer)
            # Twelve events of this stream are told already.
            await platform.accept(customer.month_events(NEWEST_MONTH + 1, 13))
            await platform.command("settle")
            again = await _decided(platform, "again", customer)
            await platform.stop()
        return fresh, stale, again

    fresh, stale, again = asyncio.run(run())

    assert (fresh["outcome"], stale["outcome"]) == ("APPROVED", "REFERRED")
    assert {code for code, _ in _named(stale)} == {"R95"}
    assert stale["offers"] == []
    assert again["outcome"] == "APPROVED"
    assert again["decided_at"] > stale["decided_at"] > fresh["decided_at"]
    assert list(Folder(data).faults()) == []


def test_every_old_attribute_is_told_in_the_explanation(data: Path) -> None:
    async def run() -> tuple[Any, Any]:
        folder_clock.save(data, timedelta(0), LATER)
        async with running(data) as platform:
            stale = await _decided(platform, "stale", Customer(customer_id="c-1"))
            explained = await platform.request("GET", stale["links"]["explanation"])
            await platform.stop()
        return stale, explained.document

    stale, explained = asyncio.run(run())

    unusable = {rule["rule"] for rule in explained["rules"] if rule["result"] == "not_evaluable"}
    assert {"late-now", "debt-to-income"} <= unusable, explained
    assert stale["outcome"] == "REFERRED"


async def _decided(platform: Platform, key: str, customer: Customer) -> Any:
    return (await platform.decide(key, application(customer.customer_id))).document


def _named(reply: Any) -> set[tuple[str, str]]:
    return {(reason["code"], reason.get("attribute", "")) for reason in reply["reasons"]}


def _reviews(data: Path) -> list[Any]:
    return Folder(data).rows("SELECT decision_id, state, cause FROM reviews")
