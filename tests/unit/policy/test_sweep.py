"""Slabs and the search over them: what they promise one by one, and what they cost."""

import pytest

from decision_engine.policy.check import sweep
from decision_engine.policy.check.regions import Box, Truth
from decision_engine.policy.check.slabs import Met, Slabs
from decision_engine.policy.check.sweep import Overlap, search


def box(row: int, *ranges: tuple[int, int], place: int = 0, truth: Truth = Truth.TRUE) -> Box:
    return Box(row, truth, {place: ranges})


@pytest.mark.parametrize("backwards", [False, True])
def test_a_run_of_closed_slabs_that_say_the_same_is_passed_in_one_step(*, backwards: bool) -> None:
    count, whole = 400, box(400, (0, 400))
    units = [box(row, (row, row + 1)) for row in range(count)]
    slabs = Slabs(0, count, [*units, whole])
    for one in reversed(units) if backwards else units:
        assert slabs.add(one, 1, closes=True) is None

    assert slabs.add(whole, 1, closes=True) is None
    before = slabs.steps
    for _ in range(100):
        assert slabs.add(whole, 1, closes=True) is None
    assert slabs.steps - before <= 200


def test_what_is_closed_takes_no_more_boxes_and_costs_no_more_steps() -> None:
    whole = box(0, (0, 400))
    slabs = Slabs(0, 400, [whole, *(box(row, (row, row + 1)) for row in range(400))])
    slabs.add(whole, None, closes=False)
    assert slabs.add(whole, 1, closes=True) is None
    before = slabs.steps
    for _ in range(100):
        slabs.add(whole, None, closes=False)
    assert slabs.steps == before
    assert all(boxes == [whole, whole] for _, boxes in slabs.backwards())


@pytest.mark.parametrize(
    ("closed", "asked", "met"),
    [
        # Past slabs that say the same, and past open ones, to the first that does not.
        ({0: 1, 1: 1, 2: 2}, ((0, 4),), 2),
        ({1: 1, 0: 1, 2: 2}, ((0, 4),), 2),
        ({0: 1, 2: 1, 3: 2}, ((0, 4),), 3),
        ({2: 2, 3: 3}, ((0, 4),), 2),
        ({0: 2, 1: 1}, ((0, 4),), 0),
        ({0: 1, 1: 2, 2: 1}, ((0, 4),), 1),
        ({0: 1, 2: 2}, ((0, 1), (2, 3)), 2),
        ({0: 2, 2: 2}, ((0, 1), (2, 3)), 0),
        # Not beyond the end of the box.
        ({0: 1, 1: 1, 2: 2}, ((0, 2),), None),
        ({0: 2, 3: 2}, ((1, 3),), None),
        ({0: 1, 1: 1, 2: 1, 3: 1}, ((0, 4),), None),
    ],
)
def test_a_box_meets_the_first_closed_slab_that_says_something_else(
    closed: dict[int, int], asked: tuple[tuple[int, int], ...], met: int | None
) -> None:
    units = {cell: box(cell, (cell, cell + 1)) for cell in range(4)}
    later = box(9, *asked)
    slabs = Slabs(0, 4, [*units.values(), later])
    for cell, says in closed.items():
        assert slabs.add(units[cell], says, closes=True) is None

    expected = None if met is None else Met(units[met], met)
    assert slabs.add(later, 1, closes=False) == expected


def test_a_box_meets_the_one_that_closed_the_slab_not_one_that_lies_there_too() -> None:
    open_box, closer, later = (box(row, (0, 2)) for row in range(3))
    slabs = Slabs(0, 2, [open_box, closer, later])
    slabs.add(open_box, None, closes=False)
    slabs.add(closer, 1, closes=True)

    assert slabs.add(later, 2, closes=False) == Met(closer, 0)


def test_a_box_that_says_nothing_meets_nothing() -> None:
    slabs = Slabs(0, 2, [box(0, (0, 2))])
    slabs.add(box(0, (0, 2)), 1, closes=True)

    assert slabs.add(box(1, (0, 2)), None, closes=False) is None


def test_the_example_of_an_overlap_lies_inside_both_rows() -> None:
    # Row 1 begins at cell 1 of the first axis and lies at cell 2 of the second.
    first = Box(0, Truth.TRUE, {0: ((3, 5),)})
    second = Box(1, Truth.TRUE, {0: ((1, 5),), 1: ((2, 3),)})
    found = search([5, 4], [first, second], [0, 1])

    assert found.overlaps == {1: Overlap(0, {0: 3, 1: 2})}


def test_of_several_overlaps_of_one_row_the_first_found_is_kept() -> None:
    # On both sides of the first axis the last row meets another one.
    low = Box(0, Truth.TRUE, {0: ((0, 2),), 1: ((0, 1),)})
    high = Box(1, Truth.TRUE, {0: ((2, 4),), 1: ((0, 1),)})
    last = Box(2, Truth.TRUE, {1: ((0, 1),)})
    found = search([4, 2], [low, high, last], [0, 1, 2])
    assert found.overlaps == {2: Overlap(0, {0: 0, 1: 0})}

    everything = [Box(row, Truth.TRUE, {}) for row in range(2)]
    assert search([2], [*everything, Box(1, Truth.TRUE, {0: ((1, 2),)})], [0, 1, 1]).overlaps == {
        1: Overlap(0, {})
    }


@pytest.mark.parametrize("truth", [Truth.PERHAPS, Truth.NOT_FALSE])
def test_what_is_not_certainly_true_overlaps_nothing(truth: Truth) -> None:
    everything = Box(0, Truth.TRUE, {})
    for sides in ({}, {0: ((0, 1),)}):
        later = Box(1, truth, sides)
        assert search([2], [everything, later], [0, 1]).overlaps == {}
        assert search([2], [everything, later._replace(truth=Truth.TRUE)], [0, 1]).overlaps


def test_rows_that_say_the_same_overlap_in_peace() -> None:
    rows = [Box(0, Truth.TRUE, {0: ((0, 2),)}), Box(1, Truth.TRUE, {0: ((1, 3),)})]

    assert search([3], rows, [7, 7]).overlaps == {}
    assert search([3], [Box(0, Truth.TRUE, {}), *rows[1:]], [7, 7]).overlaps == {}
    assert search([3], rows, [7, 8]).overlaps == {1: Overlap(0, {0: 1})}


def test_a_search_that_is_given_up_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [Box(row, Truth.TRUE, {0: ((row, row + 1),)}) for row in range(9)]
    assert search([9], rows, range(9)).complete

    monkeypatch.setattr(sweep, "MOST_STEPS", 12)
    assert not search([9], rows, range(9)).complete
