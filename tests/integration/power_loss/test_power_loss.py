"""What a call has returned survives the loss of power at any instant; half a call never shows."""

import os
import stat
from pathlib import Path

import pytest

from adapters.stores.embedded.sqlite_file import SqliteFile
from tests.contracts.embedded import TRUTH
from tests.contracts.opened import HandClock
from tests.integration.power_loss.disk import SURVIVALS, Survival
from tests.integration.power_loss.histories import (
    CALLS,
    SUBJECTS,
    Loss,
    Subject,
    found_after,
    live_through,
    lost_calls,
)

subjects = pytest.mark.parametrize("subject", SUBJECTS, ids=lambda each: each.name)


@subjects
@pytest.mark.parametrize("survival", SURVIVALS)
def test_a_returned_call_survives_at_every_point(
    tmp_path: Path, subject: Subject, survival: Survival
) -> None:
    losses = live_through(subject, tmp_path, survival)

    points = {loss.point for loss in losses}
    assert points == {
        f"{subject.name}.begin",
        f"{subject.name}.before_commit",
        f"{subject.name}.after_commit",
        "returned",
    }
    assert losses[-1].returned == CALLS
    assert lost_calls(subject, losses) == []


@subjects
@pytest.mark.parametrize("survival", SURVIVALS)
def test_what_is_found_is_whole_calls_without_a_gap(
    tmp_path: Path, subject: Subject, survival: Survival
) -> None:
    for loss in live_through(subject, tmp_path, survival, seed=2):
        _, first, second = found_after(subject, loss)

        assert first == second == list(range(1, len(first) + 1))


@subjects
def test_a_call_is_durable_before_its_caller_is_told(tmp_path: Path, subject: Subject) -> None:
    losses = live_through(subject, tmp_path, "nothing")
    told_next = [loss for loss in losses if loss.point.endswith("after_commit")]

    for number, loss in enumerate(told_next, start=1):
        _, first, _ = found_after(subject, loss)
        assert (loss.returned, max(first)) == (number - 1, number)


@subjects
@pytest.mark.parametrize("mode", ["OFF", "NORMAL"])
def test_the_disk_notices_a_commit_that_is_not_flushed(
    tmp_path: Path, subject: Subject, mode: str
) -> None:
    """The mutant: without `synchronous = FULL` the promise above must be seen to break."""
    # A checkpoint flushes the log too, and would hide that the commit did not.
    mutant = (f"PRAGMA synchronous = {mode}", "PRAGMA wal_autocheckpoint = 1000")
    losses = live_through(subject, tmp_path, "nothing", *mutant)

    lost = lost_calls(subject, losses)

    assert any(each.startswith("returned") for each in lost)


def test_the_name_of_a_new_file_is_flushed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed = []
    flush = os.fsync

    def noting(handle: int) -> None:
        flush(handle)
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            flushed.append(os.fstat(handle).st_ino)

    monkeypatch.setattr(os, "fsync", noting)
    SqliteFile(tmp_path / "truth.sqlite", TRUTH, HandClock()).close()

    assert flushed == [tmp_path.stat().st_ino]


def test_a_loss_while_the_file_is_made_leaves_a_file_that_opens(tmp_path: Path) -> None:
    """Creation is one transaction: afterwards the schema is whole or is made again."""
    subject = SUBJECTS[0]
    first = live_through(subject, tmp_path, "any sectors")[0]
    empty = Loss("created", 0, tmp_path / "empty")
    empty.folder.mkdir()
    (empty.folder / "truth.sqlite").touch()

    assert [found_after(subject, loss) for loss in (first, empty)] == [("ok", [], [])] * 2
