"""Running a policy on given inputs, as the platform would, without a store or a customer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from decision_engine.assess import OFFER_VALUES, Assessor
from decision_engine.case import CreditCase
from decision_engine.evidence import value_of
from decision_engine.exposure import Commitment, Exposure
from decision_engine.policy.evaluation import Evaluation, RuleResult
from decision_engine.policy.kinds import is_scalar
from decision_engine.policy.reasons import rank_reasons
from decision_engine.policy.trace import TraceEntry, trace
from decision_engine.policy.values import Function, Scalar, Value, plain
from decision_engine.policy.zen_trace import zen_trace
from decision_engine.rulebook import Rulebook
from decision_engine.snapshot import NOT_READ, Attribute, Attributes, Snapshot, judge
from domain.application import CreditApplication
from domain.decision import ReasonCode
from domain.errors import InvalidInputError, Problem
from domain.features import MISSING, Feature
from domain.instants import epoch_micros
from domain.money import Money

AMOUNT: Final = "application.amount"
TERM: Final = "application.term_months"
NOBODY: Final = "policy-eval"
#: What stands for an amount and a term that nobody asked for; no result shows them.
NOTHING_ASKED: Final[Mapping[str, Scalar]] = {AMOUNT: Decimal(1), TERM: Decimal(1)}

Inputs = Mapping[str, Value | None]


class UnusableInputError(InvalidInputError):
    """An input that no run can begin with; `names` are the inputs meant."""

    code = "input-unusable"

    def __init__(self, sentence: str, names: Sequence[str]) -> None:
        self.names = tuple(names)
        pointers = (f"/inputs/{name}" for name in names)
        problems = [Problem(pointer=p, code=self.code, detail=sentence) for p in pointers]
        super().__init__(sentence, problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What a policy said to one set of inputs."""

    outcome: str
    reasons: tuple[ReasonCode, ...]
    offers: tuple[Mapping[str, object], ...]
    evaluation: Evaluation
    assessor: Assessor
    case: CreditCase
    inputs: Inputs
    unusable: Mapping[str, str]

    @property
    def values(self) -> dict[str, str | None]:
        """Every derived value as text; None is missing."""
        made = self.evaluation.values.items()
        return {name: None if value is None else plain(value) for name, value in made}

    def document(self, language: str, *, traced: bool) -> dict[str, object]:
        """Return the result as plain data."""
        document: dict[str, object] = {
            "outcome": self.outcome,
            "reasons": self.case.reasons_shown(self.reasons, language),
            "offers": list(self.offers),
            "values": self.values,
            "rules": [_rule(result) for result in self.evaluation.results],
            "uncovered": list(self.evaluation.uncovered),
            "unusable": dict(self.unusable),
        }
        return document | ({"trace": [e.plain() for e in self.trace()]} if traced else {})

    def rules(self, result: str) -> list[str]:
        """Return the rules with a result, in the order of the policy."""
        return [each.rule_id for each in self.evaluation.results if each.result == result]

    def trace(self) -> list[TraceEntry]:
        """Return the full near-miss trace."""
        compiled = self.case.rulebook.compiled
        return trace(compiled, self.inputs, self.functions)

    def zen_trace(self, raw: bytes) -> dict[str, dict[str, Any]]:
        """Return the trace that the JDM editor displays; `raw` is the file of the policy."""
        return zen_trace(raw, self.case.rulebook.compiled, self.inputs, self.functions)

    @property
    def functions(self) -> Mapping[str, Function]:
        """What the platform gives to a policy."""
        return {"price": self.assessor.price}


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner:
    """
    Evaluates one policy; `as_of` chooses the rows of dated tables.

    A policy that prices loans gets the verdict of the platform, counter-offers included. For any
    other the outcome says what its rules ask for: `DECLINED`, `REFERRED`, `REDUCE` or `PASSED`.
    """

    rulebook: Rulebook
    as_of: datetime

    @property
    def prices_loans(self) -> bool:
        """Whether the policy makes everything that an offer needs."""
        return set(OFFER_VALUES) <= set(self.rulebook.compiled.derived)

    def run(self, given: Mapping[str, Any], stale: frozenset[str] = frozenset()) -> Run:
        """
        Return what the policy says to inputs by dotted name, nested or not; null is missing.

        Raises:
            UnusableInputError: a name that is no input, or no value of any.
            InvalidInputError: an amount or term that nobody can ask for.
        """
        named = flat(given)
        attributes = self._attributes(named, stale)
        known = {name: held.usable for name, held in attributes.items()}
        case = self._case(attributes, known)
        assessor = case.assessor(_exposure(known))
        # What the request and the ledger always tell may still be missing here: then no offer can
        # be worked out, and the rules alone say what follows.
        given_always = {AMOUNT, TERM, *(name for name in known if name.startswith(NOT_READ))}
        if self.prices_loans and all(known.get(name) is not None for name in given_always):
            return self._assessed(assessor, case, attributes)
        return self._evaluated(assessor, case, attributes, self._lists(named, stale))

    def _lists(self, given: Mapping[str, Any], stale: frozenset[str]) -> Inputs:
        """Return the lists that the policy reads; the platform itself has none to give yet."""
        reads = [field for field in self.rulebook.compiled.reads if not is_scalar(field.kind)]
        return {
            field.name: None
            if field.name in stale
            else field.reader()(_exact(given.get(field.name)))
            for field in reads
        }

    def _attributes(self, given: Mapping[str, Any], stale: frozenset[str]) -> Attributes:
        known = {field.name for field in self.rulebook.compiled.inputs}
        unknown = sorted((given.keys() | stale) - known)
        if unknown:
            raise UnusableInputError("the policy has no such input", unknown)
        now = epoch_micros(self.as_of)
        attributes = Attributes()
        for field in self.rulebook.fields:
            if not is_scalar(self.rulebook.compiled.fields[field.name].kind):
                continue
            value = _value(field.name, given.get(field.name), field.kind)
            feature = MISSING if value is None else Feature(value, now)
            held = judge(field, feature, self.as_of)
            attributes[field.name] = Attribute(value, "stale", now) if field.name in stale else held
        return attributes

    def _case(self, attributes: Attributes, known: Inputs) -> CreditCase:
        read = ((name, held) for name, held in attributes.items() if not name.startswith(NOT_READ))
        snapshot = Snapshot(
            status="present",
            person_id=NOBODY,
            profile_version=0,
            as_of=self.as_of,
            attributes=Attributes(read),
        )
        application = _application(known, self.rulebook.policy.product)
        return CreditCase(application=application, rulebook=self.rulebook, snapshot=snapshot)

    def _assessed(self, assessor: Assessor, case: CreditCase, attributes: Attributes) -> Run:
        verdict = assessor.assess()
        asked = case.application.amount.centavos, case.application.term_months
        candidate = verdict.asked or assessor.candidate(*asked)
        return Run(
            outcome=verdict.outcome.value,
            reasons=verdict.reasons,
            offers=tuple(offer.canonical() for offer in verdict.offers),
            evaluation=candidate.evaluation,
            assessor=assessor,
            case=case,
            inputs=assessor.inputs(*asked),
            unusable=_unusable(attributes),
        )

    def _evaluated(
        self, assessor: Assessor, case: CreditCase, attributes: Attributes, lists: Inputs
    ) -> Run:
        inputs = {**{name: held.usable for name, held in attributes.items()}, **lists}
        functions = {"price": assessor.price}
        evaluation = self.rulebook.compiled.evaluate(inputs, functions)
        outcome = _outcome(evaluation)
        return Run(
            outcome=outcome,
            reasons=self._reasons(evaluation, outcome, attributes),
            offers=(),
            evaluation=evaluation,
            assessor=assessor,
            case=case,
            inputs=inputs,
            unusable=_unusable(attributes) | {n: "missing" for n, v in lists.items() if v is None},
        )

    def _reasons(
        self, evaluation: Evaluation, outcome: str, attributes: Attributes
    ) -> tuple[ReasonCode, ...]:
        made = "COUNTER_OFFER" if outcome == "REDUCE" else outcome
        states = {n: held.state for n, held in attributes.items() if held.state != "ok"}
        ranked = rank_reasons(evaluation, self.rulebook.reasons, made, states)
        return tuple(ReasonCode(r.code, r.family, r.attribute) for r in ranked)


def _rule(result: RuleResult) -> dict[str, object]:
    return {
        "rule": result.rule_id,
        "code": result.code,
        "effect": result.effect,
        "result": result.result,
        "missing": list(result.missing),
    }


def flat(given: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """
    Return nested objects as one object with dotted names.

    Raises:
        UnusableInputError: a name stands there twice.
    """
    names: dict[str, Any] = {}
    for name, value in given.items():
        inner = flat(value, f"{prefix}{name}.") if isinstance(value, dict) else None
        found = {f"{prefix}{name}": value} if inner is None else inner
        if twice := sorted(names.keys() & found.keys()):
            raise UnusableInputError("an input stands there twice", twice)
        names.update(found)
    return names


def _value(name: str, given: Any, kind: str) -> Scalar | None:
    if given is None or isinstance(given, bool):
        return given
    if not isinstance(given, str | int | Decimal):
        raise UnusableInputError("an input is a text, a number, true, false or null", [name])
    if kind == "number":
        return value_of(str(given), kind)
    # A number where a text belongs stays one, so that it counts as missing.
    return given if isinstance(given, str) else Decimal(given)


def _exact(given: Any) -> Any:
    """Return parsed JSON with every number a `Decimal`."""
    if isinstance(given, list):
        return [_exact(item) for item in given]
    if isinstance(given, dict):
        return {name: _exact(item) for name, item in given.items()}
    whole = isinstance(given, int) and not isinstance(given, bool)
    return Decimal(given) if whole else given


def _application(known: Inputs, product: str) -> CreditApplication:
    asked = {**NOTHING_ASKED, **{n: value for n, value in known.items() if value is not None}}
    return CreditApplication(
        customer_id=NOBODY,
        product=str(asked.get("application.product", product)),
        channel=str(asked.get("application.channel", "api")),
        amount=Money(_centavos(asked[AMOUNT])),
        term_months=_centavos(asked[TERM]) // 100,
    )


def _exposure(known: Inputs) -> Exposure:
    outstanding = _centavos(known.get("exposure.outstanding"))
    service = _centavos(known.get("exposure.service"))
    held = (Commitment("given", outstanding, service),) if outstanding or service else ()
    return Exposure(held)


def _centavos(value: Value | None) -> int:
    return int(value.scaleb(2)) if isinstance(value, Decimal) else 0


def _outcome(evaluation: Evaluation) -> str:
    asked = {result.consequence for result in evaluation.results}
    if "decline" in asked:
        return "DECLINED"
    if "refer" in asked or evaluation.uncovered:
        return "REFERRED"
    return "REDUCE" if "reduce" in asked else "PASSED"


def _unusable(attributes: Attributes) -> dict[str, str]:
    return {name: held.state for name, held in attributes.items() if held.state != "ok"}
