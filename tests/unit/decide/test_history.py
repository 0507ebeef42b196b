"""Recent facts come from Keyspaces where it knows them in full, all others from truth."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from decision_engine.archive import ListTransactions, StoredTransaction
from decision_engine.customers import Customers, TransactionQuery
from decision_engine.history import Facts, History
from domain.errors import TransientError
from domain.instants import epoch_micros, from_epoch_micros, instant_micros
from domain.ports.storage import ProjectionRow
from tests.unit.decide.world import AS_OF, World, us

DAY_US = 86_400_000_000


def fact(number: int, days_ago: float, **data: Any) -> StoredTransaction:
    payload = {"event_id": f"e{number:02d}", "kind": "payment", "amount": "1.00", **data}
    return StoredTransaction(
        str(payload["event_id"]),
        str(payload["kind"]),
        us(days_ago),
        reversed=False,
        payload=json.dumps(payload).encode(),
    )


def row(held: StoredTransaction) -> ProjectionRow:
    instant = instant_micros(from_epoch_micros(held.occurred_us))
    return ProjectionRow("c-1", f"TRANSACTION#{instant}#{held.event_id}", 1, held.payload)


def world_of(*facts: StoredTransaction) -> World:
    """Return a world where Keyspaces holds the facts, and truth one that tells itself apart."""
    world = World()
    world.wide.rows = {each.key: each for each in map(row, facts)}
    world.truth.transactions = [TRUTH]
    return world


TRUTH = fact(99, 50)
TEN = [fact(number, number + 0.5) for number in range(10)]


def read(world: World, limit: int = 5, **asked: Any) -> Facts:
    history = History(world.truth, world.wide, world.clock, world.monitoring)
    return asyncio.run(history.read(ListTransactions("c-1", limit, **asked), world.deadline()))


def test_a_full_page_of_recent_facts_comes_from_keyspaces() -> None:
    assert read(world_of(*TEN)) == Facts(TEN[:5])


def test_what_happened_since_a_recent_day_is_there_in_full() -> None:
    world = world_of(*TEN)

    assert read(world, 50, from_us=us(4)) == Facts(TEN[:4])
    assert read(world_of(), 50, from_us=us(4)) == Facts([])


@pytest.mark.parametrize(
    "asked",
    [
        {"limit": 11},
        {"limit": 11, "from_us": us(29) - 1},
        {"before": (us(2), "e02")},
        {"to_us": us(2)},
    ],
)
def test_what_keyspaces_cannot_know_in_full_truth_answers(asked: dict[str, Any]) -> None:
    world = world_of(*TEN)

    assert read(world, **asked) == Facts([TRUTH])
    assert world.monitoring.counted["history_reads_total"] in (1, 2)


def test_a_page_with_a_fact_about_to_expire_comes_from_truth() -> None:
    facts = [*TEN[:4], fact(4, 29.5)]

    assert read(world_of(*facts)) == Facts([TRUTH])
    assert read(world_of(*TEN[:4], fact(4, 28.9))) != Facts([TRUTH])


def test_a_reversal_takes_out_what_it_names() -> None:
    reversal = fact(8, 0.1, kind="reversal", reverses="e02")
    found = read(world_of(reversal, *TEN[:4]))

    assert [(each.event_id, each.reversed) for each in found.rows] == [
        ("e08", False),
        ("e00", False),
        ("e01", False),
        ("e02", True),
        ("e03", False),
    ]


def test_keyspaces_away_is_named_and_truth_answers() -> None:
    world = world_of(*TEN)
    world.wide.away = {"query"}

    assert read(world) == Facts([TRUTH], ("keyspaces",))
    assert world.monitoring.counted["history_tier_failed_total"] == 1


def test_an_error_that_nobody_translated_is_no_failure_of_the_reader() -> None:
    world = world_of(*TEN)

    async def broken(*_: Any) -> Any:
        raise ConnectionResetError

    world.wide.query = broken  # type: ignore[method-assign, assignment]
    assert read(world) == Facts([TRUTH], ("keyspaces",))


def test_a_silent_keyspaces_is_left_after_its_share() -> None:
    world = world_of(*TEN)

    async def silent(*_: Any) -> Any:
        await asyncio.Event().wait()

    world.wide.query = silent  # type: ignore[method-assign, assignment]
    history = History(world.truth, world.wide, world.clock, world.monitoring)
    asked = ListTransactions("c-1", 5)
    found = asyncio.run(history.read(asked, world.deadline(0.001)))

    assert found == Facts([TRUTH], ("keyspaces",))


@pytest.mark.parametrize("payload", [b"{", b"{}", b"[]", b'{"kind":"reversal","event_id":"e"}'])
def test_rows_that_nobody_can_read_are_no_answer(payload: bytes) -> None:
    world = world_of(*TEN)
    key = row(TEN[0]).key
    world.wide.rows[key] = replace(world.wide.rows[key], payload=payload)

    assert read(world) == Facts([TRUTH], ("keyspaces",))


def test_with_truth_away_recent_facts_are_still_read() -> None:
    world = world_of(*TEN)
    world.truth.away = True

    assert read(world) == Facts(TEN[:5])
    with pytest.raises(TransientError):
        read(world, 50)


def test_instants_keep_their_microseconds() -> None:
    held = replace(TEN[0], occurred_us=epoch_micros(AS_OF - timedelta(microseconds=1)))
    found = read(world_of(held), 1)

    assert found.rows[0].occurred_us == held.occurred_us


def test_a_page_names_what_was_away() -> None:
    world = world_of(*TEN)
    world.wide.away = {"query"}
    history = History(world.truth, world.wide, world.clock, world.monitoring)
    customers = Customers(world.gather, history, world.rulebooks, world.clock)
    asked = TransactionQuery(
        customer_id="c-1",
        limit=5,
        before=None,
        from_us=None,
        to_us=None,
        deadline=world.deadline(),
    )
    page = asyncio.run(customers.transactions(asked))

    assert page.degraded == ("keyspaces",)
