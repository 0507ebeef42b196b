"""The fold is blind to order: one set of events is one profile, to the byte."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.customer import CreditData, Month, Slot, month_from_rows
from domain.events import STATE_EVENTS, Event
from domain.identifiers import own_person, person_of_index
from domain.profile_bytes import profile_to_bytes
from ingestion.fold import NO_HISTORY, History, cpf_index_of, fold, fold_event
from ingestion.parse import parse_event
from ingestion.rows import row_of
from tests.unit.ingestion.builders import envelope, event, event_id
from tests.unit.ingestion.histories import CIPHERTEXT, INDICES, Book, expected, histories

JUNE = 2026 * 12 + 5


def in_batches(events: list[Event], cuts: list[int]) -> Book:
    book = Book()
    edges = sorted({0, len(events), *(cut % (len(events) + 1) for cut in cuts)})
    for begin, end in pairwise(edges):
        book.add(events[begin:end])
    return book


def one_by_one(*events: Event) -> Book:
    return in_batches(list(events), list(range(len(events))))


@given(histories(), st.data())
def test_any_order_and_any_batches_give_the_same_bytes(
    events: list[Event], data: st.DataObject
) -> None:
    order = data.draw(st.permutations(events))
    cuts = data.draw(st.lists(st.integers(0, 14), max_size=14))

    book = in_batches(order, cuts)

    assert profile_to_bytes(book.profile) == profile_to_bytes(expected(events))


@given(histories(), st.data())
def test_the_reversed_rows_are_the_named_ones(events: list[Event], data: st.DataObject) -> None:
    book = one_by_one(*data.draw(st.permutations(events)))

    named = {row.reverses for row in book.rows.values() if row.reverses}
    assert book.out == named & book.rows.keys()


@given(histories(8))
def test_adding_a_row_to_a_month_equals_its_definition(events: list[Event]) -> None:
    rows = [row_of(each) for each in events if each.type not in STATE_EVENTS]
    month = Month()
    for count, row in enumerate(rows, start=1):
        month = month.with_row(row)
        assert month == month_from_rows(reversed(rows[:count]))


@given(histories(4))
def test_the_profile_given_is_left_as_it_was(events: list[Event]) -> None:
    profile = one_by_one(*events).profile
    before = profile_to_bytes(profile)

    fold(profile, [event(60), event(61, "customer.profile_updated")])

    assert profile_to_bytes(profile) == before


def payment(number: int, month: str, amount: str = "10.00") -> Event:
    data = {"kind": "payment", "amount": amount}
    return event(number, data=data, occurred_at=f"{month}-15T12:00:00Z")


def reversal(number: int, target: int, **changes: Any) -> Event:
    data = {"reverses": event_id(target)}
    return event(number, "transaction.reversed", data=data, **changes)


def test_the_window_holds_25_months_and_older_rows_stay_rows() -> None:
    book = one_by_one(payment(1, "2024-05"), payment(2, "2024-06"), payment(3, "2026-06"))

    assert sorted(book.profile.months) == [JUNE - 24, JUNE]
    assert len(book.rows) == 3


def test_a_late_row_within_the_window_is_folded_and_an_older_one_is_not() -> None:
    book = one_by_one(payment(1, "2026-06"), payment(2, "2024-06"), payment(3, "2024-05"))

    assert sorted(book.profile.months) == [JUNE - 24, JUNE]


def test_the_newest_month_stays_when_its_row_is_reversed() -> None:
    book = one_by_one(payment(1, "2024-05"), payment(2, "2026-06"), reversal(3, 2))

    assert book.profile.newest_month == JUNE
    assert dict(book.profile.months) == {}


def test_state_events_do_not_move_the_window() -> None:
    update = event(2, "customer.profile_updated", occurred_at="2030-01-01T00:00:00Z")

    book = one_by_one(payment(1, "2024-06"), update)

    assert sorted(book.profile.months) == [JUNE - 24]
    assert book.profile.newest_us == update.occurred_us


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_reversal_takes_its_row_out_whichever_came_first(order: tuple[int, int]) -> None:
    events = [payment(1, "2026-06"), reversal(2, 1)]

    book = one_by_one(*(events[place] for place in order))

    assert dict(book.profile.months) == {}
    assert book.profile.pending_reversals == ()
    assert book.out == {event_id(1)}


def test_a_reversal_waits_for_a_row_that_never_came() -> None:
    book = one_by_one(reversal(2, 1), reversal(3, 1))

    assert book.profile.pending_reversals == (event_id(1),)
    assert book.profile.profile_version == 2


def test_a_second_reversal_changes_nothing_but_the_version() -> None:
    book = one_by_one(payment(1, "2026-06"), payment(4, "2026-06"), reversal(2, 1), reversal(3, 1))

    assert book.profile.months[JUNE].payment_count == 1
    assert book.profile.profile_version == 4


def test_reversing_a_reversal_does_not_bring_the_row_back() -> None:
    book = one_by_one(payment(1, "2026-06"), reversal(2, 1), reversal(3, 2))

    assert dict(book.profile.months) == {}


def test_another_customer_s_row_is_not_taken_out() -> None:
    stranger = row_of(event(1, customer_id="c-2"))
    history = History({event_id(1): (stranger, False)}, {})

    folded = fold(CreditData.empty("c-1"), [reversal(2, 1)], history)

    assert folded.marked == ()
    assert folded.profile.pending_reversals == (event_id(1),)


def test_a_row_older_than_the_window_is_marked_but_its_month_stays_out() -> None:
    book = one_by_one(payment(1, "2024-05"), payment(2, "2026-06"), reversal(3, 1))

    assert book.out == {event_id(1)}
    assert sorted(book.profile.months) == [JUNE]


def test_a_recomputed_month_holds_stored_rows_and_those_of_its_batch() -> None:
    book = Book()
    book.add([payment(1, "2026-06", "1.00"), payment(2, "2026-06", "2.00")])

    book.add([reversal(3, 1), payment(4, "2026-06", "4.00")])

    assert book.profile.months[JUNE].payments == 600


def test_a_slot_keeps_its_highest_incarnation_then_version() -> None:
    def score(number: int, incarnation: int, version: int) -> Event:
        return event(
            number,
            "bureau.score_updated",
            stream_id=f"card-system/c-1/{incarnation}",
            source_version=version,
            data={"score": number, "model": "m"},
        )

    profile = one_by_one(score(1, 1, 9), score(2, 2, 1), score(3, 1, 10)).profile

    assert profile.slots["bureau/card-system"].data["score"] == 2
    assert profile.slots["bureau/card-system"].rank == (2, 1)


def test_two_streams_of_one_source_that_count_alike_are_still_ordered() -> None:
    def income(number: int, entity: str, day: int, monthly: str) -> Event:
        return event(
            number,
            "customer.profile_updated",
            stream_id=f"card-system/{entity}/1",
            source_version=1,
            occurred_at=f"2026-06-{day:02d}T00:00:00Z",
            data={"income": {"monthly": monthly, "basis": "declared"}},
        )

    for rivals in (
        (income(1, "a", 1, "9.00"), income(2, "b", 2, "1.00")),
        (income(1, "a", 1, "1.00"), income(2, "b", 1, "9.00")),
    ):
        there, back = one_by_one(*rivals), one_by_one(*reversed(rivals))
        assert profile_to_bytes(there.profile) == profile_to_bytes(back.profile)
        winner = there.profile.slots["income/card-system"]
        assert winner.data["monthly"] == rivals[1].data["income"]["monthly"]  # type: ignore[index]


def said(number: int, source: str, day: int, index: str) -> Event:
    data = {"identity": {"cpf": CIPHERTEXT, "cpf_index": index}}
    return event(
        number,
        "customer.profile_updated",
        source=source,
        occurred_at=f"2026-06-{day:02d}T00:00:00Z",
        data=data,
    )


def test_the_person_is_the_one_whose_cpf_was_said_last() -> None:
    profile = one_by_one(said(1, "a", 2, INDICES[0]), said(2, "b", 1, INDICES[1])).profile

    assert profile.person_id == person_of_index(INDICES[0])
    assert cpf_index_of(profile.slots) == INDICES[0]


def test_without_a_cpf_a_customer_is_its_own_person() -> None:
    profile = fold_event(
        CreditData.empty("c-1"),
        event(1, "customer.profile_updated", data={"identity": {"name": CIPHERTEXT}}),
    )

    assert profile.person_id == own_person("c-1")
    assert cpf_index_of(profile.slots) == ""


def test_a_name_beginning_like_a_cpf_is_none() -> None:
    slots = {"cpf-card/x": Slot(1, 1, 1, {"cpf_index": INDICES[0]})}

    assert cpf_index_of(slots) == ""


def test_a_later_word_about_the_name_does_not_unsay_the_cpf() -> None:
    renamed = event(
        2,
        "customer.profile_updated",
        source="a",
        occurred_at="2026-06-09T00:00:00Z",
        data={"identity": {"name": CIPHERTEXT}},
    )
    orders = [(said(1, "a", 2, INDICES[0]), renamed), (renamed, said(1, "a", 2, INDICES[0]))]
    profiles = [one_by_one(*order).profile for order in orders]

    assert [profile.person_id for profile in profiles] == [person_of_index(INDICES[0])] * 2
    assert profile_to_bytes(profiles[0]) == profile_to_bytes(profiles[1])


def test_one_event_counts_one_version_and_keeps_the_mark() -> None:
    profile = CreditData(customer_id="c-1", person_id="c.c-1", profile_version=7, incomplete=True)

    after = fold_event(profile, parse_event(envelope(1)), NO_HISTORY)

    assert (after.profile_version, after.incomplete) == (8, True)
