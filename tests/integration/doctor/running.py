"""A platform as a process of its own, from its first line until it is told to end."""

import re
import signal
import subprocess
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def started(
    command: Sequence[str | Path], environment: Mapping[str, str]
) -> Iterator[tuple[str, list[str]]]:
    """Give its address and what it has said so far; its end must be in order."""
    with subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        said: list[str] = []
        url = ""
        for line in process.stderr:
            said.append(line.rstrip("\n"))
            if found := re.match(r"API\s+(http://\S+)", line):
                url = found[1]
                break
        try:
            assert url, said
            # Once it answers, it also hears that it is to end.
            with urllib.request.urlopen(f"{url}/health/live", timeout=30) as answer:
                assert answer.status == 200
            yield url, said
        finally:
            process.send_signal(signal.SIGTERM)
            said.append(process.stderr.read())
    assert process.returncode == 0, said
