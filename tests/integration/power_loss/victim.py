"""
A process that makes calls on one store and kills itself at a named point.

Run: `python -m tests.integration.power_loss.victim SUBJECT FOLDER POINT TIMES`. It prints the
number of each call that has returned, and dies when POINT has been passed TIMES times.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path

from adapters.stores.embedded.sqlite_file import SqliteFile
from tests.contracts.opened import HandClock
from tests.integration.power_loss.histories import CALLS, SUBJECTS


def main(name: str, folder: str, point: str, times: int) -> None:
    """Make the calls until the end comes."""
    subject = next(each for each in SUBJECTS if each.name == name)
    left = [times]

    def at(passed: str) -> None:
        if passed == point:
            left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    file = SqliteFile(Path(folder) / f"{name}.sqlite", subject.layout, HandClock(), at=at)
    put, _ = subject.open(file, at)

    async def calls() -> None:
        for number in range(1, CALLS + 1):
            await put(number)
            sys.stdout.write(f"{number}\n")
            sys.stdout.flush()

    asyncio.run(calls())


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
