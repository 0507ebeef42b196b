"""The matrix of ports and adapters tells the truth, and leaves no port out."""

import importlib
import inspect
import re
from types import ModuleType
from typing import Any, Final

import pytest

from tests.contracts.matrix import GAPS, KINDS, NO_SERVER, ROWS, SERVER, WHY_GAPS, Cell, Row, table
from tests.unit.repo.files import ROOT

PORTS: Final = ("breakers", "keys", "limits", "monitoring", "storage", "stream", "time", "truth")
CELLS: Final = [(row, cell) for row in ROWS for cell in row.cells]


def ports() -> set[str]:
    """Return every protocol that `domain.ports` defines."""
    found = set()
    for name in PORTS:
        module = importlib.import_module(f"domain.ports.{name}")
        found |= {
            each.__name__
            for each in vars(module).values()
            if inspect.isclass(each)
            and getattr(each, "_is_protocol", False)
            and each.__module__ == module.__name__
        }
    return found


def promises_in(module: ModuleType) -> dict[str, Any]:
    return {name: each for name, each in vars(module).items() if name.startswith("test_")}


def test_every_port_is_in_it_once() -> None:
    assert {path.stem for path in (ROOT / "domain/ports").glob("*.py")} - {"__init__"} == {*PORTS}
    names = [row.port for row in ROWS] + list(NO_SERVER)
    assert sorted(names) == sorted(ports())


@pytest.mark.parametrize(("row", "cell"), CELLS, ids=lambda each: getattr(each, "adapter", None))
def test_the_suite_runs_every_promise_of_the_port(row: Row, cell: Cell) -> None:
    promised = promises_in(importlib.import_module(row.contract))
    run = promises_in(importlib.import_module(cell.suite))

    assert promised
    assert set(promised) <= set(run)
    assert cell.kind in KINDS


def test_every_adapter_is_a_class_of_that_name() -> None:
    source = "".join(path.read_text() for path in (ROOT / "adapters").rglob("*.py"))
    names = {name for _, cell in CELLS for name in cell.adapter.split(", ")}

    assert [
        name for name in names if not re.search(rf"^class {name}\b", source, re.MULTILINE)
    ] == []


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.port)
def test_no_port_is_without_an_adapter_on_a_real_server(row: Row) -> None:
    assert any(cell.kind == SERVER for cell in row.cells)


@pytest.mark.parametrize("suite", GAPS.values(), ids=list(GAPS))
@pytest.mark.xfail(strict=True, reason=WHY_GAPS)
def test_what_was_never_met_has_a_suite(suite: str) -> None:
    importlib.import_module(suite)


def test_it_can_be_printed() -> None:
    lines = list(table())

    assert len(lines) == 1 + len(ROWS) + len(NO_SERVER) + len(GAPS)
    assert all(row.port in line for row, line in zip(ROWS, lines[1:], strict=False))
