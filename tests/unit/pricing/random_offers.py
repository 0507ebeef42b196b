"""
Random counter-offer searches against a search that tries everything.

`check_random_offers(count, seed)` can be a row of `make prove`; the tests run fewer.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from random import Random

from decision_engine.pricing.counter_offer import (
    EVALUATIONS_MAX,
    Ask,
    CounterOffer,
    Found,
    search_offers,
)

STEP = 10_000


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a made-up policy says of an amount and a term."""

    passes: bool
    monthly_rate: Decimal


Policy = Callable[[int, int], Verdict]


def check_random_offers(count: int, seed: int) -> Mapping[str, int]:
    """
    Search under made-up policies and try to refute each offer; return what was met.

    Raises:
        AssertionError: naming the ask and the offers.
    """
    chance = Random(seed)
    met: Counter[str] = Counter()
    for _ in range(count):
        ask, policy, monotone = random_case(chance)
        found = search_offers(ask, policy)
        check_offers(ask, policy, found)
        if monotone and not found.exhausted:
            assert list(places(found)) == expected(ask, policy), (ask, found)
        met[f"{len(found.offers)} offers"] += 1
        met["not monotone"] += not monotone
        met["exhausted"] += found.exhausted
        met["most evaluations"] = max(met["most evaluations"], found.evaluations)
    return dict(met)


def random_case(chance: Random) -> tuple[Ask, Policy, bool]:
    """Draw an ask and a policy with a limit for each term, with a hole in one of three."""
    terms = sorted(chance.sample((6, 12, 18, 24, 30, 36, 48, 60, 72), chance.randrange(1, 9)))
    term = chance.choice(terms)
    amount = chance.randrange(20_000, 3_000_000)
    limits = {each: chance.randrange(0, 3_000_000) for each in terms}
    limits[term] = chance.randrange(amount)
    rates = {each: Decimal(chance.choice((20, 20, 20, 25))).scaleb(-3) for each in terms}
    monotone = chance.random() < 0.67
    hole = range(0) if monotone else range(chance.randrange(1, 1_000_000))

    def policy(amount: int, term: int) -> Verdict:
        return Verdict(amount <= limits[term] and amount not in hole, rates[term])

    near = chance.choice((0, 1, 10_000, 500_000))
    ask = Ask(
        amount=amount,
        term_months=term,
        monthly_rate=rates[term],
        allowed_terms=chance.sample(terms, len(terms)),
        minimum=chance.choice((0, 10_000, 55_555, 100_000)),
        guess=lambda term: max(0, limits[term] + near - 5_000) if near else 0,
    )
    return ask, policy, monotone


def places(found: Found[Verdict]) -> list[tuple[int, int]]:
    """Return amount and term of each offer."""
    return [(offer.amount, offer.term_months) for offer in found.offers]


def check_offers(ask: Ask, policy: Policy, found: Found[Verdict]) -> None:
    """The laws of every offer, whatever the policy."""
    assert len(found.offers) <= 2, (ask, found)
    assert found.evaluations <= EVALUATIONS_MAX, (ask, found)
    for offer in found.offers:
        verdict = policy(offer.amount, offer.term_months)
        assert verdict == offer.candidate, (ask, found)
        assert verdict.passes, (ask, found)
        assert verdict.monthly_rate <= ask.monthly_rate, (ask, found)
        assert ask.minimum <= offer.amount <= ask.amount, (ask, found)
        assert offer.term_months in {ask.term_months, *ask.longer_terms}, (ask, found)
        assert (offer.amount, offer.term_months) != (ask.amount, ask.term_months), (ask, found)
        if offer.amount != ask.amount:
            check_neighbour(ask, policy, offer)


def check_neighbour(ask: Ask, policy: Policy, offer: CounterOffer[Verdict]) -> None:
    """A smaller offer is a whole number of steps, and one step more fails or reaches the ask."""
    above = offer.amount + STEP
    assert offer.amount % STEP == 0, (ask, offer)
    assert above >= ask.amount or not good(ask, policy(above, offer.term_months)), (ask, offer)


def good(ask: Ask, verdict: Verdict) -> bool:
    """Tell whether an offer may be made."""
    return verdict.passes and verdict.monthly_rate <= ask.monthly_rate


def expected(ask: Ask, policy: Policy) -> list[tuple[int, int]]:
    """Return what trying every step finds."""
    steps = [step for step in range(STEP, ask.amount, STEP) if step >= ask.minimum]

    def best(term: int, above: int) -> list[tuple[int, int]]:
        fitting = [step for step in steps if step > above and good(ask, policy(step, term))]
        return [(max(fitting), term)] if fitting else []

    same = best(ask.term_months, 0)
    longer = [term for term in ask.longer_terms if good(ask, policy(ask.amount, term))]
    if longer and ask.amount >= ask.minimum:
        return [*same, (ask.amount, longer[0])]
    above = same[0][0] if same else 0
    both = [place for term in reversed(ask.longer_terms) for place in best(term, above)]
    return [*same, *both[:1]]
