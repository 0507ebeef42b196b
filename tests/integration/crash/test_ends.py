"""Whatever was answered is there, once and with equal bytes, after any end at any point."""

import asyncio
import shutil
from pathlib import Path

import pytest

from tests.integration.crash.checks import (
    FILES,
    POINTS,
    End,
    check_crash_points,
    check_ends,
    check_first_start,
    check_power_loss,
    passed_by_a_wave,
)

SEED = 20260610
KILLED = (
    "truth.begin", "truth.ReadReservations", "truth.InsertReservations", "truth.before_commit",
    "truth.after_commit", "truth.DeleteOutbox", "stream.after_commit", "keyspaces.before_commit",
)  # fmt: skip
UNPOWERED = (
    "truth.InsertOffers", "truth.before_commit", "truth.after_commit", "truth.InsertInbox",
    "stream.after_commit", "dynamodb.after_commit",
)  # fmt: skip


def test_a_wave_passes_every_point(tmp_path: Path, book: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(book, data)

    passed = asyncio.run(passed_by_a_wave(data))

    assert {point for point in passed if point.partition(".")[0] in FILES} == set(POINTS)
    assert len(POINTS) >= 25


@pytest.mark.parametrize("point", KILLED)
def test_a_killed_process_keeps_every_answer(book: Path, point: str) -> None:
    check_crash_points([point], SEED, book)


@pytest.mark.parametrize("point", UNPOWERED)
def test_a_loss_of_power_keeps_every_answer(book: Path, point: str) -> None:
    check_power_loss([point], SEED, book)


def test_an_end_while_everything_is_made_keeps_the_folder_usable() -> None:
    check_first_start(["truth.begin", "truth.InsertPolicy"], SEED)


@pytest.mark.parametrize("mode", ["OFF", "NORMAL"])
def test_without_flushing_each_commit_answers_are_lost(book: Path, mode: str) -> None:
    """The mutant: this suite must notice when `synchronous = FULL` is taken away."""
    end = End(
        point="truth.after_commit",
        nth=3,
        survival="nothing",
        pragmas=(f"PRAGMA synchronous = {mode}",),
    )

    with pytest.raises(AssertionError, match="was answered before, and otherwise"):
        check_ends([end], book)


def test_on_a_disk_that_does_not_flush_answers_are_lost(book: Path) -> None:
    """The same mutant from below: every fsync is asked for, and none is done."""
    end = End(point="truth.after_commit", nth=3, survival="nothing", deaf=True)

    with pytest.raises(AssertionError, match="was answered before, and otherwise"):
        check_ends([end], book)
