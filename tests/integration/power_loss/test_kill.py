"""What a process has told somebody is there after it is killed, at each named point."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.power_loss.histories import SUBJECTS, Loss, Subject, found_after

ROOT = Path(__file__).parents[3]
#: The call in which the victim dies.
DEADLY = 3


def killed_at(subject: Subject, folder: Path, point: str) -> list[int]:
    """Return the calls that the victim reported before it died."""
    victim = subprocess.run(
        [sys.executable, "-m", "tests.integration.power_loss.victim",
         subject.name, str(folder), f"{subject.name}.{point}", str(DEADLY)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert victim.returncode == -signal.SIGKILL, victim.stderr
    return [int(line) for line in victim.stdout.split()]


@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda each: each.name)
@pytest.mark.parametrize("point", ["begin", "before_commit", "after_commit"])
def test_a_killed_process_leaves_every_call_that_returned(
    tmp_path: Path, subject: Subject, point: str
) -> None:
    reported = killed_at(subject, tmp_path, point)

    verdict, first, second = found_after(subject, Loss(point, len(reported), tmp_path))

    committed = list(range(1, DEADLY + (point == "after_commit")))
    assert reported == list(range(1, DEADLY))
    assert (verdict, first, second) == ("ok", committed, committed)
