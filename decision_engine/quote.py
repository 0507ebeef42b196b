"""Price a loan without a customer: `POST /v1/quotes` and `creditctl quote`."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from decision_engine.pricing.loan import YEARS, LoanTerms, PricedLoan, price_loan
from decision_engine.pricing.schedule import default_first_due_on
from decision_engine.pricing.tables import IofTable
from domain.canonical import Json
from domain.errors import InvalidInputError, Problem
from domain.instants import parse_date
from domain.money import Money, Rate, format_centavos


@dataclass(frozen=True, slots=True)
class Quote:
    """Quote a loan by the rates of a table; no clock and no store, so `signed_on` is a must."""

    iof_table: IofTable

    def __call__(self, body: Mapping[str, Any]) -> PricedLoan:
        """
        Return the priced loan of a body with the fields of the public contract.

        `amount`, `term_months`, `monthly_rate` and `signed_on` are needed; `amortization` is
        `price`, `first_due_on` one month after signing and `iof` `financed` unless given.

        Raises:
            InvalidInputError: `field-missing`, `field-unknown`, `money-format`, `rate-format`,
                `date-format`, `term-format`, and what `LoanTerms` and `price_loan` raise.
        """
        return price_loan(_terms(body), self.iof_table)


def quote_reply(loan: PricedLoan) -> dict[str, Json]:
    """Return the reply of `/v1/quotes`: money with two decimals, CET with four, as text."""
    rows = zip(loan.plan.rows(), loan.schedule.due_on, strict=True)
    return {
        "principal": format_centavos(loan.principal),
        "iof": format_centavos(loan.iof),
        "net_amount": format_centavos(loan.received),
        "instalments": [
            {
                "number": row.number,
                "due_on": due_on.isoformat(),
                "instalment": format_centavos(row.instalment),
                "interest": format_centavos(row.interest),
                "amortization": format_centavos(row.amortization),
                "balance": format_centavos(row.balance),
            }
            for row, due_on in rows
        ],
        "total": format_centavos(loan.total),
        "total_interest": format_centavos(loan.total_interest),
        "cet_annual": format(loan.cet_annual, "f"),
        "cet_monthly": format(loan.cet_monthly, "f"),
    }


def _amount(value: object) -> int:
    return Money.parse(value, "/amount").centavos


def _term(value: object) -> int:
    if type(value) is not int:
        raise InvalidInputError.at("/term_months", "term-format", "a term is a whole number")
    return value


def _signing_day(value: object) -> date:
    day = parse_date(value, "/signed_on")
    if day.year not in YEARS:
        raise InvalidInputError.at("/signed_on", "date-range", "a day from 1900 to 2300")
    return day


def _word(value: object) -> str:
    return value if isinstance(value, str) else ""


_FIELDS: Final[Mapping[str, Callable[[object], Any]]] = {
    "amount": _amount,
    "term_months": _term,
    "monthly_rate": lambda value: Rate.parse(value, "/monthly_rate").fraction,
    "signed_on": _signing_day,
    "first_due_on": lambda value: parse_date(value, "/first_due_on"),
    "amortization": _word,
    "iof": _word,
}
_NEEDED: Final = ("amount", "term_months", "monthly_rate", "signed_on")


def _terms(body: Mapping[str, Any]) -> LoanTerms:
    problems = list(_misfits(body))
    fields: dict[str, Any] = {}
    for name in body.keys() & _FIELDS.keys():
        try:
            fields[name] = _FIELDS[name](body[name])
        except InvalidInputError as error:
            problems.extend(error.problems)
    if problems:
        problems.sort(key=lambda problem: problem.pointer)
        raise InvalidInputError("the quote cannot be read", problems)
    return LoanTerms(**{"first_due_on": default_first_due_on(fields["signed_on"]), **fields})


def _misfits(body: Mapping[str, Any]) -> Iterator[Problem]:
    for name in _NEEDED:
        if name not in body:
            yield Problem(pointer=f"/{name}", code="field-missing", detail="this field is needed")
    if body.keys() - _FIELDS.keys():
        yield Problem(pointer="", code="field-unknown", detail="a field is not of this contract")
