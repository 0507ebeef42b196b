"""JSON that could be understood in two ways is refused, and the refusal quotes nothing."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidInputError
from ingestion.decode import DEPTH_MAX, EVENT_BYTES_MAX, decode

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(PLAIN)
def test_plain_json_is_read_as_json_reads_it(value: object) -> None:
    assert decode(json.dumps(value).encode()) == value


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "json"),
        (b"{", "json"),
        (b"\xff", "json"),
        (b"\xef\xbb\xbf{}", "json"),
        ('{"a":1}'.encode("utf-16"), "json"),
        (b'{"a":1} x', "json"),
        (b'{"a":"\x01"}', "json"),
        (b"{'a':1}", "json"),
        (b"1" * 5000, "json"),
        (b"[" * 60_000, "json"),
        (b'{"a":1,"a":1}', "duplicate-key"),
        (b'{"b":{"a":1,"\\u0061":2}}', "duplicate-key"),
        (b'{"a":1.5}', "number-format"),
        (b'{"a":1.0}', "number-format"),
        (b'{"a":1e3}', "number-format"),
        (b'{"a":NaN}', "number-format"),
        (b'{"a":-Infinity}', "number-format"),
        (b'"' + b"a" * EVENT_BYTES_MAX + b'"', "too-large"),
    ],
)
def test_what_is_not_plain_json_is_refused(raw: bytes, code: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        decode(raw)

    assert [problem.code for problem in caught.value.problems] == [code]


def test_the_size_limit_is_the_caller_s() -> None:
    assert decode(b"[1,2]", size_max=5) == [1, 2]

    with pytest.raises(InvalidInputError, match="at most 4 bytes"):
        decode(b"[1,2]", size_max=4)


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_depth_is_bounded(opening: bytes) -> None:
    closing = b"]" if opening == b"[" else b"}"

    def nested(depth: int) -> bytes:
        return opening * depth + b"1" + closing * depth

    assert decode(nested(DEPTH_MAX))
    with pytest.raises(InvalidInputError, match="nested"):
        decode(nested(DEPTH_MAX + 1))


def test_many_brackets_need_not_be_deep() -> None:
    assert decode(b"[" + b",".join([b"[]"] * 40) + b',"[[["]') == [[]] * 40 + ["[[["]


SENTENCES = {
    "not JSON text in UTF-8",
    "numbers are whole, without point or exponent",
    "a key stands twice in one object",
}


def said_of(raw: bytes) -> str:
    try:
        decode(raw)
    except InvalidInputError as error:
        return str(error)
    return ""


@given(st.binary(max_size=60))
def test_a_refusal_quotes_nothing(raw: bytes) -> None:
    assert said_of(raw) in SENTENCES | {""}
