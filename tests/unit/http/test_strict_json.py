import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.inbound.http.refusals import ProblemError
from adapters.inbound.http.strict_json import DEPTH_MAX, NOT_WHOLE, NotWhole, read_json

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**17), 10**17) | TEXTS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXTS, inner, max_size=5),
    max_leaves=30,
)


@given(VALUES, st.sampled_from([{}, {"indent": 2}, {"ensure_ascii": False}]))
def test_every_writer_of_json_is_understood(value: Any, options: dict[str, Any]) -> None:
    raw = json.dumps(value, **options).encode()

    assert read_json(raw) == value


@given(st.binary(max_size=200))
def test_any_bytes_give_a_value_or_a_refusal(raw: bytes) -> None:
    with suppress(ProblemError):
        read_json(raw)


@given(st.text(alphabet='{}[]":,\\u0123456789abcdeEtrufalsn. -+', max_size=80))
def test_nearly_json_gives_a_value_or_a_refusal(text: str) -> None:
    with suppress(ProblemError):
        read_json(text.encode())


def nested(depth: int) -> bytes:
    return b'{"a":[' * (depth // 2) + b"[" * (depth % 2) + b"]" * (depth % 2) + b"]}" * (depth // 2)


@pytest.mark.parametrize("depth", [1, 2, 63, DEPTH_MAX])
def test_64_levels_are_read(depth: int) -> None:
    read_json(nested(depth))


@pytest.mark.parametrize("depth", [DEPTH_MAX + 1, DEPTH_MAX + 2, 900, 5_000, 100_000])
def test_65_levels_are_refused(depth: int) -> None:
    with pytest.raises(ProblemError, match="json-depth"):
        read_json(nested(depth))


def test_many_brackets_are_not_deep() -> None:
    assert read_json(b"[" + b"[]," * 5_000 + b"[]]") == [[]] * 5_001


@pytest.mark.parametrize("text", ["1.5", "-0.0", "1e3", "1E+400", "1e400", "1" * 19, "1" * 5_000])
def test_a_number_that_no_field_takes_becomes_a_marker(text: str) -> None:
    value = read_json(text.encode())

    assert value is NOT_WHOLE
    assert text not in repr(value)
    assert isinstance(value, NotWhole)


@pytest.mark.parametrize("text", ["0", "-1", "1" * 18, "-" + "1" * 18])
def test_a_whole_number_is_a_number(text: str) -> None:
    assert read_json(text.encode()) == int(text)


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "[NaN]", '{"a":-Infinity}'])
def test_what_is_no_number_is_no_json(text: str) -> None:
    with pytest.raises(ProblemError, match="json-malformed"):
        read_json(text.encode())


@pytest.mark.parametrize(
    "text", [r'"\ud800"', r'"\udc00\ud800"', r'{"\ud800":1}', r'[["a",{"b":"\udfff"}]]']
)
def test_half_a_character_is_refused_wherever_it_stands(text: str) -> None:
    with pytest.raises(ProblemError, match="json-encoding"):
        read_json(text.encode())


def test_a_pair_of_halves_is_one_character() -> None:
    assert read_json(rb'"\ud83c\udfe0"') == "🏠"


@pytest.mark.parametrize("text", [r'"\u0000"', r'{"a\u0000":1}', r'["x",["\u0000"]]'])
def test_a_nul_is_refused_wherever_it_stands(text: str) -> None:
    with pytest.raises(ProblemError) as caught:
        read_json(text.encode())

    assert [fault.code for fault in caught.value.faults] == ["text-nul"]


def test_the_deepest_text_is_checked_too() -> None:
    with pytest.raises(ProblemError, match="json-encoding"):
        read_json(b"[" * DEPTH_MAX + rb'"\ud800"' + b"]" * DEPTH_MAX)


@pytest.mark.parametrize("text", ['{"a":1,"a":1}', r'{"a":1,"\u0061":2}', '[{"b":{"a":1,"a":2}}]'])
def test_a_key_stands_once(text: str) -> None:
    with pytest.raises(ProblemError, match="json-duplicate-key"):
        read_json(text.encode())
