"""A decision record has one form, fits on one screen and names files that exist."""

import re
from pathlib import Path
from typing import Final

import pytest

from tests.unit.repo.documents import resolves
from tests.unit.repo.files import ROOT, own_files

FOLDER: Final = ROOT / "docs" / "decisions"
PARTS: Final = ["Context", "Decision", "Consequences", "Alternatives", "Files that show it"]
LINES_MAX: Final = 60


def records() -> list[Path]:
    return [path for path in own_files() if path.parent == FOLDER]


@pytest.mark.parametrize("record", records(), ids=lambda path: path.name)
def test_a_record_has_its_parts_and_true_files(record: Path) -> None:
    text = record.read_text(encoding="utf-8")
    files = re.findall(r"`([^`]+)`", text.partition("## Files that show it")[2])

    assert re.fullmatch(r"\d{4}-[a-z0-9-]+\.md", record.name)
    assert text.startswith(f"# {record.name[:4]}: ")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == PARTS
    assert len(text.splitlines()) <= LINES_MAX
    assert files
    assert [each for each in files if not resolves(each)] == []


def test_numbers_are_used_once() -> None:
    numbers = [path.name[:4] for path in records()]

    assert sorted(set(numbers)) == sorted(numbers)
