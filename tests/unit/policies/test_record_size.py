"""What one evaluation of the shipped policy leaves behind is small: under 2 KB, measured."""

import json
from functools import cache
from typing import Any, Final

from decision_engine.record.compose import Minted, Verdict, compose
from decision_engine.record.entry import Entry
from decision_engine.trial import Run
from domain.canonical import encode
from domain.instants import epoch_micros
from tests.unit.policies.test_golden_cases import CASES, RUNNER

EVALUATION_MAX: Final = 2048
EVIDENCE_MAX: Final = 3584
ID: Final = "0199e7a0-5c3a-7d10-8000-0f3b5c7d9e1a"


@cache
def evidence() -> dict[str, bytes]:
    """Return the recorded evidence of every golden case, as a decision would write it."""
    return {case.name: recorded(RUNNER.run(case.inputs, case.stale)) for case in CASES.cases}


def recorded(run: Run) -> bytes:
    proposal = run.case.assess(run.assessor.exposure)
    entry = Entry(
        client_id="lender",
        idem_key="k",
        command_hash="h",
        language="pt-BR",
        case=run.case,
        proposal=proposal,
        review=None,
    )
    minted = Minted(ID, (ID,) * len(proposal.offers), ID, ID, b"s" * 16)
    verdict = Verdict(entry, run.case, proposal, "")
    composed = compose(verdict, minted, epoch_micros(RUNNER.as_of), (ID, 1))
    assert composed.decision.evidence is not None
    return composed.decision.evidence


def of_the_evaluation(raw: bytes) -> int:
    """Count what an evaluation leaves: values read, bits, marks, hash of the trace, reasons."""
    facts: dict[str, Any] = json.loads(raw)
    result = {name: value for name, value in facts["result"].items() if name != "offers"}
    policy = facts["manifest"]["policy"]
    return len(encode({"inputs": facts["inputs"], "policy": policy, "result": result}))


def largest(sizes: dict[str, int]) -> tuple[int, str]:
    return max((size, name) for name, size in sizes.items())


def test_the_record_of_an_evaluation_is_under_two_kilobytes() -> None:
    size, name = largest({name: of_the_evaluation(raw) for name, raw in evidence().items()})

    assert size < EVALUATION_MAX, f"{name}: {size} bytes"


def test_the_whole_evidence_of_a_decision_has_a_bound_too() -> None:
    """Besides the evaluation: the request, offers, ids, and the hashes of all that decided."""
    size, name = largest({name: len(raw) for name, raw in evidence().items()})
    parts = {part: len(encode(held)) for part, held in json.loads(evidence()[name]).items()}

    assert size < EVIDENCE_MAX, f"{name}: {size} bytes, of which {parts}"


def test_it_is_far_smaller_than_the_trace_that_it_proves() -> None:
    run = RUNNER.run(CASES.cases[0].inputs)
    whole = [entry.plain() for entry in run.trace()]

    assert len(json.dumps(whole)) > 2 * len(evidence()[CASES.cases[0].name])
