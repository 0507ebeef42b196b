from decimal import Decimal
from itertools import pairwise

import pytest

from decision_engine.pricing.plan import Amortization, Plan, PlanRow, build_plan, level_of
from domain.errors import InvalidInputError
from domain.money import Money, format_centavos
from tests.unit.pricing.cases import ORACLES, code_of

RATE = Decimal("0.025")
PRICE = ORACLES["price_10000_24_2.5"]
SAC = ORACLES["sac_10000_24_2.5"]


def shown(row: PlanRow) -> list[str]:
    number, *amounts = row
    return [str(number), *map(format_centavos, amounts)]


def plan(amortization: Amortization) -> Plan:
    return build_plan(1_000_000, RATE, 24, amortization)


@pytest.mark.parametrize(("amortization", "oracle"), [("price", PRICE), ("sac", SAC)])
def test_the_oracles_hold_to_the_centavo(
    amortization: Amortization, oracle: dict[str, list[str] | str]
) -> None:
    rows = list(plan(amortization).rows())

    assert shown(rows[0]) == oracle["row1"]
    assert shown(rows[1]) == oracle["row2"]
    assert shown(rows[11]) == oracle["row12"]
    assert shown(rows[23]) == oracle["last"]
    assert format_centavos(plan(amortization).total) == oracle["total_paid"]
    assert format_centavos(plan(amortization).total_interest) == oracle["total_interest"]


def test_the_level_instalment_is_rounded_once() -> None:
    level = level_of(RATE, 24, 30)
    exact = Decimal(10_000) * level.numerator / level.denominator

    assert abs(exact - Decimal(PRICE["pmt_exact"])) < Decimal("1e-16")
    assert Money(level.instalment(1_000_000)) == Money.parse(PRICE["pmt"])


@pytest.mark.parametrize("amortization", ["price", "sac"])
def test_without_interest_the_parts_are_equal(amortization: Amortization) -> None:
    rows = list(build_plan(100_000, Decimal(0), 7, amortization).rows())

    assert {row.interest for row in rows} == {0}
    assert [row.instalment for row in rows] == [14286] * 6 + [14284]


@pytest.mark.parametrize("amortization", ["price", "sac"])
def test_one_instalment_is_the_principal_and_a_month(amortization: Amortization) -> None:
    assert list(build_plan(100_000, RATE, 1, amortization).rows()) == [
        PlanRow(1, 102_500, 2_500, 100_000, 0)
    ]


@pytest.mark.parametrize(
    ("principal", "instalment"),
    [(20, 20), (60, 62), (100, 102), (140, 144)],
)
def test_ties_go_to_the_even_centavo(principal: int, instalment: int) -> None:
    """2.5 % of 20, 60, 100 and 140 centavos is a half each time."""
    assert build_plan(principal, RATE, 1, "price").instalments == (instalment,)


def test_ties_go_to_the_even_centavo_in_later_rows() -> None:
    """Half of 1,005, 793 and 475 centavos: down, down and up."""
    rows = list(build_plan(1_005, Decimal("0.5"), 3, "price").rows())

    assert [row.interest for row in rows] == [502, 396, 238]
    assert [row.balance for row in rows] == [793, 475, 0]


def test_a_long_first_period_bears_the_interest_of_its_days() -> None:
    """15 extra days: the level instalment grows by (1 + 1.5 i) / (1 + i)."""
    late = build_plan(1_000_000, RATE, 24, "price", 45)
    expected = Decimal(PRICE["pmt_exact"]) * Decimal("1.0375") / Decimal("1.025")

    assert Money(late.instalments[0]) == Money.of(expected)
    assert late.interests[0] == 37_500
    assert sum(late.amortizations) == 1_000_000


def test_a_short_first_period_bears_the_interest_of_its_days() -> None:
    assert build_plan(1_000_000, RATE, 24, "sac", 10).interests[0] == 8_333
    assert build_plan(1_000_000, RATE, 24, "price", 10).interests[0] == 8_333


def test_interest_that_joins_the_debt_is_paid_before_the_principal() -> None:
    late = build_plan(1_000_000, RATE, 48, "price", 30 + 90)
    first_parts = late.amortizations[:7]

    assert first_parts[:5] == (0,) * 5
    assert 0 < first_parts[5] < first_parts[6]
    assert len(set(late.instalments[:-1])) == 1
    assert sum(late.amortizations) == 1_000_000
    assert sum(late.interests) == late.total - 1_000_000


def test_it_accrues_on_the_whole_debt_while_it_is_unpaid() -> None:
    late = build_plan(1_000_000, RATE, 48, "price", 30 + 90)
    debt = Decimal(1_100_000) - late.instalments[0]
    for instalment in late.instalments[1:]:
        debt = (debt * (1 + RATE)) - instalment

    assert abs(debt) < 48


@pytest.mark.parametrize(
    ("principal", "rate", "term", "amortization"),
    [
        (1_000_000, "0.2", 80, "price"),
        (1_000_000, "0.129", 97, "price"),
        (2, "0.5", 2, "price"),
        (100, "0", 12, "price"),
        (100, "0", 12, "sac"),
        (1, "0.025", 2, "sac"),
        (100_000, "1", 480, "price"),
    ],
)
def test_a_plan_that_cents_decide_is_refused(
    principal: int, rate: str, term: int, amortization: Amortization
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        build_plan(principal, Decimal(rate), term, amortization)

    assert code_of(caught.value) == "plan-not-payable"
    assert caught.value.problems[0].pointer == "/amount"


@pytest.mark.parametrize("amortization", ["price", "sac"])
def test_the_least_payable_plan_still_ends_at_zero(amortization: Amortization) -> None:
    rows = list(build_plan(144, Decimal(0), 12, amortization).rows())

    assert rows[-1].balance == 0
    assert all(later.balance < earlier.balance for earlier, later in pairwise(rows))


def test_levels_are_kept() -> None:
    assert level_of(RATE, 24, 30) is level_of(Decimal("0.0250"), 24, 30)
    assert level_of.cache_info().maxsize == 1024
