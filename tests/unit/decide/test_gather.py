"""Reading through the tiers: fallbacks are seen, absences are believed from truth only."""

import asyncio
from typing import Any

import pytest

from decision_engine.gather import profile_key
from decision_engine.snapshot import Gathered
from domain.errors import DeadlineExceededError, TransientError
from domain.ports.storage import ProjectionRow
from domain.profile_bytes import profile_to_bytes
from domain.profile_row import profile_row
from tests.unit.decide.world import World, good_profile

PROFILE = good_profile()
BYTES = profile_to_bytes(PROFILE)


@pytest.fixture
def world() -> World:
    made = World()
    made.truth.put_profile(PROFILE)
    return made


def gather(world: World, customer_id: str = "c-1") -> Gathered:
    async def run() -> Gathered:
        found = await world.gather(customer_id, world.deadline(10.0))
        await world.gather.close()
        return found

    return asyncio.run(run())


def in_cache(world: World, version: int = 12, value: bytes = BYTES) -> None:
    world.cache.entries[profile_key("c-1")] = (version, value)


def in_hot(world: World) -> None:
    row = ProjectionRow("c-1", "CUSTOMER_PROFILE", 12, BYTES)
    world.hot.rows[row.key] = row


def test_the_fastest_tier_answers_first(world: World) -> None:
    in_cache(world)
    in_hot(world)

    assert gather(world).tier == "redis"
    assert world.hot.reads == []


def test_what_the_cache_lacks_is_read_below_and_written_back(world: World) -> None:
    in_hot(world)

    assert gather(world).tier == "dynamodb"
    assert gather(world).tier == "redis"


def test_truth_fills_both_tiers_above(world: World) -> None:
    assert gather(world).tier == "aurora"
    assert world.hot.rows["c-1", "CUSTOMER_PROFILE"].payload == BYTES
    assert gather(world).tier == "redis"


@pytest.mark.parametrize("away", [{"redis"}, {"dynamodb"}, {"redis", "dynamodb"}])
def test_tiers_that_are_away_are_passed_over_and_named(world: World, away: set[str]) -> None:
    world.cache.away = world.hot.away = away

    found = gather(world)

    assert found.profile == PROFILE
    assert set(found.degraded) == away
    assert world.monitoring.counted["gather_tier_failed_total"] == len(away)


def test_without_truth_an_absence_is_no_answer(world: World) -> None:
    in_cache(world, 0, b"")
    world.truth.away = True

    with pytest.raises(TransientError):
        gather(world)


def test_a_remembered_absence_spares_the_middle_and_asks_truth(world: World) -> None:
    in_cache(world, 0, b"")
    in_hot(world)

    assert gather(world).tier == "aurora"
    assert world.hot.reads == ["dynamodb"]  # the write-back only


def test_an_absence_is_remembered(world: World) -> None:
    found = gather(world, "c-2")

    assert found == Gathered(None, "aurora")
    assert world.cache.entries[profile_key("c-2")] == (0, b"")


def test_an_old_read_is_not_written_back(world: World) -> None:
    async def slow() -> None:
        await asyncio.sleep(0.001)
        world.clock.move(3)

    world.truth.before_read = slow
    gather(world)

    assert (world.cache.entries, world.hot.rows) == ({}, {})
    assert world.monitoring.counted["gather_fill_dropped_total"] == 2


def test_the_time_of_a_write_back_counts_from_the_read(world: World) -> None:
    given: list[float] = []

    async def slow() -> None:
        world.clock.move(1.5)

    async def put(*call: Any) -> None:
        given.append(call[-1].at)

    world.truth.before_read = slow
    world.cache.put_if_newer = put  # type: ignore[method-assign, assignment]
    gather(world)

    assert given == [2.0]


def test_each_store_is_written_back_to_by_itself(world: World) -> None:
    world.hot.away = {"dynamodb"}
    gather(world)

    assert world.cache.entries[profile_key("c-1")] == (12, BYTES)
    assert world.monitoring.counted["gather_fill_failed_total"] == 1


def test_a_write_back_is_the_row_that_ingestion_writes(world: World) -> None:
    gather(world)

    assert world.hot.rows["c-1", "CUSTOMER_PROFILE"] == profile_row(PROFILE, BYTES)


def test_write_backs_have_a_bound(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def slow() -> None:
        await asyncio.sleep(0.001)

    monkeypatch.setattr("decision_engine.gather.FILLS_MAX", 1)
    world.truth.before_read = slow
    gather(world)

    # The hot store comes first: the next reader fills the cache.
    assert (len(world.hot.rows), len(world.cache.entries)) == (1, 0)
    assert world.monitoring.counted["gather_fill_dropped_total"] == 1


UNREADABLE = [
    (12, b"{"),
    (12, b'{"v":999}'),
    (12, BYTES.replace(b'"slots":{', b'"slots":[],"more":{')),
    (13, BYTES),
    (12, profile_to_bytes(good_profile("c-2"))),
]


@pytest.mark.parametrize("held", UNREADABLE)
def test_what_a_tier_holds_and_nobody_can_read_is_passed_over(
    world: World, held: tuple[int, bytes]
) -> None:
    in_cache(world, *held)
    world.hot.rows["c-1", "CUSTOMER_PROFILE"] = ProjectionRow("c-1", "CUSTOMER_PROFILE", *held)

    found = gather(world)

    assert found == Gathered(PROFILE, "aurora", ("redis", "dynamodb"))


def test_an_error_of_the_network_that_nobody_translated_is_passed_over(world: World) -> None:
    async def broken() -> None:
        raise ConnectionResetError

    world.cache.before_read = world.hot.before_read = broken

    assert gather(world).degraded == ("redis", "dynamodb")


def test_concurrent_reads_share_a_flight_that_outlives_its_leader(world: World) -> None:
    async def crowd() -> list[Any]:
        reads = [asyncio.create_task(world.gather("c-1", world.deadline())) for _ in range(5)]
        await asyncio.sleep(0)
        reads[0].cancel()
        results = await asyncio.gather(*reads, return_exceptions=True)
        await world.gather.close()
        return results

    results = asyncio.run(crowd())

    assert isinstance(results[0], asyncio.CancelledError)
    assert all(isinstance(found, Gathered) for found in results[1:])
    assert world.hot.reads == ["dynamodb", "dynamodb"]  # one read, one write-back


def test_truth_can_be_asked_past_tiers_that_are_behind(world: World) -> None:
    in_cache(world, 11, profile_to_bytes(good_profile(profile_version=11)))

    async def run() -> Gathered:
        found = await world.gather("c-1", world.deadline(), from_truth=True)
        await world.gather.close()
        return found

    found = asyncio.run(run())

    assert (found.tier, found.profile) == ("aurora", PROFILE)
    assert world.cache.entries[profile_key("c-1")] == (12, BYTES)


def test_a_slow_tier_is_left_after_its_share(world: World) -> None:
    async def never() -> None:
        await asyncio.sleep(10)

    async def run() -> Gathered:
        world.cache.before_read = never
        # A thousandth of a second of budget: the share of the tier is over at once.
        found = await world.gather("c-1", world.deadline(0.001))
        await world.gather.close()
        return found

    assert asyncio.run(run()).degraded == ("redis",)


def test_who_has_no_time_left_asks_nobody_below_the_cache(world: World) -> None:
    deadline = world.deadline(1.0)
    world.clock.move(2)

    async def run() -> None:
        with pytest.raises(DeadlineExceededError):
            await world.gather("c-1", deadline, from_truth=True)

    asyncio.run(run())
    assert world.monitoring.counted == {}


def test_closing_gives_up_what_does_not_end(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("decision_engine.gather.FILL_MAX_AGE_S", 0.001)

    async def never() -> None:
        await asyncio.Event().wait()

    async def run() -> object:
        world.truth.before_read = never
        read = asyncio.create_task(world.gather("c-1", world.deadline()))
        await asyncio.sleep(0.001)
        await world.gather.close()
        (failed,) = await asyncio.gather(read, return_exceptions=True)
        return failed

    assert isinstance(asyncio.run(run()), TransientError)
