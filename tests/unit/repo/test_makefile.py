"""What the documents tell a person to type exists."""

import re
from pathlib import Path

import pytest

from tests.unit.repo.files import ROOT

DOCUMENTS = ("README.md", "CONTRIBUTING.md")
EXPECTED = {
    "install", "demo", "check", "fix", "test", "prove", "bench", "services", "synth", "simulate",
}  # fmt: skip


def targets(makefile: Path) -> set[str]:
    return set(re.findall(r"^([a-z][a-z-]*):", makefile.read_text(), re.MULTILINE))


def named(document: Path) -> set[str]:
    """Return what follows `make` inside code, where it is a command and not the verb."""
    text = document.read_text()
    code = re.findall(r"```.*?```|`[^`\n]+`", text, re.DOTALL)
    return {name for part in code for name in re.findall(r"\bmake ([a-z][a-z-]*)", part)}


def test_the_targets_are_there() -> None:
    assert targets(ROOT / "Makefile") >= EXPECTED


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_target_that_a_document_names_exists(document: str) -> None:
    found = named(ROOT / document)

    assert found
    assert found - targets(ROOT / "Makefile") == set()


def test_ci_runs_what_a_developer_runs() -> None:
    script = ROOT / ".ci" / "run"

    assert script.stat().st_mode & 0o111
    assert "set -euo pipefail" in script.read_text()
    assert script.read_text().rstrip().endswith("make test")
