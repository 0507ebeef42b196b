from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

import pytest

from decision_engine.pricing.affordability import fits_cap, margin, max_amount, max_principal
from decision_engine.pricing.counter_offer import (
    EVALUATIONS_MAX,
    LOOKS_MAX,
    Ask,
    Found,
    search_offers,
)
from decision_engine.pricing.iof import iof_share
from decision_engine.pricing.loan import PricedLoan, price_loan
from decision_engine.pricing.plan import level_of
from tests.unit.pricing.cases import IOF_TABLE, TERMS
from tests.unit.pricing.random_offers import Verdict, check_random_offers, places

RATE = Decimal("0.025")
ASK = Ask(
    amount=2_000_000,
    term_months=24,
    monthly_rate=RATE,
    allowed_terms=(12, 36, 24, 48, 60),
    minimum=50_000,
)


def under(limits: Mapping[int, int]) -> Callable[[int, int], Verdict]:
    return lambda amount, term: Verdict(amount <= limits.get(term, 0), RATE)


def always(amount: int) -> Callable[[int], int]:
    return lambda _: amount


def find(ask: Ask, policy: Callable[[int, int], Verdict]) -> list[tuple[int, int]]:
    return places(search_offers(ask, policy))


def test_less_at_the_asked_term_and_the_asked_amount_at_the_shortest_longer_term() -> None:
    limits = {12: 9_999_999, 24: 1_234_567, 36: 1_999_999, 48: 2_000_000, 60: 2_000_000}

    assert find(ASK, under(limits)) == [(1_230_000, 24), (2_000_000, 48)]


def test_without_a_term_for_the_asked_amount_the_longest_carries_more() -> None:
    limits = {24: 1_234_567, 36: 1_500_000, 48: 1_700_000, 60: 1_800_009}

    assert find(ASK, under(limits)) == [(1_230_000, 24), (1_800_000, 60)]


def test_a_longer_term_that_carries_no_more_is_no_offer() -> None:
    limits = {24: 1_234_567, 36: 1_234_567, 48: 1_234_567, 60: 1_239_999}

    assert find(ASK, under(limits)) == [(1_230_000, 24)]


def test_a_longer_term_may_be_all_there_is() -> None:
    assert find(ASK, under({60: 700_000})) == [(700_000, 60)]


def test_nothing_passes() -> None:
    found = search_offers(ASK, under({}))

    assert found == Found((), found.evaluations, exhausted=False)
    assert found.evaluations <= 1 + LOOKS_MAX + 2 * 3


def test_no_offer_is_below_the_minimum() -> None:
    assert find(ASK, under({24: 49_999, 60: 49_999})) == []
    assert find(replace(ASK, minimum=45_000), under({24: 50_000})) == [(50_000, 24)]
    assert find(replace(ASK, minimum=2_000_001), under({24: 1_000_000, 60: 2_000_000})) == []


def test_an_ask_of_less_than_a_step_can_only_be_stretched() -> None:
    ask = replace(ASK, amount=9_000, minimum=0)

    assert find(ask, under({24: 8_999, 36: 9_000})) == [(9_000, 36)]


def test_a_worse_rate_is_no_offer() -> None:
    def dearer(amount: int, term: int) -> Verdict:
        return Verdict(term > 24 or amount <= 1_000_000, RATE if term != 36 else RATE * 2)

    assert find(ASK, dearer) == [(1_000_000, 24), (2_000_000, 48)]


def test_a_guess_saves_evaluations_and_changes_nothing() -> None:
    policy = under({24: 1_234_567, 48: 2_000_000})
    plain = search_offers(ASK, policy)
    for amount in (1, 1_234_567, 1_220_000, 1_240_000, 9_999_999):
        guessed = search_offers(replace(ASK, guess=always(amount)), policy)
        assert guessed.offers == plain.offers

    near = search_offers(replace(ASK, guess=always(1_234_567)), policy)
    assert (near.evaluations, plain.evaluations) == (4, 10)


def test_looking_down_finds_a_window_above_the_least_amount() -> None:
    def window(amount: int, term: int) -> Verdict:
        return Verdict(term == 24 and 900_000 <= amount <= 1_234_567, RATE)

    found = search_offers(ASK, window)

    assert places(found) == [(1_230_000, 24)]
    assert found.evaluations <= 1 + LOOKS_MAX + 8 + 6


def test_the_bound_ends_the_search_and_what_was_found_holds() -> None:
    long = replace(
        ASK, amount=99_999_999_999_999, allowed_terms=range(25, 100), minimum=10_000_000_000
    )
    found = search_offers(long, under({24: 1_234_567_890_123}))

    assert places(found) == [(1_234_567_890_000, 24)]
    assert found.evaluations == EVALUATIONS_MAX
    assert found.exhausted


def test_random_policies() -> None:
    met = check_random_offers(1_500, seed=20261210)

    assert min(met[f"{count} offers"] for count in range(3)) > 50
    assert met["not monotone"] > 300


@dataclass(frozen=True, slots=True)
class Offered:
    """A priced loan under a cap of 30 % of an income of R$ 5,000.00."""

    loan: PricedLoan
    passes: bool

    @property
    def monthly_rate(self) -> Decimal:
        return self.loan.terms.monthly_rate


def evaluate(amount: int, term: int) -> Offered:
    loan = price_loan(replace(TERMS, amount=amount, term_months=term), IOF_TABLE)
    fits = fits_cap(500_000, 90_000, loan.largest_instalment, Decimal("0.30"))
    return Offered(loan, fits)


def limit(term: int) -> int:
    room = max_principal(margin(500_000, 90_000, Decimal("0.30")), level_of(RATE, term, 30))
    shape = replace(TERMS, term_months=term).shape
    return max_amount(room, iof_share(shape, IOF_TABLE.rates_on(TERMS.signed_on)))


@pytest.mark.parametrize("amount", range(1_050_000, 2_300_000, 77_777))
def test_real_loans_are_found_in_few_evaluations(amount: int) -> None:
    ask = replace(ASK, amount=amount, guess=limit)
    found = search_offers(ask, evaluate)

    assert found.offers
    assert found.evaluations <= 8
    for offer in found.offers:
        assert evaluate(offer.amount, offer.term_months) == offer.candidate
        assert offer.candidate.passes
        assert offer.amount <= amount
        assert offer.candidate.monthly_rate <= RATE
