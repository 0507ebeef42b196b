from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from decision_engine.pricing.loan import AMOUNT_MAX, LoanTerms, _priced, price_loan
from decision_engine.pricing.tables import IofRates
from domain.errors import InvalidInputError
from domain.money import format_centavos
from tests.unit.pricing.cases import IOF_TABLE, ORACLES, TERMS, code_of

DAY = TERMS.signed_on
FINANCED = ORACLES["iof_financed"]


def test_the_loan_of_the_oracles() -> None:
    loan = price_loan(TERMS, IOF_TABLE)

    assert format_centavos(loan.principal) == FINANCED["financed_principal"]
    assert format_centavos(loan.iof) == FINANCED["iof"]
    assert format_centavos(loan.first_instalment) == FINANCED["pmt"]
    assert format_centavos(loan.last_instalment) == FINANCED["last_pmt"]
    assert format_centavos(loan.total) == FINANCED["total_paid"]
    assert loan.total_interest == loan.total - loan.principal
    assert loan.largest_instalment == loan.last_instalment
    assert (loan.received, loan.iof_row) == (TERMS.amount, 6)
    assert (str(loan.cet_annual), str(loan.cet_monthly)) == ("0.3863", "0.0276")


def test_an_exempt_loan_needs_no_table_row() -> None:
    old = replace(TERMS, signed_on=date(2010, 1, 1), first_due_on=date(2010, 2, 1), iof="none")
    loan = price_loan(old, IOF_TABLE)

    assert (loan.iof, loan.iof_row, loan.principal) == (0, None, TERMS.amount)
    with pytest.raises(InvalidInputError) as caught:
        price_loan(replace(old, iof="paid_apart"), IOF_TABLE)
    assert code_of(caught.value) == "iof-no-row"


def test_a_tax_paid_apart_is_not_owed() -> None:
    loan = price_loan(replace(TERMS, iof="paid_apart"), IOF_TABLE)

    assert loan.principal == TERMS.amount
    assert loan.received == TERMS.amount - loan.iof
    assert format_centavos(loan.iof) == ORACLES["iof_price_10000_24"]["total"]


def test_a_day_of_relief_costs_no_tax() -> None:
    relief = replace(TERMS, signed_on=date(2020, 12, 31), first_due_on=date(2021, 1, 31))
    loan = price_loan(relief, IOF_TABLE)

    assert (loan.iof, loan.principal, loan.iof_row) == (0, TERMS.amount, 3)


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("amount", 0, "amount-range"),
        ("amount", -1, "amount-range"),
        ("amount", AMOUNT_MAX + 1, "amount-range"),
        ("term_months", 0, "term-range"),
        ("term_months", 481, "term-range"),
        ("monthly_rate", Decimal("-0.01"), "rate-range"),
        ("monthly_rate", Decimal("-0"), "rate-range"),
        ("monthly_rate", Decimal("1.0001"), "rate-range"),
        ("monthly_rate", Decimal("0.0000000000001"), "rate-range"),
        ("monthly_rate", Decimal("NaN"), "rate-range"),
        ("monthly_rate", Decimal("Infinity"), "rate-range"),
        ("first_due_on", DAY, "first-due-range"),
        ("first_due_on", DAY - timedelta(days=1), "first-due-range"),
        ("first_due_on", DAY + timedelta(days=121), "first-due-range"),
        ("amortization", "german", "amortization-unknown"),
        ("iof", "", "iof-unknown"),
    ],
)
def test_what_cannot_be_priced_is_refused(field: str, value: Any, code: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        replace(TERMS, **{field: value})

    assert code_of(caught.value) == code
    assert caught.value.problems[0].pointer == f"/{field}"


def test_every_problem_is_told_at_once() -> None:
    with pytest.raises(InvalidInputError) as caught:
        LoanTerms(
            amount=0,
            term_months=0,
            monthly_rate=Decimal(2),
            signed_on=date(9999, 12, 31),
            first_due_on=date(9999, 12, 31),
        )

    assert [problem.pointer for problem in caught.value.problems] == [
        "/amount",
        "/term_months",
        "/monthly_rate",
        "/signed_on",
        "/first_due_on",
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": 1, "term_months": 1},
        {"amount": AMOUNT_MAX, "term_months": 480, "monthly_rate": Decimal("0.000000000001")},
        {"amount": AMOUNT_MAX, "term_months": 1, "monthly_rate": Decimal(1)},
        {"first_due_on": DAY + timedelta(days=1)},
        {"first_due_on": DAY + timedelta(days=120)},
        {"signed_on": date(2300, 12, 31), "first_due_on": date(2301, 1, 31), "term_months": 120},
    ],
)
def test_the_limits_themselves_can_be_priced(changes: dict[str, Any]) -> None:
    terms = replace(TERMS, **changes)

    assert price_loan(terms, IOF_TABLE).received >= terms.amount


def test_a_plan_that_cents_decide_is_refused() -> None:
    with pytest.raises(InvalidInputError) as caught:
        price_loan(replace(TERMS, amount=100), IOF_TABLE)

    assert code_of(caught.value) == "plan-not-payable"


def test_the_same_loan_is_priced_once_and_gives_back_its_own_terms() -> None:
    first = price_loan(TERMS, IOF_TABLE)
    longer = replace(TERMS, monthly_rate=TERMS.monthly_rate.quantize(Decimal("1E-12")))
    again, other = price_loan(replace(TERMS), IOF_TABLE), price_loan(longer, IOF_TABLE)

    assert again is first
    assert str(other.terms.monthly_rate) == str(longer.monthly_rate) != str(TERMS.monthly_rate)
    assert other.plan == first.plan


def test_what_was_priced_before_changes_no_loan() -> None:
    """Neighbours in every term, one after the other, and again in another order."""
    changes: dict[str, tuple[Any, ...]] = {
        "amount": (1_000_00, 1_000_01),
        "term_months": (6, 7),
        "monthly_rate": (Decimal("0.0251"), Decimal("0.0252")),
        "amortization": ("price", "sac"),
        "iof": ("financed", "paid_apart", "none"),
    }
    neighbours = [
        replace(TERMS, **{field: value}) for field, values in changes.items() for value in values
    ]
    plain = [_priced.__wrapped__(terms, "", _row(terms)) for terms in neighbours]

    assert [price_loan(terms, IOF_TABLE) for terms in neighbours] == plain
    assert [price_loan(terms, IOF_TABLE) for terms in reversed(neighbours)] == plain[::-1]


def _row(terms: LoanTerms) -> IofRates | None:
    return None if terms.iof == "none" else IOF_TABLE.rates_on(terms.signed_on)
