"""
One pair, a policy and an input, judged.

What is compared: every derived value and every rule. Numbers are equal when they differ by at most
`TOLERANCE`, relative to the larger of 1 and the number: ZEN reports binary floats.

Valid input. ZEN, guarded by the schema, must say what we say. If it does not, the pair is *excused*
only by a kind of `excuses.py` whose predicate is true of it. Where rounding is involved, the answer
that must be met is ZEN's with half-even rounding written out; the plain one only tells whether the
pair has to be excused for it. Where a quotient is rounded, ZEN may say instead what our own policy
says when it rounds twice, if some quotient proves that this makes a difference (`rounded_twice`).

Faulty input (missing, null, of a wrong type, not allowed). ZEN, guarded, must refuse it exactly
when our policy reads what is faulty, and we must withhold at least one value or rule: both engines
refuse, and the pair agrees. But we still say what does not need the faulty input, and that is
checked one by one:

- what we withhold must have a cause: it reads a name that is missing, or it is an operation on
  known values that has no result, and it may blame faulty inputs alone;
- whatever we do say, ZEN must say as well when everything missing is *completed* with some valid
  value (each time another one): a definite answer must not depend on what is not known;
- what asks for null itself is compared with ZEN's answer to null, in the branches that we take: a
  condition that ZEN cannot answer for null is false to its switches, whatever else stands in it.

What stands in a branch that is not taken (`absent`) must be absent from ZEN's answer too.

A pair with a faulty input of which we withhold nothing at all is excused (`decided`), after the
same checks. Values that are withheld while an unguarded ZEN would go on are what fail-closed means:
they are counted (`withheld`), never compared away silently.
"""

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Context, Decimal
from typing import Any, Final

from decision_engine.policy.document import SwitchNode
from decision_engine.policy.evaluation import Evaluation
from decision_engine.policy.flow import handles_of
from decision_engine.policy.kinds import ListOf
from decision_engine.policy.values import Entry, Missing, Value, plain
from tests.integration.policy.differential.excuses import Question, excuses_of
from tests.integration.policy.differential.hosts import FUNCTIONS
from tests.integration.policy.differential.inputs import Case
from tests.integration.policy.differential.prepare import Item, Prepared, Refusal

TOLERANCE: Final = 1e-12
#: ZEN reads at most 28 decimals.
_READABLE: Final = Context(prec=24)
INPUT: Final = "in"
Said = Mapping[str, Any]


@dataclass(slots=True)
class Verdict:
    """What was found of one pair; `faults` are differences that nothing explains."""

    excuses: tuple[str, ...] = ()
    faults: list[str] = field(default_factory=list)
    compared: int = 0
    withheld: int = 0
    features: set[str] = field(default_factory=set)


def judge(prepared: Prepared, case: Case) -> Verdict:
    """Evaluate one pair with both engines and compare."""
    verdict = Verdict()
    evaluation = prepared.ours.evaluate(case.values, FUNCTIONS)
    run = prepared.ours.settle(prepared.ours.start(case.values, FUNCTIONS))
    if prepared.ours._partly_known(run) != evaluation:
        verdict.faults.append("our two variants differ")
    prepared.watch(run.facts, verdict.features)
    ours = said_by_us(evaluation)
    items, absent = prepared.live(run.facts)
    verdict.faults += (f"{key} was not reached" for key in absent if ours[key] is not None)
    held = tuple(i for i in items if ours[i.key] is None and i.key not in absent)
    verdict.withheld = len(held)
    question = Question(prepared, case, evaluation, run.facts, ours, items, absent, held)
    causeless = [item.key for item in held if not question.has_cause(item)]
    verdict.faults += (f"{key} is withheld without a cause" for key in causeless)
    complete = not any(type(fact) is Missing for fact in run.facts[: len(prepared.ours.reads)])
    if complete and not held:
        _settled(question, verdict)
    else:
        _partly(question, verdict)
    return verdict


def said_by_us(evaluation: Evaluation) -> dict[str, Any]:
    """Return a value for each item, True or False for a rule, None for what is withheld."""
    said: dict[str, Any] = dict(evaluation.values)
    for result in evaluation.results:
        known = result.result in ("hit", "no_hit") and not result.missing
        said[result.rule_id] = result.result == "hit" if known else None
    return said


def said_by_zen(prepared: Prepared, result: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same of a result of ZEN; None for what it does not have."""
    return {item.key: _found(item, result) for item in prepared.items}


def _found(item: Item, result: Mapping[str, Any]) -> Any:
    value: Any = result
    for part in item.path:
        value = value.get(part) if isinstance(value, dict) else None
    if not item.code:
        return value
    return any(row.get("code") == item.code for row in value) if isinstance(value, list) else None


def differing(items: Iterable[Item], ours: Said, theirs: Said) -> list[Item]:
    """Return the items of which the engines say different things."""
    return [item for item in items if not same(ours[item.key], theirs[item.key])]


def same(ours: Any, theirs: Any) -> bool:
    """Tell whether two values are equal, numbers within the tolerance."""
    match ours:
        case Decimal():
            number = isinstance(theirs, int | float) and not isinstance(theirs, bool)
            return number and abs(float(ours) - theirs) <= TOLERANCE * max(1.0, abs(theirs))
        case Entry():
            return isinstance(theirs, dict) and _same_fields(dict(ours.fields), theirs)
        case tuple():
            listed = isinstance(theirs, list) and len(ours) == len(theirs)
            return listed and all(map(same, ours, theirs))
        case _:
            return type(ours) is type(theirs) and bool(ours == theirs)


def _same_fields(ours: Said, theirs: Said) -> bool:
    return ours.keys() == theirs.keys() and all(same(ours[key], theirs[key]) for key in ours)


def _settled(question: Question, verdict: Verdict) -> None:
    """Everything is known to us: ZEN must say the same."""
    prepared, context = question.prepared, question.case.context
    plain_result = prepared.guarded.ask(context)
    unread = isinstance(plain_result, Refusal) and bool(question.case.faulty)
    if unread:
        verdict.excuses += ("unread",)
        plain_result = prepared.open.ask(context)
    result = plain_result
    if prepared.rounds and not unread:
        result = prepared.even.ask(context)
        if result != plain_result:
            verdict.excuses += ("half_even",)
    if unread:
        _must_be_same(question, question.items, result, verdict)
    else:
        _compare(question, question.items, {}, context, result, verdict)


def _compare(  # noqa: PLR0917 - what was asked, how, and the answer
    question: Question,
    items: tuple[Item, ...],
    known: Mapping[str, str],
    context: Mapping[str, Any],
    result: Any,
    verdict: Verdict,
) -> None:
    """ZEN must say the same: by itself, by rounding twice, or where nothing needless stops it."""
    if _agree(question, items, result):
        _must_be_same(question, items, result, verdict)
    elif _agrees_rounding_twice(question, items, result):
        verdict.compared += len(items)
        if "rounded_twice" not in verdict.excuses:
            verdict.excuses += ("rounded_twice",)
    else:
        _without_odd(question, items, known, context, verdict)


def _agree(question: Question, items: Iterable[Item], result: Any) -> bool:
    if isinstance(result, Refusal):
        return False
    return not differing(items, question.ours, said_by_zen(question.prepared, result))


def _agrees_rounding_twice(question: Question, items: Iterable[Item], result: Any) -> bool:
    if isinstance(result, Refusal) or not question.rounds_twice():
        return False
    twice = said_by_us(question.prepared.twice.evaluate(question.case.values, FUNCTIONS))
    return not differing(items, twice, said_by_zen(question.prepared, result))


def _without_odd(
    question: Question,
    items: Iterable[Item],
    known: Mapping[str, str],
    context: Mapping[str, Any],
    verdict: Verdict,
) -> None:
    """Ask again with our values where an operation that nothing needs has no result."""
    items = list(items)
    odd = question.odd(items)
    if odd and "needless" not in verdict.excuses:
        verdict.excuses += ("needless",)
    said = {item.key: _text(question.ours[item.key]) for item in odd if not item.code}
    result = question.prepared.completed({**known, **said}).ask(context)
    _must_be_same(question, [item for item in items if item not in odd], result, verdict)


def _must_be_same(question: Question, items: Iterable[Item], result: Any, verdict: Verdict) -> None:
    items = list(items)
    verdict.compared += len(items)
    if isinstance(result, Refusal):
        verdict.faults.append(f"ZEN refuses in {result}")
        return
    theirs = said_by_zen(question.prepared, result)
    for item in differing(items, question.ours, theirs):
        verdict.faults.append(
            f"{item.key}: we say {question.ours[item.key]}, ZEN says {theirs[item.key]}"
        )


def _partly(question: Question, verdict: Verdict) -> None:
    """Something is missing: ZEN must refuse as well, and agree on what we do say."""
    prepared, case = question.prepared, question.case
    result = prepared.guarded.ask(case.context)
    refused = isinstance(result, Refusal) and result.node == INPUT
    read = case.faulty & {item.name for item in prepared.ours.reads}
    if bool(case.faulty) != refused:
        verdict.faults.append("ZEN's schema disagrees on whether the input is faulty")
    if read and not question.held:
        verdict.excuses += ("decided",)
    elif case.faulty and not read:
        verdict.excuses += ("unread",)
    elif not case.faulty:
        verdict.excuses += _without_answer(question, result, verdict)
    _completed(question, verdict)
    _asked_for_null(question, verdict)


def _without_answer(question: Question, result: Any, verdict: Verdict) -> tuple[str, ...]:
    """A valid input, and we withhold: no excuse is needed where ZEN has no answer either."""
    if not isinstance(result, Refusal):
        theirs = said_by_zen(question.prepared, result)
        if not differing(question.items, question.ours, theirs):
            return ()
    kinds = excuses_of(question)
    if not kinds:
        verdict.faults.append("withheld on a valid input, and no kind of excuse is true")
    return kinds


def _completed(question: Question, verdict: Verdict) -> None:
    """Complete what is missing; definite answers must be ZEN's, whatever stands in the gaps."""
    prepared = question.prepared
    rng = random.Random(f"complete {question.case.number}")
    asking = [item for item in question.items if item.null_tested & question.gone]
    known = {item.key: _literal(question, item.key, rng) for item in question.held if not item.code}
    said = {item.key: question.ours[item.key] for item in question.items}
    known |= {i.key: _text(said[i.key]) for i in asking if not i.code and said[i.key] is not None}
    sure = [i for i in question.items if said[i.key] is not None or i.key in question.absent]
    definite = tuple(item for item in sure if item not in asking)
    engine = prepared.completed(known)
    for _ in range(2):
        context = _context(question, rng, ())
        result = engine.ask(context)
        _compare(question, definite, known, context, result, verdict)


def _asked_for_null(question: Question, verdict: Verdict) -> None:
    """What tests a missing input for null, alone: all other values are given to ZEN."""
    prepared = question.prepared
    asking = [
        item
        for item in question.items
        if item.null_tested & question.gone and question.ours[item.key] is not None
    ]
    if not asking:
        return
    rng = random.Random(f"null {question.case.number}")
    free = {item.key for item in asking}
    known = {
        item.key: _literal(question, item.key, rng)
        if question.ours[item.key] is None
        else _text(question.ours[item.key])
        for item in question.items
        if not item.code and item.key not in free
    }
    tested = frozenset[str]().union(*(item.null_tested for item in asking)) & question.gone
    result = prepared.completed(known | _taken(question)).ask(_context(question, rng, tested))
    _must_be_same(question, asking, result, verdict)


def _taken(question: Question) -> dict[str, str]:
    """Return what we say of the statements of switches, as far as it is known."""
    places = question.prepared.ours.layout.places
    said = {
        name: question.facts[places[name]]
        for node in question.prepared.ours.nodes
        if isinstance(node, SwitchNode)
        for name in handles_of(node)
    }
    return {name: plain(fact) for name, fact in said.items() if isinstance(fact, bool)}


_LISTS: Final = {
    "number": "[1, 2.5]",
    "string": '["x", "q"]',
    "object of rest, late, tag": '[{rest: 3, late: true, tag: "x"}]',
}


def _literal(question: Question, name: str, rng: random.Random) -> str:
    """Return some value of a name's kind."""
    made = question.prepared.ours.fields[name]
    if isinstance(made.kind, ListOf):
        return _LISTS[str(made.kind.items)]
    if made.kind == "boolean":
        return rng.choice(("true", "false"))
    if made.kind == "string":
        return f'"{rng.choice(made.enum or ("x", "y"))}"'
    return rng.choice(("0", "1", "-3", "7.25", "100", "999"))


def _text(value: Value) -> str:
    if isinstance(value, Entry):
        return f"{{{', '.join(f'{key}: {_text(part)}' for key, part in value.fields)}}}"
    if isinstance(value, tuple):
        return f"[{', '.join(_text(item) for item in value)}]"
    if isinstance(value, Decimal):
        return plain(_READABLE.plus(value))
    return f'"{value}"' if isinstance(value, str) else plain(value)


def _context(question: Question, rng: random.Random, null: Iterable[str]) -> dict[str, Any]:
    """Return the input with its gaps filled, or null where something asks for null."""
    context = {group: dict(leaves) for group, leaves in question.case.context.items()}
    for name in question.case.faulty:
        group, leaf = name.split(".")
        value = None if name in null else _valid(question, name, rng)
        context.setdefault(group, {})[leaf] = value
    return context


def _valid(question: Question, name: str, rng: random.Random) -> Any:
    made = next(item for item in question.prepared.ours.inputs if item.name == name)
    if isinstance(made.kind, ListOf):
        entry = {"rest": 2.5, "late": True, "tag": "y"}
        listed = [7, 2.5] if made.kind.items == "number" else [entry]
        return rng.choice(([], listed, listed * 2))
    if made.kind == "boolean":
        return rng.random() < 0.5
    if made.kind == "string":
        return rng.choice(made.enum)
    low, high = int(made.minimum or 0), int(made.maximum or 0)
    near = [float(t) for t in question.prepared.thresholds.get(name, ()) if low <= t <= high]
    return rng.choice([low, high, rng.randint(low, high), *near])
