from dataclasses import replace
from datetime import date
from decimal import Decimal, localcontext
from random import Random

import pytest

from decision_engine.pricing import cet as cet_module
from decision_engine.pricing.cet import cet_of
from decision_engine.pricing.loan import LoanTerms, PricedLoan, price_loan
from domain.errors import InvalidInputError
from tests.unit.pricing.cases import IOF_TABLE, ORACLES, TERMS
from tests.unit.pricing.random_plans import random_terms

CASES = [
    ("cet_a_no_costs", replace(TERMS, iof="none")),
    ("cet_b_iof_financed", TERMS),
    ("cet_d_iof_paid_upfront", replace(TERMS, iof="paid_apart")),
    ("cet_e_sac_no_costs", replace(TERMS, iof="none", amortization="sac")),
]


def per_cent(fraction: Decimal) -> str:
    return format(fraction.scaleb(2), "f")


@pytest.mark.parametrize(("oracle", "terms"), CASES)
def test_the_oracles_hold(oracle: str, terms: LoanTerms) -> None:
    loan = price_loan(terms, IOF_TABLE)
    expected = ORACLES[oracle]

    assert loan.received == Decimal(expected["fc0"]) * 100
    assert per_cent(loan.cet.annual) == expected["cet_year_6"]
    assert per_cent(loan.cet_annual) == expected["cet_year"]
    assert per_cent(loan.cet_monthly) == expected["cet_month"]


def test_the_example_of_the_central_bank() -> None:
    """Twelve equal months give 43.93 %, months of 30 days over 365 give 44.66 %."""
    payments = [20_573] * 5
    by_period = cet_of(94_000, payments, [365 * number for number in range(1, 6)])
    by_days = cet_of(94_000, payments, [30 * number for number in range(1, 6)])
    oracle = ORACLES["cet_bcb_published"]

    assert per_cent(by_period.shown_annual) == oracle["month"]
    assert (
        per_cent(((1 + by_period.annual) ** 12 - 1).quantize(Decimal("0.0001")))
        == (oracle["year_12_months"])
    )
    assert per_cent(by_days.shown_annual) == oracle["year_if_30_day_months_over_365"]


def reference(loan: PricedLoan) -> Decimal:
    """Return the root by bisection in 50 digits, with one fractional power per instalment."""
    flows = list(zip(loan.schedule.days, loan.plan.instalments, strict=True))

    def excess(rate: Decimal) -> Decimal:
        worths = (paid / (1 + rate) ** (Decimal(days) / 365) for days, paid in flows)
        return sum(worths, Decimal(0)) - loan.received

    low, high = Decimal(0), Decimal(1)
    while excess(high) > 0:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if excess(middle) > 0 else (low, middle)
    return low


def test_the_reference_of_fifty_digits_agrees() -> None:
    chance = Random(20261210)
    checked = 0
    with localcontext(prec=50):
        while checked < 8:
            terms = replace(random_terms(chance), term_months=chance.randrange(1, 13))
            try:
                loan = price_loan(terms, IOF_TABLE)
            except InvalidInputError:
                continue
            root = reference(loan)
            assert abs(loan.cet.annual - root) <= Decimal("5.0001e-9"), terms
            assert abs(loan.cet.shown_annual - root) <= Decimal("5.0001e-5"), terms
            checked += 1


def test_no_cost_at_all_is_zero() -> None:
    loan = price_loan(replace(TERMS, monthly_rate=Decimal(0), iof="none"), IOF_TABLE)

    assert loan.cet.annual == loan.cet.monthly == 0
    assert format(loan.cet_annual, "f") == "0.0000"


def test_a_subsidised_loan_has_a_negative_cet() -> None:
    cet = cet_of(100_000, [48_000, 50_000], [182, 365])

    assert Decimal("-0.03") < cet.annual < Decimal("-0.02")
    assert cet_of(10**12, [1], [30]).annual == Decimal("-1.00000000")
    assert cet_of(100_000, [25_000], [365]).annual == Decimal("-0.75")


def test_twenty_per_cent_a_month_is_791_a_year() -> None:
    year = cet_of(100_000_000, [round(100_000_000 * 1.2**12)], [365])
    loan = price_loan(
        replace(TERMS, monthly_rate=Decimal("0.2"), iof="none", term_months=12), IOF_TABLE
    )

    assert per_cent(year.shown_annual) == "791.61"
    assert Decimal("7.7") < loan.cet.annual < Decimal("7.95")


def test_a_rate_of_seventeen_digits_is_right_to_the_last() -> None:
    """10 % in a day: a float of this size has no eight decimals to trust."""
    cet = cet_of(100_000, [110_000], [1])
    with localcontext(prec=60):
        exact = Decimal("1.1") ** 365 - 1

    assert abs(cet.annual - exact) <= Decimal("5e-9")
    assert exact > 10**14


@pytest.mark.parametrize(
    ("paid", "annual"), [(220_000_001, "0.10000000"), (220_000_003, "0.10000002")]
)
def test_an_exact_tie_goes_half_even(paid: int, annual: str) -> None:
    """Of 2,000,000.00 a year later: 0.100000005 and 0.100000015 exactly."""
    assert cet_of(200_000_000, [paid], [365]).annual == Decimal(annual)


@pytest.mark.parametrize(
    ("paid", "shown"), [(110_004_999, "0.1000"), (110_005_001, "0.1001"), (110_015_000, "0.1002")]
)
def test_four_decimals_are_rounded_from_the_root_and_not_from_eight(paid: int, shown: str) -> None:
    """0.10004999, 0.10005001 and the tie 0.10015 of 1,000,000.00."""
    assert cet_of(100_000_000, [paid], [365]).shown_annual == Decimal(shown)


def test_what_rounds_to_a_tie_is_not_taken_for_one() -> None:
    """0.10005 less a billionth has 0.10005000 as eight decimals, yet it shows as 0.1000."""
    cet = cet_of(10**13, [11_000_500_000_000 + 9_999], [365])

    assert cet.annual == Decimal("0.10005000")
    assert cet.shown_annual == Decimal("0.1001")
    assert cet_of(10**13, [11_000_499_990_001], [365]).shown_annual == Decimal("0.1000")


def test_the_exact_search_decides_alike_where_the_float_is_not_trusted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loan = price_loan(TERMS, IOF_TABLE)
    by_float = loan.cet
    monkeypatch.setattr(cet_module, "_UNIT_ROUNDOFF", 2.0**-30)

    assert cet_of(loan.received, loan.plan.instalments, loan.schedule.days) == by_float


def test_the_float_alone_decides_nearly_always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the exact evaluations, 0.1 ms each, would be the price of every offer."""
    exact = 0

    def counting(*arguments: object) -> bool:
        nonlocal exact
        exact += 1
        return decide(*arguments)  # type: ignore[arg-type]

    decide = cet_module._Root._is_at_most
    monkeypatch.setattr(cet_module._Root, "_is_at_most", counting)
    for amount in range(1_000_000, 1_000_300):
        assert price_loan(replace(TERMS, amount=amount), IOF_TABLE).cet is not None

    assert exact <= 3


def test_a_loan_that_nobody_asks_has_its_cet_not_searched() -> None:
    """A search for an offer prices up to 64 loans and shows two."""
    loan = price_loan(replace(TERMS, amount=7_777_77), IOF_TABLE)

    assert "cet" not in vars(loan)
    assert loan.cet is loan.cet


def test_real_days_move_it() -> None:
    """Without costs 2.5 % a month never is the 34.4889 % of twelve equal months."""
    free = replace(TERMS, iof="none")
    february = replace(free, signed_on=date(2027, 2, 10), first_due_on=date(2027, 3, 10))
    annual = price_loan(february, IOF_TABLE).cet.annual

    assert annual != price_loan(free, IOF_TABLE).cet.annual
    assert per_cent(annual)[:7] != ORACLES["price_10000_24_2.5"]["effective_annual"]
