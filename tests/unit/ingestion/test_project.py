"""What each store is given, and what a conflict leads to."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from decision_engine.gather import profile_key
from domain.customer import CreditData
from domain.errors import PermanentError, TransientError
from domain.events import Event
from domain.features import features
from domain.instants import from_epoch_micros
from domain.money import Money
from domain.ports.time import Deadline
from domain.profile_bytes import profile_from_bytes, profile_to_bytes
from domain.profile_row import profile_row
from domain.readable import credit_score_of, monthly_income_of, readable_columns
from ingestion.fold import fold
from ingestion.program import StoredProfile
from ingestion.project import PROFILE_KEY
from ingestion.projections import decision_row, latest_rows, transaction_rows
from ingestion.rows import public_bytes, row_of
from ingestion.statements import TransactionWrite
from tests.unit.ingestion.builders import DATA, event, event_id, record
from tests.unit.ingestion.fakes import FAR
from tests.unit.ingestion.histories import Book, histories
from tests.unit.ingestion.world import World

APPLIED_US = 1_781_524_800_999_999


def stored(profile: CreditData) -> StoredProfile:
    return StoredProfile(profile, profile_to_bytes(profile))


def profile_of(*events: Event) -> CreditData:
    return fold(CreditData.empty("c-1"), events).profile


# --- rows


def test_a_profile_s_row_has_the_columns_of_the_brief() -> None:
    profile = profile_of(
        event(1, "customer.profile_updated"),
        event(2, "bureau.score_updated"),
        event(3, "statement.closed"),
    )

    row = profile_row(profile, profile_to_bytes(profile))

    assert (row.key, row.version) == (("c-1", "CUSTOMER_PROFILE"), 3)
    assert row.expires_s is None
    assert dict(row.columns or {}) == {
        "status": "ACTIVE",
        "monthly_income": 520000,
        "existing_debts": 120050,
        "credit_score": 640,
        **dict.fromkeys(
            ("created_at", "updated_at", "createdAt", "lastUpdated"), profile.newest_us
        ),
    }


def test_what_is_not_known_is_no_column() -> None:
    assert readable_columns(CreditData.empty("c-1")) == {"status": "ACTIVE"}
    incomplete = replace(CreditData.empty("c-1"), incomplete=True)
    assert readable_columns(incomplete) == {"status": "INCOMPLETE"}


@given(histories())
def test_columns_and_features_tell_the_same_story(events: list[Event]) -> None:
    book = Book()
    book.add(events)
    profile = profile_from_bytes(profile_to_bytes(book.profile))
    values = features(profile, from_epoch_micros(profile.newest_us))

    income, score = values["income.monthly"].value, values["bureau.score"].value
    assert monthly_income_of(profile) == (
        None if income is None else Money.of(income).centavos  # type: ignore[arg-type]
    )
    assert credit_score_of(profile) == score
    assert readable_columns(book.profile) == readable_columns(profile)


def test_of_two_sources_that_spoke_alike_the_same_one_counts_in_any_order() -> None:
    said = [
        event(n, "bureau.score_updated", source=name, source_version=1, data=data)
        for n, (name, data) in enumerate(
            [("a", {"score": 1, "model": "m"}), ("b", {"score": 2, "model": "m"})], start=1
        )
    ]

    for order in (said, said[::-1]):
        assert readable_columns(profile_of(*order))["credit_score"] == 1


def test_a_transaction_s_row_lives_thirty_days_from_its_first_application() -> None:
    row = row_of(event(1, occurred_at="2026-06-10T12:00:00.000001Z"))
    write = TransactionWrite(row, reversed=False, applied_us=APPLIED_US, payload=public_bytes(row))
    expires_s = APPLIED_US // 1_000_000 + 30 * 86_400

    (projected,) = transaction_rows([write], expires_s * 1_000_000 - 1)

    assert projected.data_type == f"TRANSACTION#2026-06-10T12:00:00.000001Z#{event_id(1)}"
    assert (projected.version, projected.expires_s) == (1, expires_s)
    assert (projected.event_id, projected.payload) == (event_id(1), public_bytes(row))
    assert dict(projected.columns or {})["amount"] == 34007
    assert transaction_rows([write], expires_s * 1_000_000) == []


def decided(number: int, instant: str = "2026-06-10T12:00:00Z", **changes: Any) -> Event:
    data = DATA["credit.decided"] | {"decision_id": event_id(number), "decided_at": instant}
    return event(number, "credit.decided", data=data | changes)


def test_a_decision_s_row_shows_the_decision_as_it_was_published() -> None:
    each = decided(5, score=None)

    row = decision_row(each)

    assert row.data_type == f"DECISION#2026-06-10T12:00:00.000000Z#{event_id(5)}"
    assert json.loads(row.payload) == {k: v for k, v in each.data.items() if k != "decided_us"}
    assert (row.version, row.expires_s, row.event_id) == (1, None, event_id(5))
    columns = dict(row.columns or {})
    assert (columns["status"], columns["amount"]) == ("DECLINED", 2_000_000)
    assert "credit_score" not in columns


def test_a_bare_decision_has_fewer_columns() -> None:
    names = ("decision_id", "customer_id", "outcome", "decided_at")
    data = {name: DATA["credit.decided"][name] for name in names}

    columns = decision_row(event(1, "credit.decided", data=data)).columns

    assert "amount" not in (columns or {})


def test_of_decisions_in_one_microsecond_the_greater_id_is_the_latest() -> None:
    for order in ([decided(1), decided(2)], [decided(2), decided(1)]):
        (row,) = latest_rows(order)
        assert row.event_id == event_id(2)


# --- writing


def test_the_cache_is_filled_where_decisions_look() -> None:
    assert PROFILE_KEY.format("c-1") == profile_key("c-1")


def test_nothing_is_asked_of_a_store_for_nothing() -> None:
    world = World()

    assert asyncio.run(world.projector({}, [], [], FAR))
    assert (world.keyspaces.calls, world.dynamodb.calls) == (0, 0)


def test_a_newer_projection_is_left_alone() -> None:
    world = World()
    world.run([record(1), record(2)])
    newest = world.projected()

    old = stored(profile_of(event(1)))
    assert asyncio.run(world.projector({"c-1": old}, [], [], FAR))

    assert world.projected() == newest
    assert world.monitoring.counts["projection_rows:STALE"] == 2


def test_a_conflict_that_truth_explains_is_settled_by_a_second_look() -> None:
    """Truth moved on between our read and our write, and the store holds other bytes."""
    world = World()
    world.run([record(1), record(2)])
    other = replace(world.keyspaces.rows[("c-1", "CUSTOMER_PROFILE")], version=1, payload=b"other")
    world.keyspaces.rows[other.key] = other

    assert asyncio.run(world.projector({"c-1": stored(profile_of(event(1)))}, [], [], FAR))

    assert world.agrees()
    assert world.monitoring.counts["projection_conflicts"] == 0
    assert not [each for each in world.monitoring.events if each[0] == "projection-conflict"]


def test_a_conflict_that_stays_is_counted_and_left_to_reconciliation() -> None:
    world = World()
    world.run([record(1)])
    key = ("c-1", "CUSTOMER_PROFILE")
    world.dynamodb.rows[key] = replace(world.dynamodb.rows[key], payload=b"other")

    report = world.run([record(1)])

    assert report.failed_sequence is None
    assert world.dynamodb.rows[key].payload == b"other"
    assert world.monitoring.counts["projection_conflicts:dynamodb"] == 1
    assert (
        "projection-conflict",
        {"level": "error", "store": "dynamodb"},
    ) in world.monitoring.events


def test_a_conflict_of_an_appended_row_is_counted_without_asking_truth() -> None:
    world = World()
    world.run([record(1)])
    (row,) = world.keyspaces.of("TRANSACTION#")
    world.keyspaces.rows[row.key] = replace(row, payload=b"other")
    before = world.truth.transactions

    world.run([record(1)])

    assert world.monitoring.counts["projection_conflicts:keyspaces"] == 1
    assert world.truth.transactions == before + 1


def test_truth_away_during_the_second_look_leaves_the_batch_unfinished() -> None:
    world = World()
    world.run([record(1)])
    key = ("c-1", "CUSTOMER_PROFILE")
    profile = StoredProfile(world.profile(), world.keyspaces.rows[key].payload)
    world.keyspaces.rows[key] = replace(world.keyspaces.rows[key], payload=b"other")
    world.truth.fault = lambda _: TransientError("away")

    assert not asyncio.run(world.projector({"c-1": profile}, [], [], FAR))


@pytest.mark.parametrize("error", [TransientError("away"), PermanentError("too large")])
def test_a_store_that_fails_is_reported_and_the_others_are_still_written(error: Exception) -> None:
    world = World()
    world.keyspaces.faults.append(error)

    assert not asyncio.run(world.projector({"c-1": stored(profile_of(event(1)))}, [], [], FAR))

    assert world.keyspaces.rows == {}
    assert list(world.dynamodb.rows) == [("c-1", "CUSTOMER_PROFILE")]
    assert list(world.cache.held) == ["profile:c-1"]
    assert world.monitoring.counts[f"projection_failures:{error.code}"] == 1  # type: ignore[attr-defined]


def test_a_bug_is_no_port_that_is_away() -> None:
    world = World()
    world.keyspaces.faults.append(ZeroDivisionError())

    with pytest.raises(ZeroDivisionError):
        asyncio.run(world.projector({"c-1": stored(profile_of(event(1)))}, [], [], FAR))


def test_the_first_write_leaves_time_for_a_second_look() -> None:
    class Watched(type(World().keyspaces)):  # type: ignore[misc]
        at: float = 0.0

        async def put_if_newer(self, rows: Any, deadline: Deadline) -> Any:
            self.at = deadline.at
            return await super().put_if_newer(rows, deadline)

    world = World(keyspaces=Watched())
    profiles = {"c-1": stored(profile_of(event(1)))}

    asyncio.run(world.projector(profiles, [], [], Deadline(world.clock.seconds + 10)))

    assert 0 < world.keyspaces.at < world.clock.seconds + 10  # type: ignore[attr-defined]
