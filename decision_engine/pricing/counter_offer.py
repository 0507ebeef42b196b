"""The search for an offer when what was asked for fails: deterministic, bounded, verified."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, Generic, Protocol, TypeVar

#: Offered amounts are whole hundreds of reais.
STEP: Final = 10_000
EVALUATIONS_MAX: Final = 64
#: Looks down the asked term when its least amount fails.
LOOKS_MAX: Final = 8


class Candidate(Protocol):
    """One amount and term put through the whole policy."""

    @property
    def passes(self) -> bool:
        """Whether every rule, limit and price check lets it through."""

    @property
    def monthly_rate(self) -> Decimal:
        """The rate it would bear, a fraction per month."""


CandidateT = TypeVar("CandidateT", bound=Candidate)


def no_guess(_term_months: int) -> int:
    """Return 0: where the limit lies is unknown."""
    return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """
    What was asked for and failed, and where an offer may lie.

    Attributes:
        amount: in centavos.
        term_months: number of instalments.
        monthly_rate: the rate at which it was priced; no offer bears more.
        allowed_terms: the terms of the product, in months, in any order.
        minimum: the least amount of the product, in centavos.
        step: an offer of less than was asked is a multiple of it, in centavos.
        guess: for a term, about the largest amount that passes, in centavos; 0 when unknown. It
            saves evaluations; where less always passes when more does, it changes no offer.
    """

    amount: int
    term_months: int
    monthly_rate: Decimal
    allowed_terms: Sequence[int]
    minimum: int
    step: int = STEP
    guess: Callable[[int], int] = no_guess

    @property
    def least_steps(self) -> int:
        """The least amount that can be offered, in steps."""
        return max(1, -(-self.minimum // self.step))

    @property
    def most_steps(self) -> int:
        """The most that can be offered below the ask, in steps."""
        return (self.amount - 1) // self.step

    @property
    def longer_terms(self) -> list[int]:
        """The allowed terms beyond the one asked for, the shortest first."""
        return sorted({term for term in self.allowed_terms if term > self.term_months})


@dataclass(frozen=True, slots=True)
class CounterOffer(Generic[CandidateT]):
    """An amount in centavos and a term that pass, with what their evaluation found."""

    amount: int
    term_months: int
    candidate: CandidateT


@dataclass(frozen=True, slots=True)
class Found(Generic[CandidateT]):
    """
    The end of a search.

    Attributes:
        offers: at most two; the one at the asked term comes first.
        evaluations: how many were needed, at most `EVALUATIONS_MAX`.
        exhausted: whether that bound cut the search short; the offers found pass all the same,
            but there may be better ones.
    """

    offers: tuple[CounterOffer[CandidateT], ...]
    evaluations: int
    exhausted: bool


def search_offers(ask: Ask, evaluate: Callable[[int, int], CandidateT]) -> Found[CandidateT]:
    """
    Return what can be offered instead of an ask that failed.

    1. The asked term with the largest whole step below the asked amount that passes.
    2. The asked amount with the shortest longer term that passes.
    3. Without 2, the longest term that passes with less than was asked but more than in 1.

    Every offer was itself evaluated and passes, bears no higher rate than the ask, and the next
    step above an offer of less than was asked fails. Bisection finds it, which assumes that less
    passes whenever more does. Where the least amount of the asked term fails, that assumption is
    tested by `LOOKS_MAX` looks from the top down.

    Args:
        ask: what failed; its own amount and term are not evaluated again.
        evaluate: puts an amount in centavos and a term in months through the whole policy. Terms
            that cannot be priced are a candidate that does not pass, not an error.
    """
    search = _Search(ask, evaluate)
    same_term = search.largest(ask.term_months, ask.least_steps, LOOKS_MAX)
    longer_term = search.shortest() or search.longest(same_term)
    offers = tuple(offer for offer in (same_term, longer_term) if offer is not None)
    return Found(offers, search.evaluations, search.exhausted)


@dataclass(slots=True)
class _Search(Generic[CandidateT]):
    ask: Ask
    evaluate: Callable[[int, int], CandidateT]
    evaluations: int = 0
    exhausted: bool = False
    passed: dict[tuple[int, int], CandidateT | None] = field(default_factory=dict)

    def offer(self, amount: int, term: int) -> CounterOffer[CandidateT] | None:
        """Return the offer if it passes; past the bound nothing does."""
        if (amount, term) not in self.passed:
            if self.evaluations == EVALUATIONS_MAX:
                self.exhausted = True
                return None
            self.evaluations += 1
            found = self.evaluate(amount, term)
            good = found.passes and found.monthly_rate <= self.ask.monthly_rate
            self.passed[amount, term] = found if good else None
        candidate = self.passed[amount, term]
        return None if candidate is None else CounterOffer(amount, term, candidate)

    def shortest(self) -> CounterOffer[CandidateT] | None:
        """Return the asked amount at the shortest longer term that carries it."""
        if self.ask.amount < self.ask.minimum:
            return None
        offers = (self.offer(self.ask.amount, term) for term in self.ask.longer_terms)
        return next((offer for offer in offers if offer is not None), None)

    def longest(
        self, same_term: CounterOffer[CandidateT] | None
    ) -> CounterOffer[CandidateT] | None:
        """Return the longest longer term that carries more than the offer at the asked term."""
        least = self.ask.least_steps
        if same_term is not None:
            least = same_term.amount // self.ask.step + 1
        offers = (self.largest(term, least, 0) for term in reversed(self.ask.longer_terms))
        return next((offer for offer in offers if offer is not None), None)

    def largest(self, term: int, least: int, looks: int) -> CounterOffer[CandidateT] | None:
        """Return the largest amount below the ask, of `least` steps or more."""
        most = self.ask.most_steps
        if least > most:
            return None
        whole = (least - 1, most + 1)
        low, high = self._narrowed(term, whole, (*self._guesses(term, least), least))
        if low < least and looks:
            stride = max(1, -(-(most - least) // looks))
            low, high = self._narrowed(term, whole, range(most, least, -stride))
        while least <= low < high - 1:
            low, high = self._narrowed(term, (low, high), [(low + high) // 2])
        return self._offer(low, term) if low >= least else None

    def _guesses(self, term: int, least: int) -> Sequence[int]:
        """Return the two steps between which the guess puts the limit, if there is a guess."""
        steps = self.ask.guess(term) // self.ask.step
        guess = min(max(steps, least), self.ask.most_steps)
        return (guess, guess + 1) if steps else ()

    def _narrowed(
        self, term: int, bracket: tuple[int, int], probes: Iterable[int]
    ) -> tuple[int, int]:
        """Return the bracket (passes, fails) after trying those probes that lie within."""
        low, high = bracket
        for steps in probes:
            if low < steps < high:
                if self._offer(steps, term) is None:
                    high = steps
                else:
                    low = steps
        return low, high

    def _offer(self, steps: int, term: int) -> CounterOffer[CandidateT] | None:
        return self.offer(steps * self.ask.step, term)
