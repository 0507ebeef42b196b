import asyncio
import os
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from adapters.inbound.http.server import new_event_loop
from adapters.system import SystemChance, SystemClock, SystemIds
from domain.identifiers import parse_uuid7

INSTANT = datetime(2026, 6, 10, 12, tzinfo=UTC)


def test_the_offset_moves_the_instant_only() -> None:
    real, moved = SystemClock(), SystemClock(-86_400.0)

    assert abs(real.now() - moved.now() - timedelta(days=1)) < timedelta(seconds=5)
    assert real.now().tzinfo is UTC
    assert abs(real.monotonic() - moved.monotonic()) < 5


@pytest.mark.parametrize("factory", [asyncio.new_event_loop, new_event_loop])
def test_the_monotonic_clock_is_the_one_of_the_loop(factory: object) -> None:
    async def difference() -> float:
        return abs(asyncio.get_running_loop().time() - time.monotonic())

    with asyncio.Runner(loop_factory=factory) as runner:  # type: ignore[arg-type]
        assert runner.run(difference()) < 1


def test_ids_sort_as_they_were_asked_for_whatever_the_instant() -> None:
    ids = SystemIds()
    earlier, later = INSTANT, INSTANT + timedelta(milliseconds=1)

    turns = [(at, ids.uuid7(at)) for _ in range(500) for at in (earlier, later, earlier)]

    for at in (earlier, later):
        made = [each for instant, each in turns if instant == at]
        assert made == sorted(made)
        assert len(set(made)) == len(made)
    assert max(each for at, each in turns if at == earlier) < min(
        each for at, each in turns if at == later
    )
    assert all(parse_uuid7(each, "") for _, each in turns)


def test_ids_of_two_processes_differ() -> None:
    assert SystemIds().uuid7(INSTANT) != SystemIds().uuid7(INSTANT)


def test_chance_is_within_its_bounds() -> None:
    chance = SystemChance()

    assert len(chance.token(16)) == 16
    assert chance.token(16) != chance.token(16)
    assert all(0 <= chance.uniform() < 1 for _ in range(100))


def test_no_piece_of_entropy_is_given_twice_whatever_its_size() -> None:
    chance, sizes = SystemChance(), [16, 4, 500, 16, 600, 1, 0, 16]

    taken = [chance.token(size) for _ in range(50) for size in sizes]

    assert [len(each) for each in taken] == sizes * 50
    whole = [each for each in taken if len(each) >= 16]
    assert len(set(whole)) == len(whole)


def test_threads_draw_different_salts() -> None:
    chance = SystemChance()
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda _: chance.token(16), range(4_000)))

    assert len(set(taken)) == len(taken)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_process_draws_its_own() -> None:
    chance = SystemChance()
    chance.token(16)
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.write(writer, chance.token(16))
        os._exit(0)
    theirs = os.read(reader, 16)
    os.waitpid(child, 0)

    assert theirs != chance.token(16)
