"""Deciding once, however often it is asked, and never on a half-read customer."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from decision_engine.commands import Recorded
from domain.errors import (
    ConflictError,
    CreditError,
    DeadlineExceededError,
    GoneError,
    InvalidInputError,
    LedgerBusyError,
    TransientError,
)
from domain.money import Money
from domain.profile_bytes import profile_to_bytes
from tests.unit.decide.world import AS_OF, Engine, World, application, good_profile


@pytest.fixture
def world() -> World:
    made = World()
    made.truth.put_profile(good_profile())
    return made


def body(recorded: Recorded) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(recorded.reply)
    return read


def refused(world: World, work: Callable[[Engine], Any], error: type[CreditError]) -> CreditError:
    with pytest.raises(error) as raised:
        world.run(work)
    assert not world.truth.state.decisions
    return raised.value


def test_a_decision_is_recorded_and_replied(world: World) -> None:
    recorded = world.run(lambda engine: engine.decide())
    reply = body(recorded)

    assert not recorded.replayed
    assert reply["outcome"] == "APPROVED"
    assert reply["offers"][0]["amount"] == "5000.00"
    assert reply["evidence"]["sources"][0]["tier"] == "aurora"
    assert reply["policy"]["role"] == "champion"
    (row,) = world.truth.state.decisions.values()
    assert row.reply == recorded.reply
    assert len(world.truth.state.outbox) == 1


def test_fifty_at_once_under_one_key_are_one_decision(world: World) -> None:
    async def race(engine: Engine) -> list[Recorded]:
        return list(await asyncio.gather(*(engine.decide() for _ in range(50))))

    results = world.run(race)

    assert len({result.reply for result in results}) == 1
    assert sum(not result.replayed for result in results) == 1
    assert len(world.truth.state.decisions) == 1


def test_the_same_key_after_a_restart_gets_the_same_bytes(world: World) -> None:
    first = world.run(lambda engine: engine.decide())
    second = world.run(lambda engine: engine.decide())

    assert (second.reply, second.replayed) == (first.reply, True)


@pytest.mark.parametrize("together", [True, False])
def test_another_command_under_the_key_is_refused(world: World, *, together: bool) -> None:
    async def both(engine: Engine) -> list[Any]:
        first = engine.decide(command="one")
        if not together:
            await first
        rest = [first] if together else []
        return list(
            await asyncio.gather(*rest, engine.decide(command="two"), return_exceptions=True)
        )

    error = world.run(both)[-1]

    assert isinstance(error, InvalidInputError)
    assert error.code == "idempotency-key-reused"
    assert len(world.truth.state.decisions) == 1


def test_an_erased_reply_is_gone(world: World) -> None:
    world.run(lambda engine: engine.decide())
    rows = world.truth.state.decisions
    rows.update({key: replace(row, reply=None) for key, row in rows.items()})  # type: ignore[arg-type]

    with pytest.raises(GoneError):
        world.run(lambda engine: engine.decide())


def test_one_who_waits_in_vain_for_the_first_is_told_so(world: World) -> None:
    async def impatient(engine: Engine) -> Any:
        begun, held = asyncio.Event(), asyncio.Event()

        async def blocked() -> None:
            begun.set()
            await held.wait()

        engine.world.truth.before_read = blocked
        first = asyncio.create_task(engine.decide(seconds=30.0))
        await begun.wait()
        with pytest.raises(ConflictError) as raised:
            await engine.decide(seconds=0.01)
        held.set()
        await first
        return raised.value

    error = World.run(world, impatient)

    assert error.code == "request-in-progress"


def test_an_unknown_customer_is_a_decision(world: World) -> None:
    recorded = world.run(lambda engine: engine.decide(asked=application("c-unknown")))
    reply = body(recorded)

    assert reply["outcome"] == "REFERRED"
    assert reply["reasons"][0]["code"] == "R90"
    assert reply["review_id"] in world.truth.state.reviews
    assert "score" not in reply


def test_an_unknown_product_is_refused(world: World) -> None:
    error = refused(
        world, lambda e: e.decide(asked=application(product="mortgage")), InvalidInputError
    )

    assert isinstance(error, InvalidInputError)
    assert error.problems[0].pointer == "/product"


@pytest.mark.parametrize("day", [date(2026, 6, 10), date(2026, 6, 9), date(2026, 10, 9)])
def test_an_impossible_first_due_date_is_refused(world: World, day: date) -> None:
    error = refused(
        world, lambda e: e.decide(asked=application(first_due_on=day)), InvalidInputError
    )

    assert isinstance(error, InvalidInputError)
    assert error.problems[0].code == "first-due-range"


def test_a_possible_first_due_date_is_used(world: World) -> None:
    asked = application(first_due_on=date(2026, 7, 20))
    reply = body(world.run(lambda engine: engine.decide(asked=asked)))

    assert reply["offers"][0]["first_due_on"] == "2026-07-20"


def test_the_last_tier_is_truth_and_without_it_nothing_is_decided(world: World) -> None:
    world.truth.away = True

    refused(world, lambda engine: engine.decide(), TransientError)


def test_a_deadline_that_is_over_records_nothing(world: World) -> None:
    async def late(engine: Engine) -> Any:
        decision = engine.decide()
        engine.world.clock.move(5)
        return await decision

    refused(world, late, DeadlineExceededError)


def test_a_customer_whose_person_keeps_moving_is_refused(world: World) -> None:
    world.truth.put_profile(good_profile("c-1", person_id="p1.old"))
    world.truth.add_customer("c-1", "p1.new", 12)

    refused(world, lambda engine: engine.decide(), LedgerBusyError)


def test_a_cache_that_names_another_person_is_passed_by(world: World) -> None:
    old = good_profile(person_id="p1.old", profile_version=11)
    world.cache.entries["profile:c-1"] = (11, profile_to_bytes(old))

    assert body(world.run(lambda engine: engine.decide()))["outcome"] == "APPROVED"


def test_a_person_that_stays_locked_is_refused_in_time(world: World) -> None:
    world.truth.locked.add("c.c-1")

    async def locked(engine: Engine) -> Any:
        task = asyncio.create_task(engine.decide(seconds=60))
        while not task.done():
            engine.world.clock.move(0.3)
            await asyncio.sleep(0.001)
        return await task

    refused(world, locked, LedgerBusyError)


def test_a_person_that_is_unlocked_in_time_is_decided(world: World) -> None:
    world.truth.locked.add("c.c-1")

    async def locked(engine: Engine) -> Any:
        task = asyncio.create_task(engine.decide())
        await asyncio.sleep(0.01)
        engine.world.truth.locked.clear()
        return await task

    assert body(world.run(locked))["outcome"] == "APPROVED"


def test_the_limit_holds_for_many_at_once(world: World) -> None:
    asked = application(amount=Money(9_000_00), term_months=36)

    async def crowd(engine: Engine) -> list[Recorded]:
        keys = [f"k{n}" for n in range(16)]
        return list(await asyncio.gather(*(engine.decide(key, asked) for key in keys)))

    outcomes = [body(recorded)["outcome"] for recorded in world.run(crowd)]
    reserved = sum(row.principal for row in world.truth.state.reservations)

    assert "APPROVED" in outcomes
    assert "DECLINED" in outcomes
    # Income 5,000.00 in band A: eight incomes.
    assert reserved <= 40_000_00


def test_a_caller_that_leaves_does_not_undo_what_was_begun(world: World) -> None:
    async def leaves(engine: Engine) -> Recorded:
        task = asyncio.create_task(engine.decide())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return await engine.decide()

    world.run(leaves)

    assert len(world.truth.state.decisions) == 1


def test_decided_at_is_the_clock_of_the_ledger(world: World) -> None:
    assert body(world.run(lambda e: e.decide()))["decided_at"] == "2026-06-10T12:00:00.000Z"
    assert world.clock.now() == AS_OF
