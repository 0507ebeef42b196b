"""The commands that the README shows are commands that exist and work."""

import json
import re
import shlex
from pathlib import Path
from typing import Final

import click
import pytest

from adapters.inbound.cli.main import build_cli
from adapters.inbound.http import bodies
from adapters.settings import SERVICES_MAY_HAVE, SERVICES_NEED
from tests.unit.cli.fake_wiring import FakeWiring
from tests.unit.repo.files import ROOT

README: Final = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS: Final = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
LINES: Final = [
    line for block in BLOCKS for line in block.replace("\\\n", " ").strip().splitlines()
]


def test_the_readme_shows_commands() -> None:
    assert any(line.startswith("make demo") for line in LINES)
    assert any(line.startswith("make test") for line in LINES)
    assert any("curl" in line for line in LINES)


@pytest.mark.parametrize("line", LINES)
def test_a_command_of_the_readme_is_one(line: str) -> None:
    words = shlex.split(line)

    if words[0] == "export":
        names = {word.partition("=")[0] for word in words[1:]}
        assert names <= {*SERVICES_NEED, *SERVICES_MAY_HAVE}
    elif words[0] == ".venv/bin/creditctl":
        assert_a_command(words[1:])
    else:
        assert words[0] in {"make", "curl"} or words[0].startswith("TOKEN=")


def assert_a_command(words: list[str]) -> None:
    """Parse it as the program would, without running it."""
    command: click.Command = build_cli(FakeWiring(data=Path("unused")))
    while isinstance(command, click.Group):
        name, *words = words
        command = command.commands[name]
    command.make_context(command.name, words)


def test_the_body_of_the_readme_is_a_valid_decision() -> None:
    (body,) = re.findall(r"-d '(\{.*?\})'", README, re.DOTALL)

    asked = bodies.ApplicationBody.model_validate_json(body)

    assert json.loads(body)["customer_id"] == asked.customer_id
