"""Ranges of numbers against trying every number of a small grid."""

from collections.abc import Iterator
from decimal import Decimal
from itertools import product
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from decision_engine.policy.check.ranges import (
    ANY,
    End,
    Range,
    absolute,
    add,
    compared,
    divide,
    hull,
    meet,
    multiply,
    negate,
    on_grid,
    pick,
    point,
    power,
    remainder,
    round_to,
    subtract,
)

GRID = [Decimal(each) / 2 for each in range(-6, 7)]
ends = st.builds(End, st.sampled_from(GRID), st.booleans())
ranges = st.builds(lambda a, b, hole: Range(min(a, b), max(a, b), hole), ends, ends, st.booleans())
some_ranges = ranges.filter(lambda one: bool(members(one)))


def members(one: Range) -> list[Decimal]:
    return [each for each in GRID if holds(one, each)]


def holds(one: Range, value: Decimal) -> bool:
    low, high = one.low, one.high
    above = low.value < value or (low.closed and low.value == value)
    below = value < high.value or (high.closed and high.value == value)
    return above and below and not (one.hole and value == 0)


def pairs(one: Range, two: Range) -> Iterator[tuple[Decimal, Decimal]]:
    return product(members(one), members(two))


@given(some_ranges, some_ranges)
def test_no_result_is_outside_its_range(one: Range, two: Range) -> None:
    for a, b in pairs(one, two):
        assert holds(add(one, two), a + b)
        assert holds(subtract(one, two), a - b)
        assert holds(multiply(one, two), a * b)
        assert holds(hull((one, two)), a)
        assert holds(hull((one, two)), b)
        assert holds(pick((one, two), largest=True), max(a, b))
        assert holds(pick((one, two), largest=False), min(a, b))
        if b:
            assert holds(divide(one, two, rounded=False), a / b)
            assert holds(divide(one, two, rounded=True), round(a / b, 1))
            assert holds(remainder(one, two), a % b)


@given(some_ranges, st.integers(0, 3))
def test_no_result_of_one_number_is_outside_its_range(one: Range, exponent: int) -> None:
    for a in members(one):
        assert holds(negate(one), -a)
        assert holds(absolute(one), abs(a))
        if a or exponent:
            assert holds(power(one, ANY), a**exponent)
        assert holds(round_to(one, lambda value: Decimal(round(value))), Decimal(round(a)))
        assert holds(on_grid(one, None), a)
        assert holds(on_grid(one, 0), a) or a != int(a)


@given(some_ranges, some_ranges, st.sampled_from(["==", "!=", "<", "<=", ">", ">="]))
def test_no_number_that_stands_so_is_left_out(one: Range, two: Range, operator: Any) -> None:
    stands = {
        "==": Decimal.__eq__,
        "!=": Decimal.__ne__,
        "<": Decimal.__lt__,
        "<=": Decimal.__le__,
        ">": Decimal.__gt__,
        ">=": Decimal.__ge__,
    }[operator]
    for a, b in pairs(one, two):
        if stands(a, b):
            assert holds(compared(one, operator, two), a)


@given(some_ranges, some_ranges)
def test_zero_is_claimed_exactly_where_it_can_be(one: Range, two: Range) -> None:
    assert one.has_zero == (0 in members(one))
    assert multiply(one, two).has_zero == (one.has_zero or two.has_zero)
    assert meet(one, two).has_zero == (one.has_zero and two.has_zero)
    assert absolute(one).has_zero == negate(one).has_zero == one.has_zero


def test_ends_are_drawn_in_to_the_grid() -> None:
    def grid(low: str, high: str, *, closed: bool, hole: bool = False) -> list[Decimal]:
        one = on_grid(Range(End(Decimal(low), closed), End(Decimal(high), closed), hole), 0)
        return [one.low.value, one.high.value]

    assert grid("-1.5", "1.5", closed=True) == [-1, 1]
    assert grid("1.5", "3.5", closed=False) == [2, 3]
    assert grid("-3.5", "-1.5", closed=False) == [-3, -2]
    assert grid("1", "3", closed=False) == [2, 2]
    assert grid("1", "3", closed=True) == [1, 3]
    assert grid("0", "3", closed=True, hole=True) == [1, 3]
    assert grid("-3", "0", closed=True, hole=True) == [-3, -1]
    assert on_grid(ANY, 2) == ANY
    assert on_grid(point(Decimal("1e59")), 12) == point(Decimal("1e59"))


def test_a_distance_is_never_negative() -> None:
    low, high = End(Decimal("-0.5"), closed=True), End(Decimal("0.25"), closed=True)

    assert absolute(Range(low, high)) == Range(
        End(Decimal(0), closed=True), negate(point(low.value)).high
    )


def test_a_bound_without_an_exact_value_is_none() -> None:
    most = point(Decimal("9e59"))

    assert add(most, most) == ANY
    assert multiply(most, most) == ANY
