"""The ledger's statements, on every store of truth."""

import pytest

from decision_engine.archive import ReadDecision, ReadReview
from decision_engine.record.statements import (
    CloseReview,
    CustomerRow,
    ExposureRow,
    InsertBatch,
    InsertDecisions,
    InsertOffers,
    InsertOutbox,
    InsertReservations,
    InsertReviews,
    LockPersons,
    ReadBatch,
    ReadContracts,
    ReadCustomers,
    ReadKeys,
    ReadLaneHeads,
    ReadOpenReviews,
    ReadPersons,
    ReadProfiles,
    ReadRecent,
    ReadReservations,
    RecentRow,
    ReplyRow,
)
from domain.ports.truth import Statement
from ingestion.statements import EnsurePersons, PersonRow, WriteProfiles
from tests.contracts.rows import (
    a_batch,
    a_decision,
    a_profile,
    a_reservation,
    a_review,
    an_event,
    an_offer,
)
from tests.contracts.truth_adapters import Store


def test_existing_persons_are_locked_in_key_order(store: Store) -> None:
    store.commit(EnsurePersons(tuple(PersonRow(name, "") for name in ("p-2", "p-1", "p-3"))))

    locked, found = store.commit(
        LockPersons(("p-3", "p-9", "p-1")), ReadPersons(("p-3", "p-9", "p-1"))
    )

    assert locked == ["p-1", "p-3"]
    assert sorted(found) == ["p-1", "p-3"]


def test_customers_and_profiles_are_read_by_id(store: Store) -> None:
    rows = (a_profile(3), a_profile(5, customer_id="c-2", person_id="c.c-2"))
    store.commit(WriteProfiles(rows))

    customers = store.read(ReadCustomers(("c-2", "c-9")))
    profiles = store.read(ReadProfiles(("c-1", "c-9")))

    assert customers == [CustomerRow("c-2", "c.c-2", 5)]
    assert profiles == [("c-1", b"profile 3")]


def test_reservations_count_while_they_are_open_and_not_expired(store: Store) -> None:
    store.commit(
        InsertReservations((
            a_reservation(1, expires_us=101),
            a_reservation(2, expires_us=100),
            a_reservation(3, expires_us=101, state="CLOSED"),
            a_reservation(4, expires_us=101, person_id="c.c-2"),
        ))
    )  # fmt: skip

    alive = store.read(ReadReservations(("c.c-1",), 100))

    assert alive == [ExposureRow("c.c-1", "d-0001", 800_000, 34_007)]


def test_known_keys_give_the_recorded_reply(store: Store) -> None:
    store.commit(InsertDecisions((a_decision(1), a_decision(2), a_decision(3, client_id="web"))))

    rows = store.read(ReadKeys((("app", "k-2"), ("app", "k-3"), ("web", "k-3"))))

    assert sorted(rows, key=lambda row: str(row.decision_id)) == [
        ReplyRow("app", "k-2", "sha256:c", "d-0002", b"reply"),
        ReplyRow("web", "k-3", "sha256:c", "d-0003", b"reply"),
    ]


def test_recent_decisions_of_a_person_are_listed_oldest_first(store: Store) -> None:
    store.commit(
        InsertDecisions((
            a_decision(1, decided_us=300),
            a_decision(2, decided_us=200),
            a_decision(3, decided_us=100),
            a_decision(4, decided_us=300, person_id="c.c-2"),
        ))
    )  # fmt: skip

    recent = store.read(ReadRecent(("c.c-1",), 100))

    assert recent == [
        RecentRow("c.c-1", "personal_loan", 2_000_000, 200, "d-0002"),
        RecentRow("c.c-1", "personal_loan", 2_000_000, 300, "d-0001"),
    ]


def test_the_last_batch_of_each_lane_is_its_head(store: Store) -> None:
    batches = [a_batch(0), a_batch(1), a_batch(2), a_batch(7, lane="l-0", note="other")]
    store.commit(*(InsertBatch(batch) for batch in batches))

    assert store.read(ReadBatch("l-1", 1)) == [batches[1]]
    assert store.read(ReadBatch("l-1", 9)) == []
    assert store.read(ReadLaneHeads()) == [batches[3], batches[2]]


def test_a_whole_batch_of_any_size_is_recorded(store: Store) -> None:
    numbers = range(1, 301)
    store.commit(
        InsertBatch(a_batch()),
        InsertDecisions(tuple(a_decision(number) for number in numbers)),
        InsertReservations(tuple(a_reservation(number) for number in numbers)),
        InsertOffers(tuple(an_offer(number) for number in numbers)),
        InsertOutbox(tuple(an_event(number) for number in numbers)),
    )

    keys = tuple(("app", f"k-{number}") for number in numbers)

    assert len(store.read(ReadKeys(keys))) == 300
    assert len(store.read(ReadReservations(("c.c-1",), 0))) == 300


def test_blobs_and_missing_numbers_survive_as_they_are(store: Store) -> None:
    every_byte = bytes(range(256))
    store.commit(InsertDecisions((a_decision(evidence=every_byte, reply=b"", score=None),)))

    (row,) = store.read(ReadDecision("d-0001"))

    assert (row.evidence, row.reply, row.score) == (every_byte, b"", None)


def test_a_review_is_closed_once(store: Store) -> None:
    store.commit(InsertReviews((a_review(1), a_review(2))))
    first = CloseReview("r-0001", "d-0002", "ana", "checked by phone", 9_000)
    second = CloseReview("r-0001", "d-0003", "rui", "late", 9_999)

    closed = store.commit(first, second)
    (row,) = store.read(ReadReview("r-0001"))

    assert closed == [["r-0001"], []]
    assert (row.state, row.closed_by, row.reviewer) == ("CLOSED", "d-0002", "ana")
    assert store.read(ReadOpenReviews(("r-0001", "r-0002", "r-0009"))) == ["r-0002"]


def test_an_unknown_review_is_not_closed(store: Store) -> None:
    assert store.commit(CloseReview("r-9", "d-1", "ana", "", 1)) == [[]]


@pytest.mark.parametrize(
    "statement",
    [
        LockPersons(()),
        ReadPersons(()),
        ReadCustomers(()),
        ReadProfiles(()),
        ReadReservations((), 0),
        ReadContracts(()),
        ReadKeys(()),
        ReadRecent((), 0),
        ReadOpenReviews(()),
        InsertDecisions(()),
        InsertOutbox(()),
    ],
)
def test_nothing_asked_is_nothing_found(store: Store, statement: Statement) -> None:
    store.commit(InsertDecisions((a_decision(),)), InsertReservations((a_reservation(),)))

    assert store.commit(statement) == [[]]


def test_identifiers_are_values_and_never_sql(store: Store) -> None:
    odd = """k'); DROP TABLE credit_decisions; -- "[]\\ \N{SNOWMAN}"""
    store.commit(InsertDecisions((a_decision(idem_key=odd),)))

    assert [row.idem_key for row in store.read(ReadKeys((("app", odd),)))] == [odd]
