"""
What proves a trace, made only of what is recorded: its digest and its marks, without its names.

Equal to what `trace_marks.trail_of` says, and the hot path's way to it: a proposal that is folded
again is never asked for its own, and marks that many decisions share are computed once.
"""

import hashlib
from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from operator import attrgetter
from typing import Final

from decision_engine.assess import Assessment, Assessor
from decision_engine.policy.evaluation import RESULTS, Evaluation, unpack
from decision_engine.policy_texts import MARK_HEX
from decision_engine.proposal import Marks
from decision_engine.rulebook import Rulebook
from decision_engine.snapshot import Attributes
from decision_engine.trace_marks import (
    Entry,
    asked_entries,
    input_entries,
    loss_entry,
    outcome_entries,
    rule_entries,
    table_entries,
    uncovered_entry,
    value_entries,
)

#: Sets of results, days of tables and bins of scorecards: closed sets, each far below this.
KEPT_MAX: Final = 1024
DIGEST_SIZE: Final = 32
#: A fresh hash costs more than a copy of one that has seen nothing.
_FRESH: Final = hashlib.sha256()
_missing: Final = attrgetter("missing")


class TraceProof:
    """Implements `Proof` of one assessment, computed when it is first asked for."""

    __slots__ = ("_assessment", "_assessor", "_marks")

    def __init__(self, assessor: Assessor, assessment: Assessment) -> None:
        self._assessor = assessor
        self._assessment = assessment
        self._marks: Marks | None = None

    @property
    def digest(self) -> str:
        """The SHA-256 of the trace, `sha256:<hex>`."""
        return self._made().digest

    @property
    def marks(self) -> str:
        """The marks of all entries, side by side."""
        return self._made().marks

    def _made(self) -> Marks:
        if self._marks is None:
            self._marks = marks_of(self._assessor, self._assessment)
        return self._marks

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TraceProof) and self._made() == other._made()

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(self._made())


def marks_of(assessor: Assessor, assessment: Assessment) -> Marks:
    """Return digest and marks of the trace of an assessment."""
    rulebook = assessor.rulebook
    asked = assessment.asked
    parts = [
        _hashed(asked_entries(assessor)),
        _input_part(assessor.snapshot.attributes),
        _table_part(rulebook, assessor.signed_on),
        *(() if asked is None else _evaluated(rulebook, asked.evaluation)),
        _hashed(outcome_entries(assessment)),
    ]
    whole = b"".join(parts)
    static = rulebook.texts
    digest = hashlib.sha256(static.digest + whole).hexdigest()
    return Marks(f"sha256:{digest}", _cut(whole) + static.marks)


def _input_part(attributes: Attributes) -> bytes:
    if attributes.digests is None:
        attributes.digests = _hashed(input_entries(attributes))
    return attributes.digests


def _evaluated(rulebook: Rulebook, evaluation: Evaluation) -> Iterable[bytes]:
    results = evaluation.results
    if any(map(_missing, results)):
        yield _hashed(rule_entries(results))
    else:
        yield _rule_part(rulebook, evaluation.bits)
    yield _hashed(value_entries(evaluation))
    for loss in evaluation.losses:
        yield _part(*loss_entry(loss))
    yield _part(*uncovered_entry(evaluation))


def _hashed(entries: Iterable[Entry]) -> bytes:
    """Return the digests of entries side by side."""
    fresh, digests = _FRESH.copy, []
    for name, text in entries:
        entry = fresh()
        entry.update(f"{name}\n{text}".encode())
        digests.append(entry.digest())
    return b"".join(digests)


def _cut(digests: bytes) -> str:
    """Return the first `MARK_HEX` digits of each digest, side by side."""
    size = MARK_HEX // 2
    marks = bytearray(len(digests) // DIGEST_SIZE * size)
    for index in range(size):
        marks[index::size] = digests[index::DIGEST_SIZE]
    return marks.hex()


@lru_cache(maxsize=KEPT_MAX)
def _rule_part(rulebook: Rulebook, bits: bytes) -> bytes:
    """Return the part of rules none of which misses an input: their bits say all."""
    held = rulebook.compiled.results
    codes = map(RESULTS.index, unpack(bits, len(held)))
    return _hashed(rule_entries([each[code] for each, code in zip(held, codes, strict=True)]))


@lru_cache(maxsize=KEPT_MAX)
def _table_part(rulebook: Rulebook, signed_on: date) -> bytes:
    return _hashed(table_entries(rulebook, signed_on))


@lru_cache(maxsize=KEPT_MAX)
def _part(name: str, text: str) -> bytes:
    return _hashed([(name, text)])
