"""Dated tables: which tax and which cost of money apply on a day. Rates are data, never code."""

import json
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final, Generic, NoReturn, Self, TypeVar

from decision_engine.pricing.schedule import IOF_DAYS_MAX
from domain.canonical import sha256_text
from domain.errors import InvalidInputError
from domain.instants import parse_date
from domain.money import Rate

#: More than any tax so far by far; it keeps "credit minus tax" positive down to one centavo.
IOF_SHARE_MAX: Final = Decimal("0.5")


@dataclass(frozen=True, slots=True)
class IofRates:
    """
    One row of the IOF table.

    Attributes:
        daily: fraction of each principal part per day (0.000082 is 0.0082 %).
        flat: fraction of the principal, once (Decreto 6.306/2007, art. 7, § 15).
        row_index: position in the table, from 0.
    """

    daily: Decimal
    flat: Decimal
    row_index: int


@dataclass(frozen=True, slots=True)
class FundingRates:
    """
    One row of the funding table, fractions per year.

    Attributes:
        funding: what the lender pays for money.
        opex: running costs.
        margin: profit asked for.
        lgd: share of the debt that is lost when a borrower defaults.
        row_index: position in the table, from 0.
    """

    funding: Decimal
    opex: Decimal
    margin: Decimal
    lgd: Decimal
    row_index: int


RowT = TypeVar("RowT", IofRates, FundingRates)


@dataclass(frozen=True, slots=True)
class _DatedTable(Generic[RowT]):
    """Rows without gap or overlap; `starts` and `end` bound the days they speak for."""

    hash: str
    rows: tuple[RowT, ...]
    starts: tuple[date, ...]
    end: date | None

    def _row_on(self, signed_on: date, code: str) -> RowT:
        index = bisect_right(self.starts, signed_on) - 1
        if index < 0 or (self.end is not None and signed_on > self.end):
            _refuse("/signed_on", code, "the dated table has no row for this day")
        return self.rows[index]


@dataclass(frozen=True, slots=True)
class IofTable(_DatedTable[IofRates]):
    """IOF on credit to persons, by signature date; `hash` is the SHA-256 of the bytes read."""

    @classmethod
    def parse(cls, raw: bytes) -> Self:
        """
        Read the table: `{"table": "iof", "rows": [{"from", "to", "daily", "flat", "source"}]}`.

        Dates are `YYYY-MM-DD`, `to` is the last day of the row and null in the last one; rates are
        fractions as text. Other members than `table` and `rows` are free text.

        Raises:
            InvalidInputError: `table-format`, `table-order`, `table-gap`, `table-overlap`,
                `table-rate`, with the pointer of the row; codes of dates and rates as usual.
        """
        return cls(sha256_text(raw), *_read(raw, "iof", ("daily", "flat"), _iof_rates))

    def rates_on(self, signed_on: date) -> IofRates:
        """
        Return the rates for loans signed on a day.

        Raises:
            InvalidInputError: `iof-no-row`, at /signed_on.
        """
        return self._row_on(signed_on, "iof-no-row")


@dataclass(frozen=True, slots=True)
class FundingTable(_DatedTable[FundingRates]):
    """What a price is made of, by signature date; `hash` is the SHA-256 of the bytes read."""

    @classmethod
    def parse(cls, raw: bytes) -> Self:
        """
        Read `{"table": "funding", "rows": [{"from", "to", "funding", "opex", "margin", "lgd"}]}`.

        Raises:
            InvalidInputError: as `IofTable.parse`.
        """
        names = ("funding", "opex", "margin", "lgd")
        return cls(sha256_text(raw), *_read(raw, "funding", names, _funding_rates))

    def rates_on(self, signed_on: date) -> FundingRates:
        """
        Return the rates for loans signed on a day.

        Raises:
            InvalidInputError: `funding-no-row`, at /signed_on.
        """
        return self._row_on(signed_on, "funding-no-row")


def _iof_rates(at: str, rates: Sequence[Decimal], row_index: int) -> IofRates:
    daily, flat = rates
    if daily * IOF_DAYS_MAX + flat > IOF_SHARE_MAX:
        _refuse(at, "table-rate", "this IOF would take more than half of a loan")
    return IofRates(daily, flat, row_index)


def _funding_rates(at: str, rates: Sequence[Decimal], row_index: int) -> FundingRates:
    funding, opex, margin, lgd = rates
    if lgd > 1:
        _refuse(f"{at}/lgd", "table-rate", "the loss given default is a share: at most 1")
    return FundingRates(funding, opex, margin, lgd, row_index)


def _read(
    raw: bytes,
    kind: str,
    names: Sequence[str],
    make: Callable[[str, Sequence[Decimal], int], RowT],
) -> tuple[tuple[RowT, ...], tuple[date, ...], date | None]:
    rows = _rows_of(raw, kind)
    spans = []
    made = []
    for index, row in enumerate(rows):
        at = f"/rows/{index}"
        if row.keys() - {"source"} != {"from", "to", *names}:
            _refuse(at, "table-format", "a row has other members than its table asks for")
        spans.append(_span(at, row, last=index == len(rows) - 1))
        rates = [Rate.parse(row[name], f"{at}/{name}").fraction for name in names]
        made.append(make(at, rates, index))
    _refuse_holes(spans)
    end = None if rows[-1]["to"] is None else spans[-1][1]
    return tuple(made), tuple(start for start, _ in spans), end


def _rows_of(raw: bytes, kind: str) -> Sequence[Mapping[str, Any]]:
    try:
        table = json.loads(raw, object_pairs_hook=_no_twins)
    except ValueError:
        _refuse("", "table-format", "a table is JSON without repeated members")
    if not isinstance(table, dict) or table.get("table") != kind:
        _refuse("/table", "table-format", "this is another kind of table")
    rows = table.get("rows")
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        _refuse("/rows", "table-format", "a table has a list of rows, at least one")
    return rows


def _no_twins(members: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(members)
    if len(found) != len(members):
        raise ValueError("a member is repeated")
    return found


def _span(at: str, row: Mapping[str, Any], *, last: bool) -> tuple[date, date]:
    start = parse_date(row["from"], f"{at}/from")
    if last and row["to"] is None:
        return start, date.max
    end = parse_date(row["to"], f"{at}/to")
    if end < start:
        _refuse(f"{at}/to", "table-order", "a row ends before it begins")
    return start, end


def _refuse_holes(spans: Sequence[tuple[date, date]]) -> None:
    for index, ((before, end), (start, _)) in enumerate(pairwise(spans), 1):
        at = f"/rows/{index}/from"
        if start <= before:
            _refuse(at, "table-order", "rows stand in the order of their dates")
        if start <= end:
            _refuse(at, "table-overlap", "a row begins before the one above it has ended")
        if start - end != timedelta(days=1):
            _refuse(at, "table-gap", "a row begins later than the day after the one above it")


def _refuse(at: str, code: str, detail: str) -> NoReturn:
    raise InvalidInputError.at(at, code, detail)
