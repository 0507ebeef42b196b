"""The README's first decision, typed as it stands there, against a platform that is up."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
FIRST_DECISION = re.findall(
    r"```sh\n(TOKEN=.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL
)[0]


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    data = tmp_path_factory.mktemp("readme") / "data"
    command = [str(BIN / "creditctl"), "up", "--data", str(data), "--port", "0"]
    command += ["--metrics-port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            yield _address(process.stderr), data
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=60) == 0


def _address(lines: Any) -> str:
    for line in lines:
        found = re.search(r"API\s+(http://\S+)", line)
        if found:
            return found.group(1)
    pytest.fail("the platform did not say where it is")


def test_the_first_decision_of_the_readme(platform: tuple[str, Path]) -> None:
    url, data = platform
    script = FIRST_DECISION.replace("http://127.0.0.1:8080", url)
    environment = {**os.environ, "CREDITCTL_DATA": str(data)}

    runs = [
        subprocess.run(
            ["bash", "-euc", script],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        ).stdout
        for _ in range(2)
    ]

    reply = json.loads(runs[0])
    assert reply["outcome"] == "REFERRED"
    assert reply["reasons"][0]["code"] == "R90"
    assert runs[1] == runs[0]


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/openapi.json", "/docs"])
def test_what_needs_no_token_answers_without_one(platform: tuple[str, Path], path: str) -> None:
    with urllib.request.urlopen(platform[0] + path, timeout=30) as response:
        assert response.status == 200
        assert response.read()
