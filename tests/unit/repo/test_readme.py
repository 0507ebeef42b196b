"""The commands that the README shows are commands that exist and work."""

import json
import re
import shlex
from typing import Final

import pytest

from adapters.inbound.http import bodies
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

    assert words[0] in {"make", "curl"} or words[0].startswith("TOKEN=")


def test_the_body_of_the_readme_is_a_valid_decision() -> None:
    (body,) = re.findall(r"-d '(\{.*?\})'", README, re.DOTALL)

    asked = bodies.ApplicationBody.model_validate_json(body)

    assert json.loads(body)["customer_id"] == asked.customer_id
