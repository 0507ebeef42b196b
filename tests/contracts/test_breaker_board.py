"""What `domain.ports.breakers.BreakerBoard` promises, wherever processes see each other."""

from dataclasses import replace
from typing import Final

import pytest

from adapters.resilience.board import LocalBoard
from domain.ports.breakers import BreakerBoard, BreakerRow, BreakerState
from tests.contracts.opened import NEVER, START, Opened

NOW_S: Final = int(START.timestamp())
ROW: Final = BreakerRow(
    service_name="redis/one",
    state=BreakerState.OPEN,
    failure_count=5,
    success_count=1,
    last_failure_time=NOW_S - 3,
    updated=NOW_S,
)
Board = Opened[BreakerBoard]


@pytest.fixture
def board() -> Board:
    return Opened(LocalBoard())


def test_what_is_published_is_read_as_it_was(board: Board) -> None:
    rows = [replace(ROW, service_name=f"{state}/one", state=state) for state in BreakerState]
    board.run(board.port.publish(rows, NEVER))

    assert by_name(board) == {row.service_name: row for row in rows}


def test_nothing_is_read_before_and_nothing_published_changes_nothing(board: Board) -> None:
    board.run(board.port.publish([], NEVER))

    assert by_name(board) == {}


def test_each_process_has_a_row_of_its_own(board: Board) -> None:
    other = replace(ROW, service_name="redis/two", state=BreakerState.CLOSED)
    for row in (ROW, other):
        board.run(board.port.publish([row], NEVER))

    assert by_name(board) == {"redis/one": ROW, "redis/two": other}


@pytest.mark.parametrize(("later_s", "stands"), [(1, True), (0, True), (-1, False)])
def test_a_row_stands_until_one_that_is_not_older_comes(
    board: Board, later_s: int, *, stands: bool
) -> None:
    other = replace(ROW, state=BreakerState.CLOSED, updated=ROW.updated + later_s)
    board.run(board.port.publish([ROW], NEVER))
    board.run(board.port.publish([other], NEVER))

    assert by_name(board) == {"redis/one": other if stands else ROW}


def test_an_older_row_does_not_keep_those_beside_it_out(board: Board) -> None:
    board.run(board.port.publish([ROW], NEVER))
    older = replace(ROW, state=BreakerState.CLOSED, updated=ROW.updated - 1)
    beside = replace(ROW, service_name="dynamodb/one")
    board.run(board.port.publish([older, beside], NEVER))

    assert by_name(board) == {"redis/one": ROW, "dynamodb/one": beside}


def by_name(board: Board) -> dict[str, BreakerRow]:
    rows = board.run(board.port.read(NEVER))
    found = {row.service_name: row for row in rows}
    assert len(found) == len(rows)
    return found
