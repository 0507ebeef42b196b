"""The statements of the loss window, on every store of truth."""

import pytest

from decision_engine.loss_statements import (
    CAUSE,
    AuditRow,
    CountWaiting,
    CountWindows,
    InsertAudit,
    InsertWindow,
    ListWindows,
    ReadCustomersOf,
    ReadOpenWindows,
    ReadWindow,
    ReleaseWindow,
    StoredWindow,
)
from decision_engine.record.loss import LossRow, ReadLoss
from decision_engine.record.statements import InsertDecisions, InsertReviews
from domain.ports.truth import DuplicateKeyError
from ingestion.statements import WriteProfiles
from tests.contracts.rows import a_decision, a_profile, a_review
from tests.contracts.truth_adapters import Store


def a_window(number: int = 1) -> StoredWindow:
    return StoredWindow(f"w-{number}", 100 * number, "ana", "disk lost", "RESTORE")


def test_nothing_is_told_while_no_window_is_open(store: Store) -> None:
    store.commit(InsertDecisions((a_decision(1),)), InsertWindow(a_window()))
    store.commit(ReleaseWindow("w-1", 150, "rui", "whole again"))

    assert store.read(ReadLoss(())) == []
    assert store.read(ReadLoss(("d-0001",))) == []


def test_an_open_window_tells_which_decisions_are_here(store: Store) -> None:
    store.commit(
        InsertDecisions((a_decision(1), a_decision(2))),
        InsertWindow(a_window(2)),
        InsertWindow(a_window(1)),
    )

    assert store.read(ReadLoss(("d-0001", "d-0009"))) == [
        LossRow(("w-1", "w-2"), frozenset({"d-0001"}))
    ]
    assert store.read(ReadLoss(())) == [LossRow(("w-1", "w-2"), frozenset())]


def test_a_window_is_released_once(store: Store) -> None:
    store.commit(InsertWindow(a_window()), InsertWindow(a_window(2)))
    first = ReleaseWindow("w-1", 150, "rui", "whole again")

    results = store.commit(first, ReleaseWindow("w-1", 160, "eva", "late"))

    assert results == [["w-1"], []]
    assert store.commit(ReleaseWindow("w-9", 1, "rui", "")) == [[]]
    assert store.read(ReadWindow("w-1")) == [
        StoredWindow("w-1", 100, "ana", "disk lost", "RESTORE", 150, "rui", "whole again")
    ]
    assert store.read(ReadOpenWindows()) == [a_window(2)]
    assert store.read(CountWindows()) == [2]


def test_windows_are_listed_newest_first_by_pages(store: Store) -> None:
    store.commit(*(InsertWindow(a_window(number)) for number in (1, 3, 2)))

    first = store.read(ListWindows(2, None))

    assert first == [a_window(3), a_window(2)]
    assert store.read(ListWindows(2, (200, "w-2"))) == [a_window(1)]


def test_persons_that_wait_are_counted_once(store: Store) -> None:
    store.commit(
        InsertDecisions((
            a_decision(1),
            a_decision(2),
            a_decision(3, person_id="c.c-2"),
            a_decision(4, person_id="c.c-3"),
            a_decision(5, person_id="c.c-4"),
        )),
        InsertReviews((
            a_review(1, decision_id="d-0001", cause=CAUSE, opened_us=50),
            a_review(2, decision_id="d-0002", cause=CAUSE, opened_us=60),
            a_review(3, decision_id="d-0003", cause=CAUSE, opened_us=50),
            a_review(4, decision_id="d-0004", cause=CAUSE, opened_us=49),
            a_review(5, decision_id="d-0004", opened_us=50),
            a_review(6, decision_id="d-0005", cause=CAUSE, opened_us=50, state="CLOSED"),
        )),
    )  # fmt: skip

    assert store.read(CountWaiting(50)) == [2]
    assert store.read(CountWaiting(70)) == [0]


def test_the_customers_of_a_person_are_listed_up_to_a_number(store: Store) -> None:
    rows = [a_profile(1, customer_id=f"c-{n}", person_id="p-1") for n in (3, 1, 2)]
    store.commit(WriteProfiles((*rows, a_profile(1, customer_id="c-4", person_id="p-2"))))

    assert store.read(ReadCustomersOf("p-1", 9)) == ["c-1", "c-2", "c-3"]
    assert store.read(ReadCustomersOf("p-1", 2)) == ["c-1", "c-2"]
    assert store.read(ReadCustomersOf("p-9", 2)) == []


def test_a_line_of_the_audit_log_is_written_once(store: Store) -> None:
    line = InsertAudit(AuditRow("a-1", 100, "ana", "loss-window.open", "w-1", "{}"))
    store.commit(line)

    with pytest.raises(DuplicateKeyError):
        store.commit(line)
