"""Another server becomes the writer under load: every client is answered once, by either."""

import asyncio
from collections.abc import Iterator

import pytest

from adapters.system import SystemClock
from decision_engine.archive import InsertKey, ReadKey, StoredKey
from domain.errors import AmbiguousError, TransientError
from domain.ports.truth import Begin, Commit, Program, Truth
from tests.contracts.opened import NEVER
from tests.contracts.rows import a_key
from tests.integration.ledger_faults.desk import DRIVERS
from tests.integration.ledger_faults.failover import FAILOVERS, Cluster, clustered
from tests.integration.ledger_faults.outages import check
from tests.services.provided import provided_lasting

SEED = 20260611
TRIP_S = 0.5
LOST = "ledger_recoveries_total/LostConnectionError"


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with provided_lasting("mariadb") as server, clustered(server) as made:
        yield made


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("kind", FAILOVERS)
def test_the_writer_goes_on_with_the_server_that_the_endpoint_leads_to(
    cluster: Cluster, kind: str, driver: str
) -> None:
    outage = FAILOVERS[kind](cluster)

    found = check(cluster.bank, outage, 2, SEED, driver=driver, trip_seconds=TRIP_S)

    assert found[LOST] > 0
    assert len(cluster.later) == 2


def keeping(key: str) -> Program[list[StoredKey]]:
    """Keep a reply under a key, as the use cases beside the ledger do; return it when it is."""
    row = a_key(idem_key=key)
    _, known = yield (Begin(), ReadKey(row.scope, key))
    if not known:
        yield (InsertKey(row), Commit())
    return known


async def keep_through_a_failover(cluster: Cluster, driver: str) -> tuple[list[str], int]:
    """Keep keys before, in and after a failover -> what the second was told, tries of the third."""
    truth = DRIVERS[driver](cluster.bank.address, SystemClock(), connections=1, trip_seconds=TRIP_S)
    told: list[str] = []
    try:
        await truth.transact(lambda: keeping("before"), NEVER)
        cluster.demote()
        try:
            await truth.transact(lambda: keeping("meanwhile"), NEVER)
        except (TransientError, AmbiguousError) as error:
            told.append(type(error).__name__)
        # One that stays connected to the old writer, whoever it is now.
        await truth.read([ReadKey(a_key().scope, "before")], NEVER)
        await asyncio.to_thread(cluster.move, alive=True)
        tries = 1
        while not await kept(truth, "after"):
            tries += 1
        # Each of them is there now, or can be.
        assert await truth.transact(lambda: keeping("before"), NEVER)
        assert not await truth.transact(lambda: keeping("meanwhile"), NEVER)
        return told, tries
    finally:
        await truth.close()


async def kept(truth: Truth, key: str) -> bool:
    try:
        await truth.transact(lambda: keeping(key), NEVER)
    except TransientError:
        return False
    return True


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_use_case_beside_the_ledger_begins_anew_on_the_new_writer(
    cluster: Cluster, driver: str
) -> None:
    told, tries = asyncio.run(keep_through_a_failover(cluster, driver))

    assert told == ["TransientError"]
    # The connection led to the old one still: the program began anew, and nobody had to ask again.
    assert tries == 1
    (count,) = cluster.bank.server.run("SELECT count(*) FROM idempotency_keys")
    assert count == (3,)
