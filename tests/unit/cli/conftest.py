import json
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from adapters.inbound.cli.main import build_cli
from tests.unit.cli.fake_platform import FakePlatform
from tests.unit.cli.fake_wiring import FakeWiring


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Takes the place of the one for all unit tests: this machine may be reached, nothing else."""
    real = socket.socket.connect

    def connect(opened: socket.socket, address: Any) -> None:
        if address[0] != "127.0.0.1":
            opened.close()
            raise AssertionError(f"a unit test reached for the network: {address}")
        real(opened, address)

    monkeypatch.setattr(socket.socket, "connect", connect)


@pytest.fixture
def platform() -> Iterator[FakePlatform]:
    with FakePlatform.running() as running:
        yield running


@pytest.fixture
def wiring(tmp_path: Path) -> FakeWiring:
    return FakeWiring(data=tmp_path / "data")


@dataclass(frozen=True, slots=True)
class Terminal:
    """Runs `creditctl` as a shell would."""

    wiring: FakeWiring

    def __call__(self, *words: str, stdin: str | bytes | None = None) -> Result:
        return CliRunner().invoke(self.cli(), list(words), input=stdin, prog_name="creditctl")

    def cli(self) -> click.Group:
        return build_cli(self.wiring)

    def document(self, *words: str, code: int = 0) -> dict[str, Any]:
        """Run with `--json`: standard output is one JSON object and nothing else."""
        result = self(*words, "--json")
        assert result.exit_code == code, result.output
        document = json.loads(result.stdout)
        assert isinstance(document, dict)
        return document


@pytest.fixture
def run(wiring: FakeWiring) -> Terminal:
    return Terminal(wiring)


@pytest.fixture
def connected(run: Terminal, platform: FakePlatform) -> Terminal:
    run.wiring.url = platform.url
    run.wiring.token = "secret-token-of-the-tests"
    return run


WriteFile = Callable[[str, str], Path]


@pytest.fixture
def write(tmp_path: Path) -> WriteFile:
    def write_text(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write_text
