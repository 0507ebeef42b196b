"""One value, one sequence of bytes."""

import json
from decimal import Decimal
from json import encoder
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.canonical_writer import ENCODER, use_fast_writer
from domain import canonical
from domain.canonical import checked, encode, encode_trusted

PLAIN = st.none() | st.booleans() | st.integers() | st.text()
VALUES = st.recursive(
    PLAIN,
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
)


def written_elsewhere(value: Any) -> bytes:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode()


@given(VALUES)
def test_is_json_with_sorted_keys_and_no_blanks(value: Any) -> None:
    try:
        expected = written_elsewhere(value)
    except UnicodeEncodeError:
        # Half of a pair of surrogates is no text.
        with pytest.raises(UnicodeEncodeError):
            encode(value)
        return
    assert encode(value) == encode_trusted(value) == expected


@pytest.mark.parametrize("foreign", [1.5, float("nan"), Decimal(1), b"x", {1}, object()])
def test_what_has_no_single_text_is_refused_wherever_it_is(foreign: object) -> None:
    for value in (foreign, [foreign], {"a": [{"b": foreign}]}, ("x", (foreign,))):
        with pytest.raises(TypeError):
            encode(value)


@pytest.mark.parametrize("key", [1, None, True, 1.5, ("a",)])
def test_keys_are_texts(key: object) -> None:
    with pytest.raises(TypeError):
        encode({"a": {key: 1}})


def test_what_holds_itself_is_refused() -> None:
    circle: list[object] = []
    circle.append(circle)

    with pytest.raises(RecursionError):
        encode(circle)


def test_an_interpreter_without_the_fast_writer_gives_the_same_bytes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    value = {"b": [1, "é\n", None], "a": {"z": True}}
    expected = encode(value)

    monkeypatch.setattr(encoder, "c_make_encoder", None)
    monkeypatch.setattr(canonical, "_write", canonical._writer())
    monkeypatch.setattr(canonical._used, "write", canonical._standard)

    assert encode(value) == expected == written_elsewhere(value)


def test_the_standard_writer_refuses_foreign_types_by_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(canonical._used, "write", canonical._standard)
    with pytest.raises(TypeError):
        encode_trusted([Decimal(1)])


@given(VALUES)
def test_another_writer_gives_the_same_bytes(value: Any) -> None:
    try:
        expected = written_elsewhere(value)
    except UnicodeEncodeError:
        with pytest.raises(UnicodeEncodeError):
            ENCODER.encode(value)
        return
    assert ENCODER.encode(value) == expected


@pytest.mark.parametrize(
    "other",
    [
        lambda value: written_elsewhere(value) + b" ",
        json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode,
        lambda value: json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(),
    ],
)
def test_a_writer_of_other_bytes_is_refused(other: canonical.Write) -> None:
    with pytest.raises(ValueError, match="another form"):
        canonical.write_with(other)
    assert encode({"b": 1, "a": "é"}) == b'{"a":"\xc3\xa9","b":1}'


def test_what_starts_the_platform_writes_by_msgspec(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(canonical._used, "write", canonical._standard)

    use_fast_writer()

    assert canonical._used.write == ENCODER.encode
    assert encode({"b": 1, "a": "é"}) == b'{"a":"\xc3\xa9","b":1}'


@given(st.dictionaries(st.text(), VALUES))
def test_what_was_checked_has_the_same_bytes_wherever_it_is(value: dict[str, Any]) -> None:
    held = checked(value)

    assert encode(held) == encode(value)
    assert encode({"a": [held, 1], "b": held}) == encode({"a": [value, 1], "b": value})


@pytest.mark.parametrize("foreign", [{"a": 1.5}, {"a": [Decimal(1)]}, {1: "a"}])
def test_what_is_foreign_cannot_be_checked(foreign: Any) -> None:
    with pytest.raises(TypeError):
        checked(foreign)
