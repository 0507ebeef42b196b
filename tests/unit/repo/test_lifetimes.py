"""docs/lifetimes.md and the code say the same."""

import importlib
import re
from typing import Final

import pytest

from tests.unit.repo.documents import names_of
from tests.unit.repo.files import PACKAGES, ROOT, python_files, tree_of

DOCUMENT: Final = ROOT / "docs" / "lifetimes.md"
TEXT: Final = DOCUMENT.read_text(encoding="utf-8")
PLACE: Final = re.compile(r"`([\w/]+)\.py:([A-Z_]+)`")
ROWS: Final = [
    (float(cells[1]), cells[2])
    for line in TEXT.splitlines()
    if len(cells := [cell.strip() for cell in line.strip("| ").split(" | ")]) == 3
    and cells[1].isdigit()
]
LIFETIME: Final = re.compile(r"\w*TTL_S|FRESH_S")


def value(module: str, name: str) -> object:
    return getattr(importlib.import_module(module.replace("/", ".")), name)


@pytest.mark.parametrize(("seconds", "places"), ROWS)
def test_a_lifetime_is_that_of_the_code(seconds: float, places: str) -> None:
    found = [value(*place) for place in PLACE.findall(places)]

    assert found == [seconds] * len(found)
    assert found or places.startswith("not kept yet")


def test_every_lifetime_of_the_code_is_in_the_table() -> None:
    named = {place for _, places in ROWS for place in PLACE.findall(places)}
    there = {
        (path.relative_to(ROOT).as_posix().removesuffix(".py"), name)
        for path in python_files(*PACKAGES)
        for node in tree_of(path).body
        for name in names_of(node)
        if LIFETIME.fullmatch(name)
    }

    assert there == named


def test_every_cache_spreads_lifetimes_alike() -> None:
    line = next(line for line in TEXT.splitlines() if "JITTER" in line)
    places = PLACE.findall(line)

    assert len(places) == 2
    assert [value(*place) for place in places] == [0.1, 0.1]
    assert line.endswith("are 0.1.")
