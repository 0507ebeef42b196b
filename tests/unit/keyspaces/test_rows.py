"""Rows as the protocol's bytes: the driver reads what we wrote, and nothing else is written."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from cassandra.cqltypes import DateType, DecimalType, Int32Type, ListType, LongType, UTF8Type
from hypothesis import given
from hypothesis import strategies as st

from adapters.stores.keyspaces.encoding import (
    bigint,
    decimal_of_centavos,
    int32,
    texts,
    timestamp_of_micros,
)
from adapters.stores.keyspaces.rows import (
    INSTANTS,
    MONEY,
    TEXTS,
    TTL_MAX,
    key_of,
    row_of,
    shape_of,
    ttl_of,
    values_of,
)
from adapters.stores.keyspaces.statements import FIXED, READABLE, SHAPES
from domain.errors import PermanentError
from domain.ports.storage import ProjectionRow

PROTOCOL = 4
NOW = datetime(2026, 12, 10, 14, 3, 11, 500_000, tzinfo=UTC)
NOW_S = int(NOW.timestamp())
ROW = ProjectionRow("c-1", "CUSTOMER_PROFILE", 7, b"payload", "e-1")
TYPES = {
    "version": LongType, "payload": UTF8Type, "event_id": UTF8Type, "ttl": DateType,
    **{name: UTF8Type if name in TEXTS else DecimalType if name in MONEY
       else DateType if name in INSTANTS else Int32Type for name in READABLE},
}  # fmt: skip


@given(st.integers(-(10**18), 10**18))
def test_centavos_are_the_decimal_that_the_driver_knows(centavos: int) -> None:
    found = DecimalType.deserialize(decimal_of_centavos(centavos), PROTOCOL)
    assert found == Decimal(centavos).scaleb(-2)
    assert found.as_tuple().exponent == -2


@given(st.integers(-(2**63), 2**63 - 1), st.integers(-(2**31), 2**31 - 1))
def test_whole_numbers_are_those_that_the_driver_knows(large: int, small: int) -> None:
    assert bigint(large) == LongType.serialize(large, PROTOCOL)
    assert int32(small) == Int32Type.serialize(small, PROTOCOL)


@given(st.integers(0, 4_102_444_800_000_000))
def test_instants_are_cut_to_milliseconds(micros: int) -> None:
    assert timestamp_of_micros(micros) == DateType.serialize(micros // 1_000, PROTOCOL)


@given(st.lists(st.text(), max_size=20))
def test_lists_are_those_that_the_driver_knows(values: list[str]) -> None:
    listed = ListType.apply_parameters([UTF8Type])
    assert list(listed.from_binary(texts(values), PROTOCOL) or []) == values


@given(
    st.builds(
        ProjectionRow,
        st.text(min_size=1, max_size=9), st.text(min_size=1, max_size=9),
        st.integers(0, 2**63 - 1), st.text(max_size=30).map(str.encode), st.text(max_size=9),
        st.none() | st.fixed_dictionaries({}, optional={
            "status": st.text(min_size=1, max_size=9), "amount": st.integers(-(10**12), 10**12),
            "credit_score": st.integers(0, 1_000), "transaction_id": st.text(min_size=1),
            "created_at": st.integers(0, 4_102_444_800_000).map(lambda ms: ms * 1_000),
        }).map(lambda each: each or None),
        st.none() | st.integers(0, 4_102_444_800),
    )
)  # fmt: skip
def test_a_row_comes_back_as_it_was(row: ProjectionRow) -> None:
    found = [
        None if value is None else TYPES[name].deserialize(value, PROTOCOL)
        for name, value in zip((*FIXED, *READABLE), values_of(row), strict=True)
    ]
    assert row_of([row.customer_id, row.data_type, *found]) == row


def test_columns_that_the_table_lacks_are_left_out() -> None:
    row = replace(ROW, columns={"createdAt": 5, "lastUpdated": 5, "status": "ACTIVE"})
    assert [each for each in values_of(row)[len(FIXED) :] if each] == [b"ACTIVE"]


@pytest.mark.parametrize(
    "row",
    [
        replace(ROW, payload=b"\xff"),
        replace(ROW, payload=b"x" * 1_000_001),
        replace(ROW, version=-1),
        replace(ROW, version=2**63),
        replace(ROW, columns={"credit_score": 2**31}),
        replace(ROW, columns={"credit_score": "700"}),
        replace(ROW, columns={"amount": "19.99"}),
        replace(ROW, columns={"status": 5}),
        replace(ROW, columns={"created_at": "2026"}),
    ],
)
def test_what_the_table_cannot_hold_is_refused_without_a_value(row: ProjectionRow) -> None:
    with pytest.raises(PermanentError) as caught:
        values_of(row)
    assert "19.99" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_what_ingestion_appends_has_a_statement_without_nulls() -> None:
    times = {"created_at": 1, "updated_at": 1}
    appended: list[dict[str, str | int]] = [
        {"transaction_id": "e", "amount": 1, **times, "createdAt": 1, "lastUpdated": 1},
        {"status": "APPROVED", "amount": 1, "credit_score": 1, **times},
        {"status": "DECLINED", **times},
    ]
    for columns in appended:
        row = replace(ROW, columns=columns)
        shape = shape_of(row)
        assert shape in SHAPES
        assert None not in values_of(row, shape)[len(FIXED) :]


def test_another_set_of_columns_has_the_statement_with_all() -> None:
    assert shape_of(replace(ROW, columns={"existing_debts": 1})) == READABLE
    assert shape_of(ROW) == READABLE


@pytest.mark.parametrize(
    ("expires_s", "ttl"),
    [
        (None, None), (NOW_S + 60, 60), (NOW_S + 1, 1), (NOW_S, 0), (NOW_S - 9, -9),
        (NOW_S + TTL_MAX, TTL_MAX), (NOW_S + TTL_MAX + 1, None),
    ],
)  # fmt: skip
def test_what_is_left_of_a_life(expires_s: int | None, ttl: int | None) -> None:
    row = replace(ROW, expires_s=expires_s)
    assert ttl_of(row, NOW) == ttl
    assert ttl_of(row, NOW.astimezone()) == ttl
    assert ttl is None or ttl_of(row, NOW - timedelta(seconds=1)) == ttl + 1 or ttl == TTL_MAX


def test_the_key_is_the_rows() -> None:
    assert key_of(ROW) == [b"c-1", b"CUSTOMER_PROFILE"]
