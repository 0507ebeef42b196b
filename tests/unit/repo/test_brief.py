"""docs/brief.md answers every statement of the brief, and every place that it names exists."""

import re
from collections import Counter
from typing import Final

import pytest

from tests.unit.repo.documents import fault_of, lines_of
from tests.unit.repo.files import ROOT

BRIEF: Final = ROOT / "docs" / "brief.md"

#: How many statements each part of the brief has; ids never change, new ones are appended.
LAST_ID: Final = {"A": 360, "B": 115, "C": 78, "D": 43, "E": 16, "X": 45}
ALL_IDS: Final = [f"{part}{n}" for part, last in LAST_ID.items() for n in range(1, last + 1)]

ONE: Final = re.compile(r"([A-EX])([0-9]+)(?:-([A-EX])([0-9]+))?")


def ids_of(cell: str) -> list[str]:
    found = []
    for each in cell.split(", "):
        match = ONE.fullmatch(each)
        assert match, f"not an id or a range of ids: {each}"
        part, first, other, last = match.groups()
        assert other in (None, part), f"a range within one part: {each}"
        found += [f"{part}{n}" for n in range(int(first), int(last or first) + 1)]
    return found


def test_every_statement_is_answered_once() -> None:
    answered = Counter(each for line in lines_of(BRIEF) for each in ids_of(line.key))

    assert [each for each in ALL_IDS if each not in answered] == []
    assert sorted(set(answered) - set(ALL_IDS)) == []
    assert [each for each, times in answered.items() if times > 1] == []


def test_every_answer_is_true() -> None:
    faults = [
        f"{line.key}: {fault}"
        for line in lines_of(BRIEF)
        for clause in line.clauses
        if (fault := fault_of(clause))
    ]

    assert not faults, "\n".join(faults)


@pytest.mark.parametrize(
    ("clause", "fault"),
    [
        ("`tests/unit/repo/test_brief.py:LAST_ID`", ""),
        ("`tests/unit/repo` (a note)", ""),
        ("later: sagas (a note)", ""),
        ("later: some day", "unknown issue: some day"),
        ("`nowhere.py`", "not there: nowhere.py"),
        ("`tests/unit/repo/test_brief.py:NOTHING`", "not there"),
        ("not taken: no", "no reason"),
        ("somewhere", "neither a place"),
    ],
)
def test_the_check_bites(clause: str, fault: str) -> None:
    assert fault_of(clause).startswith(fault)
    assert bool(fault_of(clause)) == bool(fault)
