"""Over HTTP: an operator sees in the hot store what was ingested and what was decided."""

import asyncio
from pathlib import Path
from typing import Any

from tests.e2e.conftest import KNOWN, UNPAID
from tests.e2e.people import application
from tests.e2e.platform import CREATED, Platform, running


async def listed(platform: Platform, path: str) -> list[dict[str, Any]]:
    """Return all rows of a list, two a page."""
    items: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = await platform.request("GET", f"/v1/hot-data/{path}?limit=2{cursor}")
        assert page.status == 200, page.body
        items += page.document["items"]
        if page.document["next_cursor"] is None:
            return items
        cursor = f"&cursor={page.document['next_cursor'].replace('=', '%3D')}"


def test_profiles_and_latest_decisions_are_listed_by_type_and_status(data: Path) -> None:
    customer = KNOWN[1].customer_id

    async def run() -> dict[str, list[dict[str, Any]]]:
        async with running(data) as platform:
            answer = await platform.decide("one", application(customer, amount="1000.00"))
            assert answer.status == CREATED
            await platform.command("settle")
            paths = ("types/CUSTOMER_PROFILE", "types/DECISION_LATEST", "types/NONE",
                     "statuses/ACTIVE", f"statuses/{answer.document['outcome']}")  # fmt: skip
            found = {path: await listed(platform, path) for path in paths}
            await platform.stop()
        return found

    profiles, decisions, none, active, outcome = asyncio.run(run()).values()

    everybody = {each.customer_id for each in (*KNOWN, UNPAID)}
    assert {row["customer_id"] for row in profiles} == everybody
    assert {row["customer_id"] for row in active} >= everybody - {UNPAID.customer_id}
    assert len(profiles) == len(everybody)
    updated = [row["updated_at"] for row in profiles]
    assert updated == sorted(updated, reverse=True)
    assert [row["customer_id"] for row in decisions] == [customer]
    assert outcome == decisions
    assert none == []
