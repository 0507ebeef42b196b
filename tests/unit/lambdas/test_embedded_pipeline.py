"""Producer to stores on the real embedded adapters: stream, mapping, handler thread, SQLite."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

from adapters.bootstrap.ingestion import Ingestion, build_ingestion
from adapters.bootstrap.stores import Stores, open_stores
from adapters.settings import EmbeddedSettings
from domain.canonical import encode
from domain.identifiers import person_of_index
from domain.ports.time import Deadline
from domain.profile_bytes import profile_from_bytes, profile_to_bytes
from ingestion.accept import AcceptEvents
from ingestion.parse import parse_event
from ingestion.program import read_profiles
from tests.unit.ingestion.builders import CLEAR_IDENTITY, Json, envelope, event_id, identity
from tests.unit.ingestion.fakes import FakeMonitoring
from tests.unit.ingestion.histories import expected

Script = Callable[[Stores, Ingestion], Awaitable[None]]


def on_one_machine(folder: Path, script: Script) -> FakeMonitoring:
    """Run a script over freshly opened stores; return what was counted."""
    monitoring = FakeMonitoring()

    async def main() -> None:
        settings = EmbeddedSettings(data=folder)
        stores = await open_stores(settings)
        ingestion = build_ingestion(stores, settings, monitoring, lambda _shard, _records: None)
        try:
            await script(stores, ingestion)
        finally:
            await ingestion.thread.close()
            await stores.close()

    asyncio.run(main())
    return monitoring


def soon(stores: Stores) -> Deadline:
    return Deadline.after(stores.clock, 60)


async def deliver(stores: Stores, ingestion: Ingestion, *bodies: Json | bytes) -> None:
    """Put bodies on the stream under their customer, and wait until they are handled."""
    records = [
        (body["customer_id"], encode(body)) if isinstance(body, dict) else ("c-1", body)
        for body in bodies
    ]
    await stores.stream.put(records, soon(stores))
    await ingestion.mapping.run_until_caught_up()


HISTORY = [
    envelope(1, "statement.closed"),
    envelope(2),
    envelope(3, "transaction.reversed", data={"reverses": event_id(2)}),
    envelope(4, "transaction.reversed", data={"reverses": event_id(9)}),
    envelope(5, "delinquency.reported"),
    envelope(6, "bureau.score_updated", source="bureau"),
    envelope(7, "customer.profile_updated"),
    envelope(8, data={"kind": "inquiry"}),
    envelope(9, data={"kind": "purchase", "amount": "3.00"}),
]


def test_a_history_in_two_orders_with_duplicates_is_one_truth_in_every_store(
    tmp_path: Path,
) -> None:
    wanted = profile_to_bytes(expected(parse_event(body) for body in HISTORY))

    for name, order in (("there", HISTORY), ("back", HISTORY[::-1])):

        async def script(stores: Stores, ingestion: Ingestion, order: list[Json] = order) -> None:
            await deliver(stores, ingestion, *order, *order[:3])
            await deliver(stores, ingestion, *order[4:])
            stored = await stores.truth.api.transact(lambda: read_profiles(["c-1"]), soon(stores))
            assert stored["c-1"].payload == wanted
            for store in (stores.keyspaces, stores.dynamodb):
                row = await store.read_item("c-1", "CUSTOMER_PROFILE", soon(stores))
                assert row is not None
                assert (row.version, row.payload) == (len(HISTORY), wanted)
            assert await stores.cache.get("profile:c-1", soon(stores)) == (len(HISTORY), wanted)

        monitoring = on_one_machine(tmp_path / name, script)
        assert monitoring.counts["ingestion_events:applied"] == len(HISTORY)
        assert monitoring.counts["projection_rows:CONFLICT"] == 0
        assert monitoring.counts["mapping_handler_errors"] == 0


def test_poison_and_identities_pass_through_the_real_vault(tmp_path: Path) -> None:
    async def script(stores: Stores, ingestion: Ingestion) -> None:
        accept = AcceptEvents(stores.stream, stores.vault)
        (answer,) = await accept([identity(1, CLEAR_IDENTITY)], soon(stores))
        assert answer["status"] == "accepted"
        await deliver(stores, ingestion, identity(1, CLEAR_IDENTITY), b"poison", envelope(2))
        stored = await stores.truth.api.transact(lambda: read_profiles(["c-1"]), soon(stores))
        profile = profile_from_bytes(stored["c-1"].payload)
        index = stores.vault.blind_index("52998224725")
        assert profile.person_id == person_of_index(index)
        assert (profile.incomplete, profile.profile_version) == (True, 3)
        sealed = str(profile.slots["identity/card-system"].data["name"])
        person_id = profile.person_id
        assert await stores.vault.open(person_id, "name", sealed, soon(stores)) == "Ana Souza"

    monitoring = on_one_machine(tmp_path, script)

    assert monitoring.counts["ingestion_events:parked"] == 1
    # Sealed by HTTP and sealed by the handler, the same event has the same bytes.
    assert monitoring.counts["ingestion_events:duplicates"] == 1


def test_decisions_reach_the_stores_by_the_same_road(tmp_path: Path) -> None:
    async def script(stores: Stores, ingestion: Ingestion) -> None:
        await deliver(stores, ingestion, envelope(1, "credit.decided"))
        (row,) = await stores.keyspaces.query("c-1", "DECISION#", 10, "", soon(stores))
        latest = await stores.dynamodb.read_item("c-1", "DECISION_LATEST", soon(stores))
        assert latest is not None
        assert json.loads(row.payload) == json.loads(latest.payload)
        assert json.loads(row.payload)["outcome"] == "DECLINED"

    on_one_machine(tmp_path, script)
