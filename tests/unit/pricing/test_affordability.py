from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decision_engine.pricing.affordability import (
    fits_cap,
    margin,
    max_amount,
    max_principal,
    residual_income,
    shown_burden,
)
from decision_engine.pricing.iof import iof_share
from decision_engine.pricing.plan import build_plan, level_of
from domain.money import format_centavos
from tests.unit.pricing.cases import IOF_TABLE, ORACLES, TERMS

ORACLE = ORACLES["affordability"]
INCOME, SERVICE, CAP = 500_000, 90_000, Decimal("0.30")
LEVEL = level_of(Decimal("0.025"), 24, 30)

centavos = st.integers(0, 10**10)
caps = st.decimals(0, 1, places=4)


@pytest.mark.parametrize(
    ("instalment", "oracle"),
    [(0, "dti_before"), (55_913, "dti_after_559_13"), (57_534, "dti_after_financed")],
)
def test_the_shown_burden_is_that_of_the_oracle(instalment: int, oracle: str) -> None:
    shown = shown_burden(INCOME, SERVICE, instalment)

    assert shown is not None
    assert format(shown * 100, ".2f") == ORACLE[oracle]


def test_the_margin_and_the_largest_principal_are_those_of_the_oracle() -> None:
    largest = max_principal(margin(INCOME, SERVICE, CAP), LEVEL)
    share = iof_share(TERMS.shape, IOF_TABLE.rates_on(TERMS.signed_on))

    assert format_centavos(margin(INCOME, SERVICE, CAP)) == ORACLE["margin"]
    assert format_centavos(largest) == ORACLE["max_principal_24"]
    assert format_centavos(max_amount(largest, share)) == ORACLE["max_net_of_iof"]


@pytest.mark.parametrize("instalment", [149_994, 150_000])
def test_what_fits_passes(instalment: int) -> None:
    assert fits_cap(500_000, 0, instalment, CAP)


def test_a_centavo_too_much_fails_though_it_shows_the_same() -> None:
    assert not fits_cap(500_000, 0, 150_001, CAP)
    assert shown_burden(500_000, 0, 150_001) == shown_burden(500_000, 0, 149_999)


def test_without_income_nothing_fits_and_nothing_is_shown() -> None:
    assert not fits_cap(0, 0, 1, CAP)
    assert shown_burden(0, 0, 1) is None


def test_what_is_left_may_be_less_than_nothing() -> None:
    assert residual_income(150_000, 60_000, 40_000) == 50_000
    assert residual_income(150_000, 160_000, 1) == -10_001


def test_who_is_over_the_cap_has_no_principal() -> None:
    assert margin(500_000, 160_000, CAP) == -10_000
    assert max_principal(-10_000, LEVEL) == 0


@given(centavos, centavos, centavos, caps)
def test_the_margin_is_the_largest_instalment_that_fits(
    income: int, service: int, instalment: int, cap: Decimal
) -> None:
    limit = margin(income, service, cap)

    assert fits_cap(income, service, instalment, cap) == (instalment <= limit)
    assert fits_cap(income, service, limit, cap)
    assert not fits_cap(income, service, limit + 1, cap)


@given(st.integers(10_000, 10**8))
def test_the_largest_principal_has_the_margin_as_its_instalment(limit: int) -> None:
    largest = max_principal(limit, LEVEL)

    assert build_plan(largest, Decimal("0.025"), 24, "price").instalments[0] <= limit
    assert LEVEL.instalment(largest + 20) > limit
