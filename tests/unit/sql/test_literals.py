"""No value can end its quotes, whatever `sql_mode` the session has."""

import re
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.stores.sql.mysql_literals import literal, literals

#: Everything that a literal may be: in no mode is there a second way to read one of these.
ONE_WAY = re.compile(
    r"'[^'\"\\\x00-\x1f\x7f-\U0010ffff%`]*'|(_utf8mb4 )?x'([0-9a-f]{2})*'|-?[0-9]+|NULL"
)
TEXTS = st.text() | st.text("'\"\\`%_;-# /*\0\n\r\x1a\N{SNOWMAN}a")
VALUES = TEXTS | st.binary() | st.integers() | st.none() | st.booleans()


class Colour(StrEnum):
    RED = "it's red"


@given(VALUES)
def test_a_literal_can_be_read_in_one_way(value: object) -> None:
    assert ONE_WAY.fullmatch(literal(value))


@given(st.lists(VALUES, min_size=1, max_size=5))
def test_a_list_is_its_literals(values: list[object]) -> None:
    assert literals(values) == ",".join(map(literal, values))


def test_a_list_of_nothing_matches_nothing() -> None:
    assert literals([]) == "NULL"


def test_the_member_of_an_enumeration_is_its_text() -> None:
    assert literal(Colour.RED) == literal("it's red")


@pytest.mark.parametrize("value", ["\ud800", "a\udfff", 1.5, float("nan"), object(), ["a"]])
def test_what_no_column_holds_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"surrogates|no column holds"):
        literal(value)
