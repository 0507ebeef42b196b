from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from decision_engine.pricing.iof import Shape, finance_iof, iof_of, iof_share
from decision_engine.pricing.loan import price_loan
from decision_engine.pricing.tables import IofRates
from domain.money import Money, format_centavos
from tests.unit.pricing.cases import IOF_TABLE, ORACLES, TERMS

RATES = IOF_TABLE.rates_on(TERMS.signed_on)
FINANCED = ORACLES["iof_financed"]


def test_the_oracles_of_price_and_sac_hold() -> None:
    price = TERMS.shape
    sac = price._replace(amortization="sac")

    for shape, oracle in ((price, "iof_price_10000_24"), (sac, "iof_sac_10000_24")):
        iof = iof_of(shape.plan(1_000_000), shape.schedule, RATES)
        assert format_centavos(iof) == ORACLES[oracle]["total"]


def test_a_person_pays_3373_per_cent_at_most() -> None:
    """XP's example: R$ 3,373.00 on R$ 100,000 and, when financed, R$ 3,490.74."""
    signed_on = date(2026, 12, 10)
    year = Shape(Decimal("0.02"), 1, "price", signed_on, signed_on + timedelta(days=365))

    assert iof_of(year.plan(10_000_000), year.schedule, RATES) == 337_300
    assert iof_share(year, RATES) == Decimal("0.03373")
    assert finance_iof(10_000_000, year, RATES)[1] == 349_074


def test_the_tax_is_rounded_once_half_even() -> None:
    signed_on = date(2026, 12, 10)
    day = Shape(Decimal(0), 1, "price", signed_on, signed_on + timedelta(days=1))
    half = IofRates(Decimal("0.004"), Decimal("0.001"), 0)

    assert iof_of(day.plan(100), day.schedule, half) == 0
    assert iof_of(day.plan(300), day.schedule, half) == 2


def test_financed_the_oracle_holds() -> None:
    plan, iof = finance_iof(1_000_000, TERMS.shape, RATES)
    share = iof_share(TERMS.shape, RATES)

    assert abs(share - Decimal(FINANCED["r_eff"])) < Decimal("1e-14")
    assert format_centavos(plan.principal) == FINANCED["financed_principal"]
    assert format_centavos(iof) == FINANCED["iof"] == FINANCED["iof_recomputed"]
    assert iof == iof_of(plan, TERMS.shape.schedule, RATES)
    assert format_centavos(plan.instalments[0]) == FINANCED["pmt"]
    assert format_centavos(plan.instalments[-1]) == FINANCED["last_pmt"]
    assert format_centavos(plan.total) == FINANCED["total_paid"]


def test_the_share_is_that_of_a_plan_in_very_small_units() -> None:
    """A trillion reais leave no room for rounding; 90 days of grace let interest join the debt."""
    late = TERMS.shape._replace(first_due_on=date(2027, 4, 10), term_months=48)
    sac = TERMS.shape._replace(amortization="sac")
    free = TERMS.shape._replace(monthly_rate=Decimal(0))

    for shape in (TERMS.shape, late, sac, free):
        iof = iof_of(shape.plan(10**14), shape.schedule, RATES)
        assert abs(iof_share(shape, RATES) - Decimal(iof).scaleb(-14)) < Decimal("1e-12")


def test_the_principal_next_to_the_formula_is_tried() -> None:
    """Mostly the nearest principal fits; else mostly a neighbour; else a centavo is left over."""
    shape = TERMS.shape._replace(term_months=36, monthly_rate=Decimal("0.031"))
    met: Counter[tuple[int, int]] = Counter()
    for amount in range(1_000_000, 1_001_000):
        plan, iof = finance_iof(amount, shape, RATES)
        nearest = Money.of(amount / (1 - iof_share(shape, RATES)) / 100).centavos
        met[plan.principal - nearest, plan.principal - iof - amount] += 1

    assert met[0, 0] > 900
    assert met[1, 0] > 0
    assert met[-1, 0] > 0
    assert {over for _, over in met} == {0, 1}


def test_where_no_principal_fits_the_client_gets_the_least_more() -> None:
    terms = replace(
        TERMS,
        amount=2_386_239,
        term_months=25,
        monthly_rate=Decimal("0.0938"),
        signed_on=date(2029, 8, 18),
        first_due_on=date(2029, 9, 25),
    )
    plan, iof = finance_iof(terms.amount, terms.shape, RATES)
    apart = [
        price_loan(replace(terms, amount=plan.principal + step, iof="paid_apart"), IOF_TABLE)
        for step in range(-50, 51)
    ]

    assert plan.principal - iof == terms.amount + 1
    assert terms.amount not in [loan.received for loan in apart]
    assert max(loan.received for loan in apart[:50]) < terms.amount
