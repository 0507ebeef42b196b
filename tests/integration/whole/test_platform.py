"""One platform on every real server: what is told and decided reaches all four stores."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final

from adapters.bootstrap.projection_servers import ProjectionServers, visited
from adapters.settings import ServicesSettings
from adapters.system import SystemClock
from domain.ports.time import Deadline
from tests.e2e.people import MONTHS, Customer
from tests.integration.ledger_faults.processes import PATIENCE_S, POLL_S, Site, recent, up
from tests.integration.whole.site import whole_site
from tests.services.server import Running

CUSTOMERS: Final = [Customer(customer_id=f"w-{number}") for number in range(3)]
EVENTS: Final = 1 + 2 * MONTHS
CREATED: Final = 201


def wish(customer: Customer) -> dict[str, Any]:
    return {
        "customer_id": customer.customer_id,
        "product": "personal_loan",
        "amount": "1500.00",
        "term_months": 12,
    }


async def until(found: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not await found():  # noqa: ASYNC110  another process writes
            await asyncio.sleep(POLL_S)


async def told_and_decided(site: Site, settings: ServicesSettings) -> None:
    async with up(site, "one") as api, visited(settings, SystemClock()) as held:
        for customer in CUSTOMERS:
            await api.tell(recent(customer))
        for customer in CUSTOMERS:
            await site.known(customer, EVENTS)
            await until(lambda c=customer: projected(held, c))  # type: ignore[misc]
        for customer in CUSTOMERS:
            answer = await api.decide(f"key-{customer.customer_id}", wish(customer))
            assert answer.status == CREATED, answer.body
            assert answer.document["outcome"] == "APPROVED", answer.body
            decision_id = answer.document["decision_id"]
            await until(lambda c=customer, d=decision_id: decided(held, c, d))  # type: ignore[misc]
        ready = await api.request("GET", "/health/ready")
        assert ready.status == 200, ready.body


async def projected(held: ProjectionServers, customer: Customer) -> bool:
    """Tell whether both projections have the newest profile and every transaction."""
    soon = Deadline.after(SystemClock(), PATIENCE_S)
    key = (customer.customer_id, "CUSTOMER_PROFILE")
    wide = await held.keyspaces.read_item(*key, soon)
    hot = await held.dynamodb.read_item(*key, soon)
    if wide is None or hot is None or wide.version != EVENTS or hot.version != EVENTS:
        return False
    assert wide.payload == hot.payload
    rows = await held.keyspaces.query(customer.customer_id, "TRANSACTION#", 99, "", soon)
    return len(rows) == 2 * MONTHS


async def decided(held: ProjectionServers, customer: Customer, decision_id: str) -> bool:
    """Tell whether the decision came through outbox and stream to both projections."""
    soon = Deadline.after(SystemClock(), PATIENCE_S)
    rows = await held.keyspaces.query(customer.customer_id, "DECISION#", 99, "", soon)
    latest = await held.dynamodb.read_item(customer.customer_id, "DECISION_LATEST", soon)
    there = [row.data_type.rpartition("#")[2] for row in rows] == [decision_id]
    return there and latest is not None and decision_id.encode() in latest.payload


def test_what_is_told_and_decided_reaches_every_store(
    servers: Mapping[str, Running], tmp_path: Path
) -> None:
    site = whole_site(tmp_path, servers, "told-and-decided")
    settings = ServicesSettings.from_environment(tmp_path / "visit", {}, site.environment)

    asyncio.run(told_and_decided(site, settings))
