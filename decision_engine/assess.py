"""
Evaluate and price one application on one view of the facts: pure, and the same on every machine.

Outcome: a decline rule comes first, then whatever refers (a rule that cannot be evaluated
included), then a search for smaller or longer offers, then approval, and that only when the whole
policy was covered and the loan was priced.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Final

from decision_engine.exposure import Exposure
from decision_engine.policy.evaluation import Evaluation, RuleResult
from decision_engine.policy.quick import InputStruct
from decision_engine.policy.reasons import rank_reasons
from decision_engine.policy.values import Value
from decision_engine.pricing.affordability import margin
from decision_engine.pricing.counter_offer import Ask, search_offers
from decision_engine.pricing.loan import LoanTerms, PricedLoan, price_loan
from decision_engine.pricing.risk_rate import monthly_rate_for
from decision_engine.pricing.schedule import default_first_due_on
from decision_engine.record.entry import HumanVerdict
from decision_engine.rulebook import Rulebook
from decision_engine.snapshot import Snapshot
from domain.application import Amortization, CreditApplication
from domain.decision import Outcome, ReasonCode
from domain.errors import InvalidInputError
from domain.instants import business_day
from domain.money import reais
from domain.offer import OfferTerms

#: What the policy must have made before anything can be offered.
OFFER_VALUES: Final = (
    "price.monthly_rate",
    "price.principal",
    "price.instalment",
    "band.name",
    "offer.minimum_amount",
    "offer.maximum_amount",
    "offer.maximum_term",
    "offer.term_step",
)
NO_PROFILE: Final = ReasonCode("R90", "data")
LOSS_WINDOW: Final = ReasonCode("R92", "data")
DATA_INCOMPLETE: Final = ReasonCode("R93", "data")
NOT_COVERED: Final = ReasonCode("R96", "data")
NAMELESS: Final = ReasonCode("R94", "data")
UNREADABLE: Final[Mapping[str, ReasonCode]] = {
    "absent": NO_PROFILE,
    "incomplete": DATA_INCOMPLETE,
    "loss_window": LOSS_WINDOW,
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """One amount and term put through the whole policy."""

    evaluation: Evaluation
    loan: PricedLoan | None
    effects: frozenset[str]

    @property
    def complete(self) -> bool:
        """Whether the policy covered the case and made everything an offer needs."""
        values = self.evaluation.values
        made = all(values.get(name) is not None for name in OFFER_VALUES)
        return made and not self.evaluation.uncovered and self.loan is not None

    @property
    def passes(self) -> bool:
        """Whether no rule objects and everything was there."""
        return not self.effects and self.complete

    @property
    def monthly_rate(self) -> Decimal:
        """The rate of the priced loan; one that nothing undercuts when there is no price."""
        return self.loan.terms.monthly_rate if self.loan else Decimal("Infinity")


@dataclass(frozen=True, slots=True)
class Assessment:
    """The verdict and everything it was made of, from which trace and explanation follow."""

    outcome: Outcome
    reasons: tuple[ReasonCode, ...]
    offers: tuple[OfferTerms, ...]
    asked: Candidate | None
    searched: int

    @property
    def score(self) -> int | None:
        """The score shown, or None when it could not be computed."""
        value = self.asked.evaluation.values.get("score.value") if self.asked else None
        return int(value) if isinstance(value, Decimal) else None

    @property
    def band(self) -> str:
        """The risk band, empty when there is none."""
        value = self.asked.evaluation.values.get("band.name") if self.asked else None
        return value if isinstance(value, str) else ""


@dataclass(slots=True)
class Assessor:
    """Puts amounts and terms of one application through policy and price."""

    application: CreditApplication
    rulebook: Rulebook
    snapshot: Snapshot
    exposure: Exposure
    human: HumanVerdict | None
    loans: dict[tuple[int, int], PricedLoan] = field(default_factory=dict)
    #: The São Paulo day of the decision, which chooses the rows of dated tables.
    signed_on: date = field(init=False)
    #: The inputs that are the same at every amount and term.
    _known: dict[str, Value | None] | None = field(default=None, init=False)
    #: The inputs of the first candidate as the policy has read them.
    _struct: InputStruct | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.signed_on = business_day(self.snapshot.as_of)

    def assess(self) -> Assessment:
        """Return the verdict on what was asked for."""
        unreadable = UNREADABLE.get(self.snapshot.status)
        if unreadable is not None:
            return Assessment(Outcome.REFERRED, (unreadable,), (), None, 0)
        asked = self.candidate(self.application.amount.centavos, self.application.term_months)
        return self._refusal(asked) or self._offer(asked)

    def _refusal(self, asked: Candidate) -> Assessment | None:
        if self.human is not None and self.human.outcome == Outcome.DECLINED:
            reasons = tuple(ReasonCode(code, "review") for code in self.human.reasons)
            return Assessment(Outcome.DECLINED, reasons, (), asked, 0)
        if "decline" in asked.effects:
            return self._verdict(Outcome.DECLINED, asked)
        if "refer" in asked.effects:
            return self._verdict(Outcome.REFERRED, asked)
        return None

    def _offer(self, asked: Candidate) -> Assessment:
        loan = asked.loan
        if loan is None or not asked.complete:
            return Assessment(Outcome.REFERRED, (NOT_COVERED,), (), asked, 0)
        if "reduce" in asked.effects:
            return self._counter(asked, loan)
        return self._verdict(Outcome.APPROVED, asked, (terms_of(loan),))

    def candidate(self, amount: int, term_months: int) -> Candidate:
        """Return what the whole policy says to an amount in centavos and a term in months."""
        evaluation = self.rulebook.compiled.evaluate(
            self._given(amount, term_months), {"price": self.price}
        )
        effects = frozenset(filter(None, map(self._effect, evaluation.asks)))
        return Candidate(evaluation, self.loans.get((amount, term_months)), effects)

    def _given(self, amount: int, term_months: int) -> Mapping[str, Value | None]:
        """Return the inputs for the policy; in a search it reads again only what is moved."""
        compiled = self.rulebook.compiled
        if self._struct is None:
            inputs = self.inputs(amount, term_months)
            self._struct = compiled.struct(inputs)
            return inputs if self._struct is None else self._struct
        varied = compiled.varied(self._struct, _asked(amount, term_months))
        return self.inputs(amount, term_months) if varied is None else varied

    def inputs(self, amount: int, term_months: int) -> dict[str, Value | None]:
        """Return every input of the policy at one amount and term."""
        known = self._known
        if known is None:
            known = self._known = self._known_inputs()
        return _asked(amount, term_months) | known

    def _known_inputs(self) -> dict[str, Value | None]:
        return {
            "application.product": self.application.product,
            "application.channel": self.application.channel,
            "exposure.outstanding": reais(self.exposure.outstanding),
            "exposure.service": reais(self.exposure.service),
            **self.snapshot.attributes.usable,
        }

    def price(self, arguments: Mapping[str, Value]) -> Mapping[str, Value | None]:
        """Price a loan for the policy; a loan that cannot be priced has no outputs at all."""
        try:
            loan = self._priced(arguments)
        except InvalidInputError:
            return {}
        self.loans[loan.terms.amount, loan.terms.term_months] = loan
        return {
            "monthly_rate": loan.terms.monthly_rate,
            "principal": reais(loan.principal),
            "iof": reais(loan.iof),
            "instalment": reais(loan.largest_instalment),
            "total": reais(loan.total),
        }

    def _priced(self, arguments: Mapping[str, Value]) -> PricedLoan:
        amount, term, pd, least, most = (
            _number(arguments[name])
            for name in ("amount", "term_months", "pd", "minimum_rate", "maximum_rate")
        )
        signed_on = self.signed_on
        rates = self.rulebook.funding.rates_on(signed_on)
        terms = LoanTerms(
            amount=int(amount.scaleb(2)),
            term_months=int(term),
            monthly_rate=monthly_rate_for(pd, rates, least, most),
            signed_on=signed_on,
            first_due_on=self.application.first_due_on or default_first_due_on(signed_on),
            amortization=self.application.amortization.value,
            iof=self.application.iof.value,
        )
        return price_loan(terms, self.rulebook.iof)

    def _effect(self, result: RuleResult) -> str:
        # A reviewer may waive a referral that was hit; what cannot be evaluated needs the data.
        if self.human is not None and result.result == "hit" and result.effect == "refer":
            return ""
        return result.consequence or ""

    def _verdict(
        self,
        outcome: Outcome,
        asked: Candidate,
        offers: tuple[OfferTerms, ...] = (),
        tried: int = 0,
    ) -> Assessment:
        reasons = () if outcome is Outcome.APPROVED else self._reasons(asked, outcome)
        return Assessment(outcome, reasons, offers, asked, tried)

    def _reasons(self, asked: Candidate, outcome: Outcome) -> tuple[ReasonCode, ...]:
        ranked = rank_reasons(
            asked.evaluation, self.rulebook.reasons, outcome.value, self.snapshot.states()
        )
        reasons = (ReasonCode(r.code, r.family, r.attribute) for r in ranked)
        # Missing data that nobody can name is a hole in the policy, not in the customer's data.
        named = (NOT_COVERED if reason == NAMELESS else reason for reason in reasons)
        return tuple(dict.fromkeys(named)) or (NOT_COVERED,)

    def _counter(self, asked: Candidate, loan: PricedLoan) -> Assessment:
        found = search_offers(self._ask(asked, loan), self.candidate)
        loans = (offer.candidate.loan for offer in found.offers)
        offers = tuple(terms_of(offered) for offered in loans if offered is not None)
        outcome = Outcome.COUNTER_OFFER if offers else Outcome.DECLINED
        return self._verdict(outcome, asked, offers, found.evaluations)

    def _ask(self, asked: Candidate, loan: PricedLoan) -> Ask:
        values = asked.evaluation.values
        most = _centavos(values["offer.maximum_amount"])
        step = int(_number(values["offer.term_step"]))
        longest = int(_number(values["offer.maximum_term"]))
        term = self.application.term_months
        return Ask(
            # An ask above the product's most is answered at the most, which is then a candidate.
            amount=min(self.application.amount.centavos, most + 1),
            term_months=term,
            monthly_rate=loan.terms.monthly_rate,
            allowed_terms=range(step * (term // step + 1), longest + 1, step),
            minimum=_centavos(values["offer.minimum_amount"]),
            guess=self._guess(asked, loan),
        )

    def _guess(self, asked: Candidate, loan: PricedLoan) -> "_Guess":
        values = asked.evaluation.values
        cap = values.get("band.dti_cap")
        owed = self._attribute("debt.service") + self.exposure.service
        income = self._attribute("income.monthly")
        return _Guess(
            loan=loan,
            room=margin(income, owed, cap if isinstance(cap, Decimal) else Decimal(0)),
            left=_centavos(values.get("limit.amount")) - self.exposure.outstanding,
        )

    def _attribute(self, name: str) -> int:
        held = self.snapshot.attributes.get(name)
        return _centavos(held.usable) if held else 0


@dataclass(frozen=True, slots=True)
class _Guess:
    """About the largest amount that fits, scaled from the loan that did not: it saves searching."""

    loan: PricedLoan
    room: int
    left: int

    def __call__(self, term_months: int) -> int:
        terms = self.loan.terms
        by_limit = terms.amount * self.left // self.loan.principal
        by_room = terms.amount * self.room // self.loan.largest_instalment
        return max(0, min(by_limit, by_room * term_months // terms.term_months))


def terms_of(loan: PricedLoan) -> OfferTerms:
    """Return a priced loan as the terms of an offer."""
    return OfferTerms(
        amount=loan.terms.amount,
        term_months=loan.terms.term_months,
        amortization=Amortization(loan.terms.amortization),
        monthly_rate=loan.terms.monthly_rate,
        principal=loan.principal,
        iof=loan.iof,
        instalment=loan.first_instalment,
        last_instalment=loan.last_instalment,
        total=loan.total,
        cet_annual=loan.cet_annual,
        cet_monthly=loan.cet_monthly,
        first_due_on=loan.terms.first_due_on,
    )


def _asked(amount: int, term_months: int) -> dict[str, Any]:
    return {"application.amount": reais(amount), "application.term_months": Decimal(term_months)}


def _number(value: object) -> Decimal:
    if not isinstance(value, Decimal):
        raise InvalidInputError("the price needs numbers")
    return value


def _centavos(value: object) -> int:
    return int(value.scaleb(2)) if isinstance(value, Decimal) else 0
