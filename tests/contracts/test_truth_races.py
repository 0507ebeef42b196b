"""Anomalies that must not happen on any store of truth, whoever is first."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.contracts.embedded import sqlite_truth
from tests.contracts.races import (
    LIMIT,
    LocklessModelTruth,
    Ring,
    Rings,
    model_rings,
    three_add_one,
    three_append_batches,
    two_batches_reserve,
    two_close_both,
    two_close_one_of_two,
    two_write_batch_one,
)


def sqlite_rings(folder: Path) -> Iterator[Ring]:
    with sqlite_truth(folder) as opened:
        yield Ring([opened.port], opened.run)


@pytest.fixture(params=["model", "sqlite"])
def rings(request: pytest.FixtureRequest, tmp_path: Path) -> Rings:
    return model_rings if request.param == "model" else partial(sqlite_rings, tmp_path)


def test_two_batches_cannot_both_see_the_limit_free(rings: Rings) -> None:
    for ring in rings():
        outcomes, reserved = two_batches_reserve(ring)

        assert reserved == 60
        assert outcomes in (["busy", "reserved"], ["over the limit", "reserved"])


def test_two_who_rely_on_each_others_row_take_turns(rings: Rings) -> None:
    for ring in rings():
        seen, still_open = two_close_one_of_two(ring)

        assert seen == [1, 2]
        assert len(still_open) == 1


def test_no_update_is_lost(rings: Rings) -> None:
    for ring in rings():
        assert three_add_one(ring) == b"4"


def test_a_batch_is_written_once_and_whole(rings: Rings) -> None:
    for ring in rings():
        (key, written), known = two_write_batch_one(ring)

        assert key == "PRIMARY"
        assert known == [written]


def test_batches_follow_one_another(rings: Rings) -> None:
    for ring in rings():
        assert three_append_batches(ring) == ([1, 2, 3], True)


def test_after_a_deadlock_the_one_did_all_and_the_other_nothing(rings: Rings) -> None:
    for ring in rings():
        closed, _ = two_close_both(ring)

        assert closed == [0, 2]


# --- what holds it -----------------------------------------------------------------------------


def test_the_model_deadlocks_in_some_order() -> None:
    assert any(two_close_both(ring)[1] for ring in model_rings())


def test_without_the_persons_lock_the_model_reserves_too_much() -> None:
    reserved = [two_batches_reserve(ring)[1] for ring in model_rings(LocklessModelTruth)]

    assert max(reserved) > LIMIT
