"""
What an assessment went through, as named entries: a hash of all, and a short mark of each.

An entry is an input, a rate row, a rule's result, a derived value, an offer, or the text of a node
(its conditions and thresholds). Conditions with values and distances follow from these and the
policy, and are computed when somebody asks (`explain`). The hash proves that a recomputation is the
same; the marks, three bytes an entry, tell which entry is not.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from decision_engine.assess import Assessment, Assessor
from decision_engine.policy.evaluation import Evaluation, RuleResult
from decision_engine.policy.scorecard import Loss
from decision_engine.policy.values import plain
from decision_engine.policy_texts import MARK_HEX
from decision_engine.pricing.tables import FundingRates, IofRates
from decision_engine.rulebook import Rulebook
from decision_engine.snapshot import Attributes
from domain.canonical import encode
from domain.errors import InvalidInputError

Entry = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Trail:
    """Names of the entries in order, the digest of all, and the marks side by side."""

    names: tuple[str, ...]
    digest: str
    marks: str

    def differing(self, marks: str) -> tuple[str, ...]:
        """Return the names of the entries whose mark is not the one given."""
        others = _split(marks)
        different = [
            name
            for index, (name, mark) in enumerate(zip(self.names, _split(self.marks), strict=True))
            if index >= len(others) or others[index] != mark
        ]
        if len(others) > len(self.names):
            different.append("trace.length")
        return tuple(different)


def trail_of(assessor: Assessor, assessment: Assessment) -> Trail:
    """Return the trail of an assessment; equal assessments leave equal trails."""
    static = assessor.rulebook.texts
    names, whole, marks = [], hashlib.sha256(static.digest), []
    for name, text in entries_of(assessor, assessment):
        mark = hashlib.sha256(f"{name}\n{text}".encode()).digest()
        names.append(name)
        whole.update(mark)
        marks.append(mark.hex()[:MARK_HEX])
    return Trail(
        (*names, *static.names), "sha256:" + whole.hexdigest(), "".join(marks) + static.marks
    )


def entries_of(assessor: Assessor, assessment: Assessment) -> Iterator[Entry]:
    """Yield every entry that depends on the case, each with its one text."""
    yield from asked_entries(assessor)
    yield from input_entries(assessor.snapshot.attributes)
    yield from table_entries(assessor.rulebook, assessor.signed_on)
    if assessment.asked is not None:
        evaluation = assessment.asked.evaluation
        yield from rule_entries(evaluation.results)
        yield from value_entries(evaluation)
        yield from map(loss_entry, evaluation.losses)
        yield uncovered_entry(evaluation)
    yield from outcome_entries(assessment)


def asked_entries(assessor: Assessor) -> Iterator[Entry]:
    """Yield what was asked for, when, and what was held."""
    human = [assessor.human.outcome, *assessor.human.reasons] if assessor.human else None
    yield "application", _canonical(assessor.application.canonical())
    status = assessor.snapshot.status
    yield "as_of", _canonical([status, assessor.signed_on.isoformat(), human])
    yield "exposure", _canonical(_held(assessor))


def input_entries(attributes: Attributes) -> Iterator[Entry]:
    """Yield the attributes that were read."""
    texts = attributes.texts
    for name, held in sorted(attributes.items()):
        text = texts[name]
        # The length keeps a text of any content apart from what follows it.
        shown = "-" if text is None else f"{len(text)}:{text}"
        yield f"inputs.{name}", f"{held.state} {shown} {held.observed_us}"


def _held(assessor: Assessor) -> list[list[int]]:
    """Return what is held without its ids: those of one batch are given only after the fold."""
    return [[held.principal, held.instalment] for held in assessor.exposure.commitments]


def _canonical(value: object) -> str:
    return encode(value).decode()


def rule_entries(results: Iterable[RuleResult]) -> Iterator[Entry]:
    """Yield the result of each rule."""
    for result in results:
        yield f"rules.{result.rule_id}", f"{result.result} {','.join(result.missing)}"


def value_entries(evaluation: Evaluation) -> Iterator[Entry]:
    """Yield the derived values."""
    for name, value in evaluation.values.items():
        yield f"values.{name}", _absent(evaluation, name) if value is None else plain(value)


def loss_entry(loss: Loss) -> Entry:
    """Return what an attribute of a scorecard got and lost."""
    return f"points.{loss.attribute}", f"{loss.points} {loss.lost}"


def uncovered_entry(evaluation: Evaluation) -> Entry:
    """Return the nodes that gave no answer."""
    return "uncovered", ",".join(evaluation.uncovered)


def _absent(evaluation: Evaluation, name: str) -> str:
    names = evaluation.missing.get(name)
    return "not made" if names is None else f"missing {','.join(names)}"


def table_entries(rulebook: Rulebook, signed_on: date) -> Iterator[Entry]:
    """Yield the rows of the dated tables that are of the day."""
    try:
        iof = rulebook.iof.rates_on(signed_on)
        funding = rulebook.funding.rates_on(signed_on)
    except InvalidInputError:
        yield "tables", "no row"
        return
    yield "tables.iof", _iof_row(iof)
    yield "tables.funding", _funding_row(funding)


def outcome_entries(assessment: Assessment) -> Iterator[Entry]:
    """Yield what came out."""
    yield "outcome", f"{assessment.outcome.value} {assessment.searched}"
    for index, offer in enumerate(assessment.offers):
        yield f"offers.{index}", _canonical(offer.canonical())


def _iof_row(row: IofRates) -> str:
    return f"{row.row_index} {row.daily} {row.flat}"


def _funding_row(row: FundingRates) -> str:
    return f"{row.row_index} {row.funding} {row.opex} {row.margin} {row.lgd}"


def _split(marks: str) -> list[str]:
    return [marks[start : start + MARK_HEX] for start in range(0, len(marks), MARK_HEX)]
