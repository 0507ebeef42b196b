"""Inputs from JSON: exact, strict, and under dotted names."""

import json
from decimal import Decimal

import pytest

from decision_engine.policy.json_inputs import read_inputs
from decision_engine.policy.limits import FILE_BYTES
from domain.errors import InvalidInputError


def test_leaves_come_under_dotted_names_with_exact_numbers() -> None:
    raw = b'{"a": {"b": 0.10, "c": {"d": 12}}, "s": "x:y", "t": true, "n": null, "e": 1e3}'

    found = read_inputs(raw)

    assert found == {
        "a.b": Decimal("0.1"),
        "a.c.d": Decimal(12),
        "s": "x:y",
        "t": True,
        "n": None,
        "e": Decimal(1000),
    }
    assert [str(found["a.b"]), type(found["a.c.d"])] == ["0.10", Decimal]


@pytest.mark.parametrize(
    "raw",
    [
        '{"a": 1}',
        ' {"a": 1} ',
        '{"a": 1, "b": {}}',
        '{"a": 1, "b": {"c": ":"}}',
        '{"a": 1, "b": "ç"}',
        '{"a": 1, "b": "\\u00e7"}',
        '{"a": 1, "b": [1, {"x": 2}]}',
    ],
)
def test_both_ways_of_reading_agree_on_what_is_in_order(raw: str) -> None:
    found = read_inputs(raw.encode())

    assert found["a"] == Decimal(1)
    assert {name: type(value) for name, value in found.items()} == {
        name: type(value) for name, value in read_inputs(b" " + raw.encode()).items()
    }
    assert isinstance(found.get("b"), str | None)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"{x",
        b"[]",
        b"1",
        b'{"a": 1} x',
        b'{"a": 1, "a": 1}',
        b'{"o": {"a": 1, "a": 2}}',
        b'{"o": 1, "o": {"a": 2}}',
        b'{"a": {"b": 1}, "a.b": 2}',
        b'{"a": {"b": 1, "c": ":"}, "a.b": 2}',
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": "\xff"}',
        b'{"a": "\\ud800"}',
        b'{"\\ud800": 1, "b": "\\ud800"}',
        b'{"a":' * 100 + b"1" + b"}" * 100,
        b"[" * 200_000,
        b'{"a":' + b"[" * 200_000,
        b" " * (FILE_BYTES + 1),
    ],
)
def test_what_two_readers_could_understand_differently_is_refused(raw: bytes) -> None:
    with pytest.raises(InvalidInputError):
        read_inputs(raw)


def test_as_many_colons_in_texts_never_hide_a_name_that_stands_twice() -> None:
    for text in (":", "::", ""):
        with pytest.raises(InvalidInputError):
            read_inputs(json.dumps({"a": text, "b": 1})[:-1].encode() + b', "b": 2}')
