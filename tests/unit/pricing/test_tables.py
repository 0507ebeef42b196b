import json
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from decision_engine.pricing.tables import FundingTable, IofTable
from domain.canonical import sha256_text
from domain.errors import InvalidInputError
from tests.unit.pricing.cases import FUNDING_TABLE, IOF_BYTES, IOF_TABLE, code_of

ROW = {"from": "2020-01-01", "to": None, "daily": "0.000082", "flat": "0.0038"}
FUNDING = {"from": "2020-01-01", "to": None, "funding": "0.15", "opex": "0", "margin": "0"}


def iof(*rows: Any, **members: Any) -> IofTable:
    table = {"table": "iof", "rows": [{**ROW, **row} for row in rows], **members}
    return IofTable.parse(json.dumps(table).encode())


@pytest.mark.parametrize(
    ("day", "daily", "flat"),
    [
        ("2015-01-22", "0.000082", "0.0038"),
        ("2020-04-02", "0.000082", "0.0038"),
        ("2020-04-03", "0", "0"),
        ("2020-11-26", "0", "0"),
        ("2020-11-27", "0.000082", "0.0038"),
        ("2020-12-14", "0.000082", "0.0038"),
        ("2020-12-15", "0", "0"),
        ("2020-12-31", "0", "0"),
        ("2021-01-01", "0.000082", "0.0038"),
        ("2021-09-19", "0.000082", "0.0038"),
        ("2021-09-20", "0.0001118", "0.0038"),
        ("2021-12-31", "0.0001118", "0.0038"),
        ("2022-01-01", "0.000082", "0.0038"),
        ("2199-12-31", "0.000082", "0.0038"),
    ],
)
def test_the_shipped_rows_apply_from_their_first_to_their_last_day(
    day: str, daily: str, flat: str
) -> None:
    rates = IOF_TABLE.rates_on(date.fromisoformat(day))

    assert (rates.daily, rates.flat) == (Decimal(daily), Decimal(flat))


def test_every_shipped_row_names_its_source() -> None:
    rows = json.loads(IOF_BYTES)["rows"]

    assert all(row["source"] for row in rows)
    assert len(rows) == len(IOF_TABLE.rows)


def test_a_table_is_known_by_the_hash_of_its_bytes() -> None:
    assert IOF_TABLE.hash == sha256_text(IOF_BYTES)
    assert IofTable.parse(IOF_BYTES + b"\n").hash != IOF_TABLE.hash


def test_the_row_is_named() -> None:
    assert IOF_TABLE.rates_on(date(2021, 10, 1)).row_index == 5


def test_a_day_before_the_first_row_has_none() -> None:
    with pytest.raises(InvalidInputError) as caught:
        IOF_TABLE.rates_on(date(2015, 1, 21))

    assert code_of(caught.value) == "iof-no-row"
    assert caught.value.problems[0].pointer == "/signed_on"


def test_a_day_after_a_closed_table_has_none() -> None:
    closed = iof({"to": "2020-12-31"})

    assert closed.rates_on(date(2020, 12, 31)).row_index == 0
    with pytest.raises(InvalidInputError):
        closed.rates_on(date(2021, 1, 1))


def test_the_shipped_funding_is_that_of_the_oracles() -> None:
    rates = FUNDING_TABLE.rates_on(date(2020, 1, 1))

    assert (rates.funding, rates.opex) == (Decimal("0.15"), Decimal("0.06"))
    assert (rates.margin, rates.lgd) == (Decimal("0.05"), Decimal("0.60"))
    with pytest.raises(InvalidInputError) as caught:
        FUNDING_TABLE.rates_on(date(2020, 1, 1) - timedelta(days=1))
    assert code_of(caught.value) == "funding-no-row"


@pytest.mark.parametrize(
    ("rows", "code", "pointer"),
    [
        ([{"to": "2020-06-30"}, {"from": "2020-07-02"}], "table-gap", "/rows/1/from"),
        ([{"to": "2020-06-30"}, {"from": "2020-06-30"}], "table-overlap", "/rows/1/from"),
        (
            [{"from": "2020-07-01", "to": "2020-12-31"}, {"from": "2020-01-01"}],
            "table-order",
            "/rows/1/from",
        ),
        ([{"to": "2019-12-31"}], "table-order", "/rows/0/to"),
        ([{}, {"from": "2021-01-01"}], "date-format", "/rows/0/to"),
        ([{"from": "01/01/2020"}], "date-format", "/rows/0/from"),
        ([{"daily": 0.000082}], "rate-format", "/rows/0/daily"),
        ([{"flat": "-0.0038"}], "rate-format", "/rows/0/flat"),
        ([{"daily": "0.0013", "flat": "0.0256"}], "table-rate", "/rows/0"),
        ([{"weekly": "0"}], "table-format", "/rows/0"),
    ],
)
def test_a_table_with_a_hole_or_a_wrong_value_is_refused(
    rows: list[Mapping[str, Any]], code: str, pointer: str
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        iof(*rows)

    assert (code_of(caught.value), caught.value.problems[0].pointer) == (code, pointer)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff",
        b"[]",
        b'{"table": "funding", "rows": []}',
        b'{"table": "iof"}',
        b'{"table": "iof", "rows": []}',
        b'{"table": "iof", "rows": [1]}',
        b'{"table": "iof", "rows": [{"from": "2020-01-01", "from": "2021-01-01"}]}',
    ],
)
def test_what_is_no_table_is_refused(raw: bytes) -> None:
    with pytest.raises(InvalidInputError) as caught:
        IofTable.parse(raw)

    assert code_of(caught.value) == "table-format"


def test_half_a_loan_is_the_most_that_tax_may_take() -> None:
    assert iof({"daily": "0.001", "flat": "0.135"}).rows[0].flat == Decimal("0.135")


@pytest.mark.parametrize(("lgd", "code"), [("1", None), ("1.01", "table-rate")])
def test_no_more_than_everything_is_lost_at_default(lgd: str, code: str | None) -> None:
    raw = json.dumps({"table": "funding", "rows": [{**FUNDING, "lgd": lgd}]}).encode()
    if code is None:
        assert FundingTable.parse(raw).rows[0].lgd == 1
        return
    with pytest.raises(InvalidInputError) as caught:
        FundingTable.parse(raw)
    assert code_of(caught.value) == code
