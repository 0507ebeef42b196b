"""A batch under faults: nothing is lost, nothing counts twice, nobody waits for a stranger."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.canonical import encode
from domain.errors import AmbiguousError, InvalidInputError, PermanentError, TransientError
from domain.identifiers import own_person, person_of_index
from domain.ports.stream import StreamRecord
from domain.ports.time import Deadline
from domain.ports.truth import Begin, Commit, LostConnectionError, ServerError, Statement
from domain.profile_bytes import profile_from_bytes, profile_to_bytes
from ingestion.park import customer_of, open_payload
from ingestion.parse import parse_event
from ingestion.report import BatchReport
from ingestion.statements import (
    EnsurePersons,
    InsertInbox,
    InsertParked,
    InsertTransactions,
    LockProfiles,
    MarkReversed,
    MovePersons,
    ReadApplied,
    ReadInbox,
    ReadMonth,
    ReadTransactions,
    WriteProfiles,
)
from tests.unit.ingestion.builders import CLEAR_IDENTITY, Json, envelope, event_id, identity, record
from tests.unit.ingestion.fakes import FAR, FakeVault
from tests.unit.ingestion.histories import documents, expected
from tests.unit.ingestion.world import World


def of(customer: str, number: int, kind: str = "transaction.recorded", **changes: Any) -> Json:
    return envelope(number, kind, customer_id=customer, **changes)


def put(number: int, customer: str = "c-1") -> StreamRecord:
    """Return the record at a place of the stream, with an event of its own."""
    return record(number, of(customer, number), key=customer)


def concerns(customer: str) -> Callable[[Statement], bool]:
    """Return whether a statement locks a customer."""
    return lambda each: isinstance(each, LockProfiles) and customer in each.customer_ids


# --- what a batch does


def test_new_events_reach_truth_and_every_projection() -> None:
    world = World()

    report = world.run([put(1), put(2, "c-2"), put(3)])

    assert report == BatchReport(records=3, applied=3, duplicates=0, parked=0, failed_sequence=None)
    assert (world.profile().profile_version, world.profile("c-2").profile_version) == (2, 1)
    assert world.agrees()
    rows = world.keyspaces.of("TRANSACTION#")
    assert [row.data_type for row in rows if row.customer_id == "c-1"] == [
        f"TRANSACTION#2026-06-10T12:00:00.000000Z#{event_id(number)}" for number in (1, 3)
    ]
    assert world.dynamodb.of("TRANSACTION#") == []
    assert world.truth.tables.persons == {"c.c-1": "", "c.c-2": ""}


def test_one_transaction_serves_many_customers() -> None:
    world = World()

    world.run([put(number, f"c-{number}") for number in range(1, 40)])

    assert world.truth.transactions == 1
    assert (world.keyspaces.calls, world.dynamodb.calls) == (1, 1)
    assert world.agrees()


def test_a_transaction_serves_a_bounded_number_of_customers() -> None:
    world = World(customers_max=3)

    world.run([put(number, f"c-{number}") for number in range(1, 8)])

    locked = [len(s.customer_ids) for s in world.truth.seen if isinstance(s, LockProfiles)]
    assert locked == [3, 3, 1]
    assert (world.keyspaces.calls, world.dynamodb.calls) == (1, 1)
    assert world.agrees()


def test_customers_are_locked_before_the_inbox_is_read() -> None:
    world = World()

    world.run([put(1)])

    assert [type(each) for each in world.truth.seen[:3]] == [Begin, LockProfiles, ReadInbox]


def test_duplicates_change_nothing_and_are_projected_again() -> None:
    world = World()
    world.run([put(1), put(2)])
    tables = world.truth.tables.copy()
    world.keyspaces.rows.clear()
    world.dynamodb.rows.clear()
    world.cache.held.clear()
    world.clock.pass_time(60)

    report = world.run([put(1), put(2), record(3, of("c-1", 2))])

    assert (report.applied, report.duplicates) == (0, 3)
    assert world.truth.tables == tables
    assert world.agrees()
    assert len(world.keyspaces.of("TRANSACTION#")) == 2


def test_a_duplicate_within_the_batch_counts_once() -> None:
    world = World()

    report = world.run([put(1), record(2, of("c-1", 1) | {"trace": "again"})])

    assert (report.applied, report.duplicates) == (1, 1)
    assert world.profile().profile_version == 1
    assert len(world.keyspaces.of("TRANSACTION#")) == 1


def test_a_redelivered_transaction_keeps_its_first_time_in_the_projections() -> None:
    world = World()
    world.run([put(1)])
    (first,) = world.keyspaces.of("TRANSACTION#")
    world.keyspaces.rows.clear()
    world.clock.pass_time(1000)

    world.run([put(1)])

    assert world.keyspaces.of("TRANSACTION#") == [first]
    assert first.expires_s == 1_781_524_800 + 2_592_000


def test_a_transaction_whose_time_is_over_is_not_projected_again() -> None:
    world = World()
    world.run([put(1)])
    world.keyspaces.rows.clear()
    world.clock.pass_time(2_592_000)

    world.run([put(1)])

    assert world.keyspaces.of("TRANSACTION#") == []
    assert world.agrees()


def test_a_batch_of_duplicates_commits_nothing() -> None:
    world = World()
    world.run([put(1)])
    world.truth.seen.clear()

    world.run([put(1)])

    assert not [each for each in world.truth.seen if isinstance(each, Commit)]


def test_a_duplicate_profile_update_asks_for_no_transaction() -> None:
    world = World()
    update = record(1, of("c-1", 1, "customer.profile_updated"))
    world.run([update])

    world.run([update])

    assert not [each for each in world.truth.seen if isinstance(each, ReadApplied)]
    assert world.agrees()


def test_a_reversal_takes_a_stored_row_out() -> None:
    world = World()
    reverse = of("c-1", 2, "transaction.reversed", data={"reverses": event_id(1)})
    world.run([put(1)])

    world.run([record(2, reverse)])

    assert world.truth.tables.reversed == {event_id(1)}
    assert world.profile().months == {}
    assert len(world.keyspaces.of("TRANSACTION#")) == 2


def test_a_reversal_of_a_stranger_s_row_reads_nothing_of_the_stranger() -> None:
    world = World()
    reverse = of("c-2", 2, "transaction.reversed", data={"reverses": event_id(1)})
    world.run([put(1)])

    world.run([record(2, reverse, key="c-2")])

    assert not [each for each in world.truth.seen if isinstance(each, ReadMonth)]
    assert world.truth.tables.reversed == set()
    assert world.profile("c-2").pending_reversals == (event_id(1),)


def test_an_identity_in_clear_is_sealed_and_links_the_person() -> None:
    world = World()
    index = world.vault.blind_index("52998224725")

    world.run([record(1, identity(1, CLEAR_IDENTITY)), put(2)])

    assert world.profile().person_id == person_of_index(index)
    assert world.truth.tables.persons == {"c.c-1": "", person_of_index(index): index}
    assert world.truth.tables.profiles["c-1"].cpf_index == index
    assert b"Ana Souza" not in world.projected()[0]


def test_a_cpf_said_later_makes_the_new_person_exist() -> None:
    world = World()
    world.run([put(1)])
    world.truth.seen.clear()

    world.run([put(2)])
    assert not [each for each in world.truth.seen if isinstance(each, EnsurePersons)]

    world.run([record(3, identity(3, CLEAR_IDENTITY))])
    assert world.profile().person_id in world.truth.tables.persons


def test_what_a_customer_owes_moves_with_it_to_the_person_it_turns_out_to_be() -> None:
    world = World()
    world.run([put(1)])
    assert not world.truth.tables.moves

    world.run([record(3, identity(3, CLEAR_IDENTITY)), put(4)])
    world.run([put(5)])

    (move,) = world.truth.tables.moves
    after = world.profile().person_id
    assert (move.customer_id, move.before, move.after) == ("c-1", "c.c-1", after)
    assert MovePersons((move, move)).person_ids == ("c.c-1", after)


def test_an_empty_batch_is_no_work() -> None:
    world = World(with_journal=True)

    assert world.run([]) == BatchReport(0, 0, 0, 0, None)
    assert world.truth.transactions == 0


# --- own events


def decided(number: int, customer: str = "c-1", **changes: Any) -> Json:
    data = envelope(1, "credit.decided")["data"]
    data = data | {"decision_id": event_id(100 + number), "customer_id": customer} | changes
    source = f"decisions/{event_id(100 + number)}/1"
    return of(customer, number, "credit.decided", source="decisions", stream_id=source, data=data)


def test_decisions_are_projected_and_never_touch_truth() -> None:
    world = World()

    report = world.run([record(1, decided(1)), record(2, decided(1)), record(3, decided(3))])

    assert report == BatchReport(3, 0, 0, 0, None)
    assert world.truth.transactions == 0
    place = "DECISION#2026-06-10T12:00:00.000000Z"
    names = [f"{place}#{event_id(100 + number)}" for number in (1, 3)]
    assert [row.data_type for row in world.keyspaces.of("DECISION")] == names
    (latest,) = world.dynamodb.of("DECISION")
    assert (latest.data_type, latest.version) == ("DECISION_LATEST", 1_781_092_800_000_000)
    assert latest.event_id == event_id(3)


def test_the_latest_decision_is_the_newest_one_in_any_order() -> None:
    older = decided(1, decided_at="2026-06-09T12:00:00Z")
    for order in ([older, decided(2)], [decided(2), older]):
        world = World()
        for sequence, body in enumerate(order, start=1):
            world.run([record(sequence, body)])
        (latest,) = world.dynamodb.of("DECISION_LATEST")
        assert latest.event_id == event_id(2)


def test_performance_of_loans_is_taken_and_projected_nowhere() -> None:
    world = World()

    report = world.run([record(1, of("c-1", 1, "loan.performance_reported"))])

    assert report.failed_sequence is None
    assert (world.keyspaces.rows, world.dynamodb.rows) == ({}, {})


# --- poison

POISON: list[tuple[bytes | Json, str, str]] = [
    (b"\xff\xfe", "json", ""),
    (b"\xf3\x89\x9a\xc2packed", "kpl-aggregated", ""),
    (of("c-2", 9), "key-differs", "/customer_id"),
    (of("c-1", 9, schema_version=2), "whole-number", "/schema_version"),
    (identity(9, {"cpf": "52998224726"}), "cpf-check-digits", "/data/identity/cpf"),
]


@pytest.mark.parametrize(("body", "reason", "detail"), POISON)
def test_poison_parks_alone_and_everything_around_it_is_applied(
    body: bytes | Json, reason: str, detail: str
) -> None:
    world = World()
    raw = body if isinstance(body, bytes) else encode(body)

    report = world.run([put(1), record(2, raw), put(3), put(4, "c-3")])

    assert report == BatchReport(records=4, applied=3, duplicates=0, parked=1, failed_sequence=None)
    (parked,) = world.truth.tables.parked.values()
    assert (parked.customer_id, parked.reason, parked.detail) == ("c-1", reason, detail)
    opened = asyncio.run(open_payload("c-1", parked.sealed_payload, world.vault, FAR))
    assert opened == raw
    assert world.profile().incomplete
    assert world.profile().profile_version == 3
    assert not world.profile("c-3").incomplete
    assert "c-2" not in world.truth.tables.profiles
    assert world.agrees()


def test_poison_is_parked_once_however_often_it_comes() -> None:
    world = World()
    batch = [record(1, b"x"), record(2, b"x"), record(3, b"y")]

    world.run(batch)
    report = world.run([*batch, put(4)])

    assert (report.parked, report.duplicates, report.applied) == (0, 3, 1)
    assert len(world.truth.tables.parked) == 2
    assert world.profile().profile_version == 3


def test_a_parked_id_says_nothing_of_the_payload() -> None:
    ids: set[str] = set()
    for key in ("c-1", "c-2"):
        world = World()
        world.run([record(1, b"x", key=key)])
        ids |= world.truth.tables.parked.keys()

    assert len(ids) == 2
    assert all(len(each) == 36 for each in ids)


@pytest.mark.parametrize("key", ["", "a b", "x" * 65, "São", "\ud800"])
def test_a_key_that_no_customer_has_stands_for_itself(key: str) -> None:
    world = World()

    world.run([record(1, b"x", key=key)])

    (parked,) = world.truth.tables.parked.values()
    assert parked.customer_id == customer_of(key)
    assert parked.customer_id.startswith("invalid-key:")
    assert len(parked.customer_id) <= 64


def test_an_erased_person_s_poison_is_parked_without_its_payload() -> None:
    world = World()
    world.vault.destroyed.add(own_person("c-1"))
    batch = [record(1, b"x"), record(2, b"y")]

    world.run(batch)
    world.run(batch)

    assert [each.sealed_payload for each in world.truth.tables.parked.values()] == [b"", b""]


def test_an_event_about_an_erased_person_is_poison() -> None:
    world = World()
    index = world.vault.blind_index("52998224725")
    world.vault.destroyed.add(person_of_index(index))

    world.run([record(1, identity(1, CLEAR_IDENTITY))])

    (parked,) = world.truth.tables.parked.values()
    assert parked.reason == "person-erased"


def test_a_refusal_without_a_place_is_parked_with_its_code() -> None:
    class Strict(FakeVault):
        async def seal(self, person_id: str, field: str, text: str, deadline: Deadline) -> str:
            if field == "name":
                raise InvalidInputError("half a character")
            return await super().seal(person_id, field, text, deadline)

    world = World(vault=Strict())

    world.run([record(1, identity(1, {"name": "Ana"}))])

    (parked,) = world.truth.tables.parked.values()
    assert (parked.reason, parked.detail) == ("invalid-input", "")


@pytest.mark.parametrize("delivery", ["one batch", "one by one"])
@pytest.mark.parametrize(
    ("rival", "reason", "detail"),
    [
        (of("c-1", 1, source_version=5), "event-id-reused", "/event_id"),
        (of("c-1", 7, source_version=1), "version-reused", "/source_version"),
    ],
)
def test_whoever_takes_a_taken_place_is_poison(
    rival: Json, reason: str, detail: str, delivery: str
) -> None:
    world = World()
    batch = [put(1), record(2, rival), put(3)]

    batches = [batch] if delivery == "one batch" else [[each] for each in batch]
    reports = [world.run(each) for each in batches]

    assert sum(each.parked for each in reports) == 1
    assert sum(each.applied for each in reports) == 2
    (parked,) = world.truth.tables.parked.values()
    assert (parked.reason, parked.detail) == (reason, detail)
    assert world.profile().incomplete
    assert world.profile().profile_version == 3
    assert world.agrees()
    assert world.run(batch).duplicates == 3
    assert world.profile().profile_version == 3


def test_an_id_of_another_customer_is_taken_too() -> None:
    world = World()

    world.run([put(1), record(2, of("c-2", 1), key="c-2")])

    (parked,) = world.truth.tables.parked.values()
    assert (parked.customer_id, parked.reason) == ("c-2", "event-id-reused")
    assert world.profile("c-2").incomplete
    assert not world.profile().incomplete


# --- faults

STATEMENTS = [
    Begin, LockProfiles, ReadInbox, ReadTransactions, ReadMonth, ReadApplied, EnsurePersons,
    WriteProfiles, InsertTransactions, MarkReversed, InsertInbox, InsertParked, Commit,
]  # fmt: skip


def full_batch() -> list[StreamRecord]:
    """Return a batch that needs every statement, after `put(1)` and `put(2)` were applied."""
    reverse = of("c-1", 3, "transaction.reversed", data={"reverses": event_id(1)})
    return [put(2), record(3, reverse), record(4, b"poison"), put(5), put(6, "c-2")]


@pytest.mark.parametrize("kind", STATEMENTS)
@pytest.mark.parametrize("error", [ServerError("no"), TransientError("away")])
def test_a_failure_at_any_statement_undoes_all_and_heals(kind: type, error: Exception) -> None:
    clean, world = World(), World()
    for each in (clean, world):
        each.run([put(1), put(2)])
    clean.run(full_batch())
    tables = world.truth.tables.copy()
    seen = []

    def fault(statement: Statement) -> Exception | None:
        if isinstance(statement, kind):
            seen.append(statement)
            return error
        return None

    world.truth.fault = fault
    report = world.run(full_batch())
    assert seen
    assert report.failed_sequence == (2 if concerns_all(kind) else report.failed_sequence)
    world.truth.fault = lambda _: None
    if report.failed_sequence == 2:
        assert world.truth.tables.profiles["c-1"] == tables.profiles["c-1"]
    world.run(full_batch())

    assert world.truth.tables == clean.truth.tables
    assert world.agrees()


def concerns_all(kind: type) -> bool:
    """Return whether every transaction of the full batch has such a statement."""
    return kind in {Begin, LockProfiles, ReadInbox, WriteProfiles, InsertInbox, Commit}


@pytest.mark.parametrize("error", [LostConnectionError("gone"), AmbiguousError("unknown")])
def test_a_commit_whose_answer_is_lost_counts_once(error: Exception) -> None:
    world = World()
    world.truth.after_commit = error

    report = world.run([put(1), put(2)])

    assert (report.failed_sequence, report.duplicates) == (None, 2)
    assert world.profile().profile_version == 2
    assert world.agrees()


def test_a_failure_stops_its_customer_only() -> None:
    world = World()
    stuck = concerns("c-2")
    world.truth.fault = lambda each: TransientError("away") if stuck(each) else None

    report = world.run([put(1), put(2, "c-2"), put(3, "c-3"), put(4, "c-2"), put(5)])

    assert report.failed_sequence == 2
    assert (world.profile().profile_version, world.profile("c-3").profile_version) == (2, 1)
    assert "c-2" not in world.truth.tables.profiles
    assert world.agrees()
    world.truth.fault = lambda _: None
    again = world.run([put(2, "c-2"), put(3, "c-3"), put(4, "c-2"), put(5)])
    assert (again.failed_sequence, again.applied, again.duplicates) == (None, 2, 2)
    assert world.agrees()


def test_the_lowest_unfinished_record_is_the_one_reported() -> None:
    world = World(customers_max=1)
    world.truth.fault = lambda each: (
        ServerError("no") if concerns("c-2")(each) or concerns("c-3")(each) else None
    )

    report = world.run([put(1), put(2, "c-3"), put(3, "c-2"), put(4, "c-3")])

    assert report.failed_sequence == 2


def test_a_vault_that_is_away_stops_the_customer_it_is_asked_for() -> None:
    world = World()
    world.vault.away[own_person("c-2")] = TransientError("away")
    records = [put(1), put(2, "c-2"), record(3, b"x", key="c-2"), put(4, "c-2"), put(5)]

    report = world.run(records)

    assert (report.failed_sequence, report.applied) == (2, 2)
    assert "c-2" not in world.truth.tables.profiles
    world.vault.away.clear()
    assert world.run(records).failed_sequence is None
    assert world.profile("c-2").profile_version == 3


def test_a_vault_that_fails_for_good_stops_its_customer_and_not_the_batch() -> None:
    world = World()
    world.vault.away[own_person("c-2")] = PermanentError("key file")

    report = world.run([put(1), record(2, b"x", key="c-2")])

    assert (report.failed_sequence, report.applied) == (2, 1)


def test_a_vault_away_while_parking_a_conflict_leaves_that_record_unfinished() -> None:
    world = World()
    world.vault.away[own_person("c-1")] = TransientError("away")
    rival = record(2, of("c-1", 1, source_version=5))

    report = world.run([put(1), rival, put(3)])

    assert (report.failed_sequence, report.applied) == (2, 2)
    assert not world.profile().incomplete
    world.vault.away.clear()
    assert world.run([rival, put(3)]).parked == 1
    assert world.profile().incomplete


def test_bytes_that_are_no_profile_stop_their_customer_only() -> None:
    world = World()
    world.run([put(1)])
    write = world.truth.tables.profiles["c-1"]
    world.truth.tables.profiles["c-1"] = type(write)(write.profile, b"{}", "", 0)

    report = world.run([put(2), put(3, "c-2")])

    assert (report.failed_sequence, report.applied) == (2, 1)


def test_racing_handlers_meet_on_the_inbox_keys_and_one_retries() -> None:
    """Another handler commits the same event for another customer between our read and insert."""
    world, other = World(), World()
    other.run([put(1, "c-9")])
    raced = iter([True])

    def race(statement: Statement) -> None:
        if isinstance(statement, WriteProfiles) and next(raced, False):
            world.truth.tables.inbox |= other.truth.tables.inbox

    world.truth.fault = race
    report = world.run([record(1, of("c-1", 1))])

    assert (report.failed_sequence, report.applied) == (None, 1)


# --- projections and crashes


@pytest.mark.parametrize("store", ["keyspaces", "dynamodb"])
def test_a_store_that_is_away_fails_the_batch_and_redelivery_heals(store: str) -> None:
    world = World()
    getattr(world, store).faults.append(TransientError("away"))

    report = world.run([put(4), put(5, "c-2")])

    assert (report.failed_sequence, report.applied) == (4, 2)
    again = world.run([put(4), put(5, "c-2")])
    assert (again.failed_sequence, again.duplicates) == (None, 2)
    assert world.agrees()


@pytest.mark.parametrize("store", ["keyspaces", "dynamodb"])
def test_a_crash_between_truth_and_projection_heals_on_redelivery(store: str) -> None:
    class Crash(BaseException):
        pass

    world = World()
    getattr(world, store).faults.append(Crash())

    with pytest.raises(Crash):
        world.run([put(1), put(2)])
    assert world.profile().profile_version == 2
    report = world.run([put(1), put(2)])

    assert (report.applied, report.duplicates) == (0, 2)
    assert world.agrees()


def test_a_cache_that_is_away_fails_nothing() -> None:
    world = World()
    world.cache.fault = TransientError("away")

    assert world.run([put(1)]).failed_sequence is None
    assert world.monitoring.counts["projection_failures:cache"] == 1


# --- deadline


def test_out_of_time_the_first_unprocessed_record_is_reported() -> None:
    world = World(customers_max=1)

    def pass_time(statement: Statement) -> None:
        if isinstance(statement, Commit):
            world.clock.pass_time(1.0)

    world.truth.fault = pass_time
    report = world.run([put(n, f"c-{n}") for n in range(1, 6)], Deadline(world.clock.seconds + 3.5))

    assert (report.failed_sequence, report.applied) == (4, 3)
    assert world.agrees()
    assert len(world.keyspaces.of("CUSTOMER_PROFILE")) == 3


def test_a_whole_chunk_that_fails_late_is_not_tried_again() -> None:
    world = World()

    def slow(statement: Statement) -> Exception | None:
        if isinstance(statement, Commit):
            world.clock.pass_time(10)
            return ServerError("no")
        return None

    world.truth.fault = slow
    report = world.run([put(1), put(2, "c-2")], Deadline(5.0))

    assert (report.failed_sequence, world.truth.transactions) == (1, 1)


# --- telemetry


def test_what_a_batch_did_is_counted_without_personal_data() -> None:
    world = World()

    world.run([put(1), put(1), record(3, b"x"), record(4, identity(4, CLEAR_IDENTITY))])
    world.truth.fault = lambda _: TransientError("away")
    world.run([put(5)])

    counts = world.monitoring.counts
    assert counts["ingestion_events:applied"] == 2
    assert counts["ingestion_events:duplicates"] == 1
    assert counts["ingestion_events:parked"] == 1
    assert counts["ingestion_truth_failures:unavailable"] == 2
    assert counts["ingestion_unfinished_batches"] == 1
    said = f"{counts} {world.monitoring.events} {world.monitoring.observed}"
    assert not [text for text in ("Ana", "52998224725", "529.982", "c-1") if text in said]


# --- the whole, at random


@given(documents(8), st.data())
def test_duplicates_reorder_and_faults_leave_the_same_truth(
    bodies: list[Json], data: st.DataObject
) -> None:
    """Deliver every event one to three times, in any order and batches, while stores fail."""
    counts = data.draw(st.lists(st.integers(1, 3), min_size=len(bodies), max_size=len(bodies)))
    copies = [body for body, count in zip(bodies, counts, strict=True) for _ in range(count)]
    order = data.draw(st.permutations(copies))
    size = data.draw(st.integers(1, 5))
    faults = data.draw(st.lists(st.sampled_from([None, None, "truth", "keyspaces", "dynamodb"])))
    world = World()

    for begin in range(0, len(order), size):
        batch = [record(begin + n, body) for n, body in enumerate(order[begin : begin + size])]
        deliver(world, batch, faults)

    wanted = expected(parse_event(body) for body in bodies)
    assert world.truth.tables.profiles["c-1"].payload == profile_to_bytes(wanted)
    assert profile_from_bytes(world.projected()[0]) == wanted
    assert world.agrees()


def fail_at(kind: type) -> Callable[[Statement], Exception | None]:
    return lambda each: TransientError("away") if isinstance(each, kind) else None


def deliver(world: World, batch: list[StreamRecord], faults: list[str | None]) -> None:
    """Deliver a batch as the mapping does: again from the failed record on, until none is left."""
    while batch:
        fault = faults.pop() if faults else None
        world.truth.fault = fail_at(InsertInbox) if fault == "truth" else lambda _: None
        if fault in ("keyspaces", "dynamodb"):
            getattr(world, fault).faults.append(TransientError("away"))
        report = world.run(batch)
        failed = report.failed_sequence
        batch = [] if failed is None else [each for each in batch if each.sequence >= failed]
