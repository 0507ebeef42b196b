"""
The full trace of an assessment as named entries, its hash, and a short mark of each entry.

The trace itself is not stored: it is recomputed from evidence when asked for. Its hash proves that
the recomputation is the same; the marks, three bytes an entry, tell which entry is not.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from decision_engine.assess import Assessment, Assessor
from decision_engine.policy.trace import trace
from decision_engine.pricing.tables import FundingRates, IofRates
from decision_engine.snapshot import attribute_text
from domain.canonical import encode
from domain.errors import InvalidInputError

MARK_HEX: Final = 6

Entry = tuple[str, object]


@dataclass(frozen=True, slots=True)
class Trail:
    """Names of the entries in order, the digest of all, and the marks side by side."""

    names: tuple[str, ...]
    digest: str
    marks: str

    def differing(self, marks: str) -> tuple[str, ...]:
        """Return the names of the entries whose mark is not the one given."""
        pairs = zip(self.names, _split(self.marks), strict=True)
        others = _split(marks)
        different = [
            name
            for index, (name, mark) in enumerate(pairs)
            if index >= len(others) or others[index] != mark
        ]
        if len(others) > len(self.names):
            different.append("trace.length")
        return tuple(different)


def trail_of(assessor: Assessor, assessment: Assessment) -> Trail:
    """Return the trail of an assessment; equal assessments leave equal trails."""
    names, whole, marks = [], hashlib.sha256(), []
    for name, value in entries_of(assessor, assessment):
        mark = hashlib.sha256(encode([name, value])).digest()
        names.append(name)
        whole.update(mark)
        marks.append(mark.hex()[:MARK_HEX])
    return Trail(tuple(names), "sha256:" + whole.hexdigest(), "".join(marks))


def entries_of(assessor: Assessor, assessment: Assessment) -> Iterator[Entry]:
    """Yield every input, rate row, rule, derived value and offer, each under its own name."""
    snapshot = assessor.snapshot
    human = [assessor.human.outcome, *assessor.human.reasons] if assessor.human else None
    yield "application", assessor.application.canonical()
    yield "as_of", [snapshot.status, assessor.signed_on.isoformat(), human]
    # What is held decides, not its ids: those of the same batch are given after the fold.
    yield "exposure", [[held.principal, held.instalment] for held in assessor.exposure.commitments]
    for name, held in sorted(snapshot.attributes.items()):
        entry = [held.state, attribute_text(held.value), held.observed_us]
        yield f"inputs.{name}", entry
    yield from _tables(assessor)
    if assessment.asked is not None:
        yield from _rules(assessor)
    yield "outcome", [assessment.outcome.value, assessment.searched]
    for index, offer in enumerate(assessment.offers):
        yield f"offers.{index}", offer.canonical()


def _tables(assessor: Assessor) -> Iterator[Entry]:
    try:
        iof = assessor.rulebook.iof.rates_on(assessor.signed_on)
        funding = assessor.rulebook.funding.rates_on(assessor.signed_on)
    except InvalidInputError:
        yield "tables", None
        return
    yield "tables.iof", _iof_row(iof)
    yield "tables.funding", _funding_row(funding)


def _iof_row(row: IofRates) -> list[object]:
    return [row.row_index, str(row.daily), str(row.flat)]


def _funding_row(row: FundingRates) -> list[object]:
    return [row.row_index, str(row.funding), str(row.opex), str(row.margin), str(row.lgd)]


def _rules(assessor: Assessor) -> Iterator[Entry]:
    application = assessor.application
    inputs = assessor.inputs(application.amount.centavos, application.term_months)
    for entry in trace(assessor.rulebook.compiled, inputs, {"price": assessor.price}):
        yield f"{entry.kind}s.{entry.node if entry.kind == 'row' else entry.id}", entry.plain()


def _split(marks: str) -> list[str]:
    return [marks[start : start + MARK_HEX] for start in range(0, len(marks), MARK_HEX)]
