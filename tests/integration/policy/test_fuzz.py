"""3,000 inputs of the fuzz; `make prove` runs 100,000. And faults that the fuzz must find."""

import re
from typing import Any

import pytest

from decision_engine.policy import (
    barred,
    expression_parser,
    findings,
    parse_tables,
    schema,
    shapes,
    values,
)
from tests.integration.policy.fuzz import (
    COUNTED,
    BrokenPromiseError,
    Tally,
    check_fuzz,
    fuzz_expression,
    fuzz_policy,
    run_input,
)
from tests.integration.policy.fuzz_large import check_large

NO_LIMIT = 10**9


def test_every_input_is_accepted_or_refused_with_a_sentence() -> None:
    found = check_fuzz(3_000, 1)

    assert found["evaluated"] > 300


def test_large_files_are_refused_in_little_memory() -> None:
    assert check_large(200_000)["large files"] > 60


@pytest.fixture
def fault(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Take one guard away, and return what the fuzz must say about it."""
    changes, said = FAULTS[request.param]
    for owner, name, value in changes:
        monkeypatch.setattr(owner, name, value)
    return said


FAULTS: dict[str, tuple[list[tuple[Any, str, Any]], str]] = {
    "depth": ([(expression_parser, "EXPRESSION_DEPTH", NO_LIMIT)], "RecursionError"),
    "parts of a column": (
        [
            (parse_tables, "COLUMN_PARTS", NO_LIMIT),
            (expression_parser, "EXPRESSION_PARTS", NO_LIMIT),
        ],
        "_TooManyStepsError",
    ),
    "powers": ([(values.EXACT, "Emax", 999_999), (values.EXACT, "Emin", -999_999)], "the trace"),
    "echo": ([(findings, "short", lambda text, _most=0: text)], "a sentence of"),
    "surrogates": ([(schema, "whole", lambda _: True)], "UnicodeEncodeError"),
    "long names": (
        [(barred, "_LONGEST", NO_LIMIT), (shapes, "DOTTED", re.compile(r"[\w.]+"))],
        "_TooManyStepsError",
    ),
}


@pytest.mark.parametrize("fault", FAULTS, indirect=True)
def test_a_missing_guard_is_found(fault: str) -> None:
    """The counter of calls sees the first of every ten inputs; elsewhere it only costs time."""
    first = 0 if fault == "_TooManyStepsError" else 2

    with pytest.raises(BrokenPromiseError, match=fault):
        run_inputs(range(first, 20_000, COUNTED))


def run_inputs(numbers: range) -> None:
    tally = Tally()
    for number in numbers:
        run_input(number, 1, tally, (fuzz_expression, fuzz_policy))
