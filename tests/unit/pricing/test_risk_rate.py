from dataclasses import replace
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decision_engine.pricing.risk_rate import monthly_rate_for, yearly_rate
from domain.errors import InvalidInputError
from tests.unit.pricing.cases import FUNDING_TABLE, ORACLES, code_of

RATES = FUNDING_TABLE.rows[0]
LOW, HIGH = Decimal("0.0100"), Decimal("0.0890")
BANDS = ORACLES["pricing_LGD60_funding15_opex6_margin5"]


@pytest.mark.parametrize("band", BANDS.values(), ids=BANDS.keys())
def test_the_oracles_hold(band: dict[str, Any]) -> None:
    pd = Decimal(band["pd"]) / 100
    yearly = yearly_rate(pd, RATES)
    shown = (Decimal(yearly.numerator) / yearly.denominator * 100).quantize(
        Decimal("0.01"), ROUND_HALF_EVEN
    )
    monthly = Decimal(band["rate_month"]) / 100

    assert str(shown) == band["rate_year"]
    assert 0 <= monthly_rate_for(pd, RATES, LOW, HIGH) - monthly < Decimal("0.0001")


@pytest.mark.parametrize(
    ("pd", "rate"),
    [("0.015", "0.0202"), ("0.035", "0.0211"), ("0.07", "0.0228"), ("0.20", "0.0295")],
)
def test_it_is_rounded_up_to_a_hundredth_of_a_per_cent(pd: str, rate: str) -> None:
    assert str(monthly_rate_for(Decimal(pd), RATES, LOW, HIGH)) == rate


def test_a_rate_that_covers_exactly_is_not_raised() -> None:
    """1.02^12 is what is needed when nothing is lost and funding is all there is."""
    exact = replace(RATES, funding=Decimal("1.02") ** 12 - 1, opex=Decimal(0), margin=Decimal(0))

    assert monthly_rate_for(Decimal(0), exact, LOW, HIGH) == Decimal("0.02")


def test_the_product_limits_hold() -> None:
    assert str(monthly_rate_for(Decimal(0), RATES, Decimal("0.03"), HIGH)) == "0.0300"
    assert str(monthly_rate_for(Decimal("0.99"), RATES, LOW, Decimal("0.08"))) == "0.0800"
    assert str(monthly_rate_for(Decimal("0.2"), RATES, LOW, LOW)) == "0.0100"


def test_limits_between_two_steps_are_kept_within() -> None:
    low, high = Decimal("0.02005"), Decimal("0.02995")

    assert monthly_rate_for(Decimal(0), RATES, low, high) == Decimal("0.0201")
    assert monthly_rate_for(Decimal("0.9"), RATES, low, high) == Decimal("0.0299")


@pytest.mark.parametrize(
    ("low", "high"), [("0.03", "0.02"), ("0.02001", "0.02009"), ("-0.01", "0.02")]
)
def test_impossible_limits_are_refused(low: str, high: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        monthly_rate_for(Decimal("0.05"), RATES, Decimal(low), Decimal(high))

    assert code_of(caught.value) == "rate-range"


@pytest.mark.parametrize("pd", ["-0.01", "1", "NaN", "Infinity"])
def test_a_probability_out_of_range_is_refused(pd: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        yearly_rate(Decimal(pd), RATES)

    assert code_of(caught.value) == "pd-range"


@given(
    st.decimals(0, Decimal("0.6"), places=6),
    st.decimals(0, Decimal("0.6"), places=6),
)
def test_it_is_the_least_that_covers_and_rises_with_the_risk(one: Decimal, other: Decimal) -> None:
    rate = monthly_rate_for(one, RATES, Decimal(0), Decimal(1))
    needed = 1 + yearly_rate(one, RATES)
    steps = int(rate * 10_000)

    assert (10_000 + steps) ** 12 >= needed * 10_000**12 > (10_000 + steps - 1) ** 12
    if other >= one:
        assert monthly_rate_for(other, RATES, Decimal(0), Decimal(1)) >= rate
