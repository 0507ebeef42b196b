"""One read a tier for all who wait, and nobody's time or leaving is another's failure."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from decision_engine.gather import Gather, Tiers, profile_key
from decision_engine.snapshot import Gathered
from domain.errors import DeadlineExceededError, TransientError
from domain.ports.storage import ProjectionRow
from domain.profile_bytes import profile_to_bytes
from tests.simulation.kernel.loop import run
from tests.unit.decide.virtual import SlowCache, SlowHot, VirtualWorld
from tests.unit.decide.world import good_profile

PROFILE = good_profile()
BYTES = profile_to_bytes(PROFILE)
NEWER = good_profile(profile_version=13)


def world(seed: int = 0) -> VirtualWorld:
    made = VirtualWorld(random.Random(seed))
    made.truth.put_profile(PROFILE)
    return made


def played(seed: int, scenario: Callable[[VirtualWorld], Awaitable[Any]]) -> Any:
    """Run a scenario over slow stores, in an order and with delays drawn from the seed."""

    async def whole() -> Any:
        made = world(seed)
        result = await scenario(made)
        await made.gather.close()
        return result

    return run(seed, whole)


@pytest.mark.parametrize("seed", range(5))
def test_a_thousand_misses_are_one_read_a_tier_though_the_leader_leaves(seed: int) -> None:
    async def crowd(made: VirtualWorld) -> None:
        async def later(number: int) -> Gathered:
            await asyncio.sleep(number * 1e-6)
            return await made.gather("c-1", made.deadline(1.0))

        reads = [asyncio.create_task(later(number)) for number in range(1_000)]
        await made.hot.asked.wait()
        # Whoever began the read of the middle is among these, and so is who begins truth's.
        for read in reads[:500]:
            read.cancel()
        results = await asyncio.gather(*reads, return_exceptions=True)

        assert all(isinstance(each, asyncio.CancelledError) for each in results[:500])
        assert results[500:] == [Gathered(PROFILE, "aurora")] * 500
        assert (made.hot.reads.count("dynamodb"), made.truth_reads) == (1, 1)

    played(seed, crowd)


@pytest.mark.parametrize("seed", range(8))
def test_who_comes_the_moment_the_middle_had_nothing_finds_truth_being_asked(seed: int) -> None:
    async def crowd(made: VirtualWorld) -> None:
        made.cache.slow_s, made.hot.slow_s = 1 / 1024, 2 / 1024
        first = asyncio.create_task(made.gather("c-1", made.deadline(1.0)))
        await asyncio.sleep(2 / 1024)
        # Their caches answer at the very instant at which the first one's read of the middle ends.
        others = [made.gather("c-1", made.deadline(1.0)) for _ in range(50)]
        await asyncio.gather(first, *others)

        assert (made.hot.reads.count("dynamodb"), made.truth_reads) == (1, 1)

    played(seed, crowd)


def test_those_who_just_missed_the_fill_get_what_it_brings() -> None:
    async def late(made: VirtualWorld) -> None:
        made.cache.slow_puts_s = 0.5
        first = await made.gather("c-1", made.deadline(1.0))
        second = await made.gather("c-1", made.deadline(1.0))
        await asyncio.sleep(1.0)
        third = await made.gather("c-1", made.deadline(1.0))

        assert [first.tier, second.tier, third.tier] == ["aurora", "aurora", "redis"]
        assert made.truth_reads == 1

    played(0, late)


def test_a_follower_with_more_time_does_not_fail_by_the_leader_s_deadline() -> None:
    async def scenario(made: VirtualWorld) -> None:
        made.truth_s = 0.5
        leader = asyncio.create_task(made.gather("c-1", made.deadline(0.06)))
        await asyncio.sleep(0.01)
        follower = asyncio.create_task(made.gather("c-1", made.deadline(2.0)))
        results = await asyncio.gather(leader, follower, return_exceptions=True)

        assert isinstance(results[0], DeadlineExceededError)
        assert results[1] == Gathered(PROFILE, "aurora")
        assert made.truth_reads == 1

    played(0, scenario)


def test_a_follower_with_still_more_time_has_truth_read_again() -> None:
    async def scenario(made: VirtualWorld) -> None:
        made.truth_s = 1.5
        leader = asyncio.create_task(made.gather("c-1", made.deadline(0.06)))
        await asyncio.sleep(0.01)
        followers = [asyncio.create_task(made.gather("c-1", made.deadline(4.0))) for _ in range(20)]
        results = await asyncio.gather(leader, *followers, return_exceptions=True)

        assert isinstance(results[0], DeadlineExceededError)
        assert results[1:] == [Gathered(PROFILE, "aurora")] * 20
        assert made.truth_reads == 2

    played(0, scenario)


def test_who_waits_for_truth_waits_no_longer_than_it_may() -> None:
    async def scenario(made: VirtualWorld) -> None:
        made.truth_s = 60.0
        with pytest.raises(DeadlineExceededError):
            await made.gather("c-1", made.deadline(3.0))

        assert asyncio.get_running_loop().time() == pytest.approx(3.0)

    played(0, scenario)


def test_truth_that_runs_out_of_time_early_is_not_asked_over_and_over() -> None:
    async def scenario(made: VirtualWorld) -> None:
        made.truth_error = DeadlineExceededError("no connection was free")
        with pytest.raises(DeadlineExceededError):
            await made.gather("c-1", made.deadline(5.0))

        assert made.truth_reads == 1

    played(0, scenario)


def test_a_follower_with_little_time_is_answered_though_the_leader_is_patient() -> None:
    async def scenario(made: VirtualWorld) -> None:
        made.hot.slow_s = 10.0
        leader = asyncio.create_task(made.gather("c-1", made.deadline(10.0)))
        await asyncio.sleep(0.001)
        found = await made.gather("c-1", made.deadline(0.1))

        assert found == Gathered(PROFILE, "aurora", ("dynamodb",))
        assert await leader == Gathered(PROFILE, "aurora", ("dynamodb",))
        # All that the patient one knows is that the other one found it by then.
        assert made.truth_reads <= 2

    played(0, scenario)


def test_a_read_that_began_two_seconds_ago_is_joined_by_nobody() -> None:
    async def scenario(made: VirtualWorld) -> None:
        made.truth_s = 3.0
        early = asyncio.create_task(made.gather("c-1", made.deadline(9.0)))
        await asyncio.sleep(2.5)
        made.truth_s = 0.001
        made.truth.put_profile(NEWER)
        late = await made.gather("c-1", made.deadline(9.0))

        assert late == Gathered(NEWER, "aurora")
        await early
        assert made.truth_reads == 2

    played(0, scenario)


def test_who_was_told_that_it_is_behind_joins_no_read_under_way() -> None:
    async def scenario(made: VirtualWorld) -> None:
        made.truth_s = 0.5
        early = asyncio.create_task(made.gather("c-1", made.deadline(9.0)))
        await asyncio.sleep(0.2)
        made.truth.put_profile(NEWER)
        late = await made.gather("c-1", made.deadline(9.0), from_truth=True)

        assert late.profile == NEWER
        await early

    played(0, scenario)


def test_all_who_wait_fail_with_truth_and_the_next_one_asks_again() -> None:
    async def scenario(made: VirtualWorld) -> None:
        made.truth_error = TransientError("away")
        made.truth_s = 0.5
        reads = [made.gather("c-1", made.deadline(1.0)) for _ in range(50)]
        results = await asyncio.gather(*reads, return_exceptions=True)
        made.truth_error, made.truth_s = None, None

        assert {type(each) for each in results} == {TransientError}
        assert made.truth_reads == 1
        assert (await made.gather("c-1", made.deadline(1.0))).profile == PROFILE

    played(0, scenario)


def test_a_fill_of_an_older_read_does_not_replace_what_was_written_through() -> None:
    async def scenario(made: VirtualWorld) -> None:
        made.cache.slow_puts_s = 0.3
        await made.gather("c-1", made.deadline(1.0))
        made.truth.put_profile(NEWER)
        made.cache.entries[profile_key("c-1")] = (13, profile_to_bytes(NEWER))
        await asyncio.sleep(1.0)

        assert made.cache.entries[profile_key("c-1")][0] == 13

    played(0, scenario)


def test_tiers_that_are_slow_leave_truth_its_time() -> None:
    async def scenario(made: VirtualWorld) -> None:
        made.cache.slow_s = made.hot.slow_s = 10.0
        for budget in (0.05, 0.2, 1.0, 10.0):
            began = made.clock.monotonic()
            found = await made.gather("c-1", made.deadline(budget))
            waited = made.clock.monotonic() - began

            assert found == Gathered(PROFILE, "aurora", ("redis", "dynamodb"))
            assert waited <= min(0.44 * budget, 0.35) + 0.004
            await asyncio.sleep(3.0)

    played(0, scenario)


def test_a_hit_starts_no_task_and_no_timer() -> None:
    async def scenario() -> None:
        made = VirtualWorld(random.Random(0))
        made.cache = SlowCache(made, {profile_key("c-1"): (12, BYTES)}, at_once=True)
        hot = SlowHot(made)
        gather = Gather(Tiers(made.cache, hot, hot, made.truth), made.clock, made.monitoring)

        reading = gather("c-1", made.deadline(1.0)).__await__()
        with pytest.raises(StopIteration) as ended:
            next(reading)

        assert ended.value.value == Gathered(PROFILE, "redis")

    run(0, scenario)


def test_rows_of_the_hot_store_answer_the_crowd_as_well() -> None:
    async def crowd(made: VirtualWorld) -> None:
        row = ProjectionRow("c-1", "CUSTOMER_PROFILE", 12, BYTES)
        made.hot.rows[row.key] = row
        reads = [made.gather("c-1", made.deadline(1.0)) for _ in range(100)]

        assert await asyncio.gather(*reads) == [Gathered(PROFILE, "dynamodb")] * 100
        assert (made.hot.reads.count("dynamodb"), made.truth_reads) == (1, 0)

    played(3, crowd)
