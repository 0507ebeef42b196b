import base64
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.inbound.http.cursors import Cursors
from adapters.inbound.http.queries import CUSTOMER_ID, LIMIT, purpose_of, read_query
from adapters.inbound.http.refusals import ProblemError
from adapters.security.request_keys import RequestKeys

CURSORS = Cursors(RequestKeys(b"k" * 32))
LIST = "/v1/reviews"


@given(st.integers(-(2**62), 2**62), st.text(st.characters(codec="utf-8"), max_size=40))
def test_a_cursor_leads_back_to_its_place(instant: int, identity: str) -> None:
    sealed = CURSORS.seal((instant, identity), LIST)

    assert CURSORS.open(sealed, LIST) == (instant, identity)


def test_no_place_is_no_cursor() -> None:
    assert CURSORS.seal(None, LIST) is None
    assert CURSORS.open(None, LIST) is None


@pytest.mark.parametrize("cursor", ["", "x", "AAAA", "é", "QUJD" * 100, "QUJD" * 8, "====", "a b"])
def test_what_was_not_made_here_is_refused(cursor: str) -> None:
    with pytest.raises(ProblemError, match="invalid-input"):
        CURSORS.open(cursor, LIST)


def test_a_changed_cursor_is_refused() -> None:
    sealed = CURSORS.seal((1, "a"), LIST) or ""
    raw = base64.urlsafe_b64decode(sealed)
    for place in range(len(raw)):
        changed = bytearray(raw)
        changed[place] ^= 1
        with pytest.raises(ProblemError):
            CURSORS.open(base64.urlsafe_b64encode(changed).decode(), LIST)


def test_a_cursor_of_another_key_or_list_is_refused() -> None:
    sealed = CURSORS.seal((1, "a"), LIST)

    with pytest.raises(ProblemError):
        CURSORS.open(sealed, "/v1/credit-decisions")
    with pytest.raises(ProblemError):
        Cursors(RequestKeys(b"x" * 32)).open(sealed, LIST)


def test_the_purpose_is_the_list_and_its_filters() -> None:
    query = {"customer_id": "c-1", "limit": 7, "cursor": "x", "from": 3}

    assert purpose_of(LIST, query) == "/v1/reviews&customer_id=c-1&from=3"


@given(st.binary(max_size=60))
def test_any_query_string_is_read_or_refused(raw: bytes) -> None:
    with suppress(ProblemError):
        assert set(read_query(raw, (LIMIT, CUSTOMER_ID))) <= {"limit", "customer_id"}


def test_every_fault_of_a_query_is_found_at_once() -> None:
    with pytest.raises(ProblemError) as caught:
        read_query(b"limit=0&customer_id=a%20b&x=1", (LIMIT, CUSTOMER_ID))

    assert [(each.pointer, each.code) for each in caught.value.faults] == [
        ("/query/limit", "limit-range"),
        ("/query/customer_id", "name-format"),
        ("/query", "parameter-unknown"),
    ]
