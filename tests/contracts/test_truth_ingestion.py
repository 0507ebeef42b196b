"""The statements of ingestion and of the outbox relay, on every store of truth."""

from dataclasses import replace

import pytest

from consistency.outbox.statements import DeleteOutbox, OutboxEvent, ReadOutbox
from decision_engine.archive import ReadCustomerProfile
from decision_engine.record.statements import (
    InsertDecisions,
    InsertOutbox,
    InsertReservations,
    ReadCustomers,
    ReadPersons,
    ReadReservations,
)
from domain.ports.truth import DuplicateKeyError, Program
from domain.transaction import TransactionKind
from ingestion.statements import (
    EnsurePersons,
    IngestionBatchRow,
    InsertInbox,
    InsertIngestionBatch,
    InsertParked,
    InsertTransactions,
    ListIndexed,
    LockProfiles,
    MarkReversed,
    MovePersons,
    PersonMove,
    PersonRow,
    ReadApplied,
    ReadInbox,
    ReadMonth,
    ReadTransactions,
    WriteProfiles,
)
from tests.contracts.rows import (
    a_decision,
    a_fact,
    a_parked,
    a_profile,
    a_reservation,
    a_transaction,
    an_event,
    an_inbox_row,
)
from tests.contracts.truth_adapters import Store


def test_the_inbox_is_found_by_event_and_by_place_in_the_stream(store: Store) -> None:
    rows = tuple(an_inbox_row(number) for number in range(1, 6))
    store.commit(InsertInbox(rows))

    found = store.read(
        ReadInbox(("e-0001", "e-0002", "e-9"), (("card/c-1/1", 2), ("card/c-1/1", 4), ("x", 5)))
    )

    assert sorted(found, key=lambda row: str(row.event_id)) == [rows[0], rows[1], rows[3]]


def test_a_thousand_events_are_kept(store: Store) -> None:
    numbers = range(1_000)
    store.commit(
        InsertTransactions(tuple(a_transaction(number) for number in numbers)),
        InsertInbox(tuple(an_inbox_row(number) for number in numbers)),
    )

    ids = tuple(f"e-{number:04d}" for number in numbers)

    assert len(store.read(ReadInbox(ids, ()))) == 1_000
    assert len(store.read(ReadTransactions(ids))) == 1_000


def test_locking_gives_stored_profiles_and_nothing_for_new_customers(store: Store) -> None:
    store.commit(WriteProfiles((a_profile(customer_id="c-2"),)))

    (locked,) = store.commit(LockProfiles(("c-3", "c-2", "c-1")))

    assert locked == [("c-1", b""), ("c-2", b"profile 1"), ("c-3", b"")]
    assert [row.customer_id for row in store.read(ReadCustomers(("c-2",)))] == ["c-2"]


def test_customers_whose_cpf_is_known_are_listed_in_order_and_in_pages(store: Store) -> None:
    written = [
        replace(a_profile(customer_id=f"c-{number}"), cpf_index="1:ab" if number % 2 else "")
        for number in range(9)
    ]
    store.commit(WriteProfiles(tuple(written)))
    store.commit(LockProfiles(("c-99",)))

    first = store.read(ListIndexed("", 3))
    rest = store.read(ListIndexed("c-5", 3))

    assert first == [(f"c-{number}", b"profile 1") for number in (1, 3, 5)]
    assert rest == [("c-7", b"profile 1")]


def test_a_profile_replaces_an_older_one_only(store: Store) -> None:
    store.commit(WriteProfiles((a_profile(5),)))

    store.commit(WriteProfiles((a_profile(4, b"older"), a_profile(1, customer_id="c-2"))))
    store.commit(WriteProfiles((a_profile(5, b"equal"),)))
    assert store.read(ReadCustomerProfile("c-1")) == [b"profile 5"]

    store.commit(WriteProfiles((a_profile(6),)))
    assert store.read(ReadCustomerProfile("c-1")) == [b"profile 6"]
    assert [row.profile_version for row in store.read(ReadCustomers(("c-1",)))] == [6]


def test_a_newer_profile_may_move_the_customer_to_another_person(store: Store) -> None:
    store.commit(WriteProfiles((a_profile(1),)))
    store.commit(WriteProfiles((a_profile(2, person_id="p1.abc"),)))

    (row,) = store.read(ReadCustomers(("c-1",)))

    assert row.person_id == "p1.abc"


def test_persons_exist_from_the_first_time_on(store: Store) -> None:
    for _ in range(2):
        store.commit(EnsurePersons((PersonRow("p-1", "1:ab"), PersonRow("p-2", ""))))

    assert sorted(store.read(ReadPersons(("p-1", "p-2")))) == ["p-1", "p-2"]


def test_transactions_come_back_as_they_were(store: Store) -> None:
    facts = [a_transaction(n + 1, kind=kind) for n, kind in enumerate(TransactionKind)]
    full = a_transaction(9, amount=-7, limit=8, late=3, reverses="e-0001", reverse=True)
    store.commit(InsertTransactions((*facts, full)))

    rows = store.read(ReadTransactions(tuple(write.row.event_id for write in [*facts, full])))

    assert sorted(rows, key=lambda pair: str(pair[0].event_id)) == [
        *((write.row, False) for write in facts),
        (full.row, True),
    ]


def test_a_reversed_row_leaves_its_month(store: Store) -> None:
    store.commit(
        InsertTransactions((
            a_transaction(1),
            a_transaction(2),
            a_transaction(3, month=24_322),
            a_transaction(4, customer_id="c-2"),
        ))
    )  # fmt: skip

    store.commit(MarkReversed(("e-0001", "e-0009")))

    assert store.read(ReadMonth("c-1", 24_323)) == [a_fact(2)]
    assert store.read(ReadTransactions(("e-0001",))) == [(a_fact(1), True)]


def test_the_first_applied_instant_is_kept(store: Store) -> None:
    store.commit(InsertTransactions((a_transaction(1), a_transaction(2))))

    assert store.read(ReadApplied(("e-0002", "e-9"))) == [("e-0002", 20_002)]


def test_parking_twice_keeps_the_first(store: Store) -> None:
    store.commit(InsertParked((a_parked(),)))

    assert store.commit(InsertParked((a_parked(reason="other"), a_parked(parked_id="s/2")))) == [[]]


def test_an_invocation_is_noted_outside_a_transaction(store: Store) -> None:
    row = IngestionBatchRow("b-1", "shard-0", "1", "9", 9, 7, 1, 1, 0, 100, 200, "v1")

    def program() -> Program[None]:
        yield (InsertIngestionBatch(row),)

    store.transact(program)
    with pytest.raises(DuplicateKeyError):
        store.transact(program)


def test_the_outbox_gives_the_oldest_and_forgets_what_was_published(store: Store) -> None:
    store.commit(InsertOutbox((an_event(2), an_event(1))))
    store.commit(InsertOutbox((an_event(3),)))

    oldest = store.read(ReadOutbox(2))
    store.commit(DeleteOutbox((*(row.id for row in oldest), 999)))
    (last,) = store.read(ReadOutbox(2))

    assert [row.event_id for row in oldest] == ["e-0002", "e-0001"]
    assert oldest[0] == OutboxEvent(oldest[0].id, "e-0002", "c-1", b"{}", 7_000)
    assert last.event_id == "e-0003"
    assert last.id > max(row.id for row in oldest)


def test_a_number_of_the_outbox_is_never_given_twice(store: Store) -> None:
    store.commit(InsertOutbox((an_event(1),)))
    (first,) = store.read(ReadOutbox(1))
    store.commit(DeleteOutbox((first.id,)))

    store.commit(InsertOutbox((an_event(2),)))

    assert store.read(ReadOutbox(1))[0].id > first.id


def test_what_a_customer_has_reserved_moves_with_it_and_nobody_else_s_does(store: Store) -> None:
    persons = ("c.c-1", "p1.cpf")
    store.commit(EnsurePersons(tuple(PersonRow(name, "") for name in persons)))
    store.commit(
        InsertDecisions((
            a_decision(1, person_id="c.c-1"),
            a_decision(2, person_id="c.c-1", customer_id="c-9"),
        )),
        InsertReservations((
            a_reservation(1, person_id="c.c-1"),
            a_reservation(2, person_id="c.c-1"),
        )),
    )  # fmt: skip

    store.commit(MovePersons((PersonMove("c-1", "c.c-1", "p1.cpf"),)))

    rows = store.read(ReadReservations(persons, 0))
    owners = {row.source_id: row.person_id for row in rows}
    first, second = a_decision(1).decision_id, a_decision(2).decision_id
    assert owners == {first: "p1.cpf", second: "c.c-1"}
