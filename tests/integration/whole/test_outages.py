"""No tier above truth takes a decision down, changes it, or has to be waited for afterwards."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.integration.ledger_faults.processes import Site
from tests.integration.whole.outages import FINE, behind_proxies, loaded, through_outages
from tests.integration.whole.site import whole_site
from tests.services.proxy import FaultProxy
from tests.services.server import Running

REQUESTS: Final = 60
RICH: Final = 120
#: Ample for two cores that everything shares; `make prove` asks with the usual second.
DEADLINE_S: Final = 4.0
HEALTHY: Final = {"rich": "APPROVED", "poor": "DECLINED"}


async def _through(site: Site, proxies: Mapping[str, FaultProxy]) -> None:
    async with loaded(site, RICH, DEADLINE_S) as load:
        async for phase in through_outages(load, proxies, REQUESTS):
            assert set(phase.statuses) <= FINE, (phase.name, phase.statuses)
            assert phase.other == [], phase.name
        told = {kind: decision[0] for kind, decision in load.known.items()}  # type: ignore[index]
        assert told == HEALTHY


def test_whatever_is_away_every_request_is_answered_and_every_decision_is_the_same(
    servers: Mapping[str, Running], tmp_path: Path
) -> None:
    site = whole_site(tmp_path, servers, "outages")
    with behind_proxies(site) as (seen, proxies):
        asyncio.run(_through(seen, proxies))
