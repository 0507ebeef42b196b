"""A ledger that was touched does not verify, and the fault is named."""

from collections.abc import Sequence
from dataclasses import replace

from decision_engine.record.batch import BatchProgram
from decision_engine.record.prepare import Lane
from decision_engine.record.statements import BatchRow, DecisionRow
from decision_engine.record.verify import verify_lane
from tests.unit.record.memory_truth import MemoryTruth
from tests.unit.record.ports import CountingIds, FixedChance, HandClock
from tests.unit.record.toy import entry


def ledger() -> tuple[list[BatchRow], dict[int, list[DecisionRow]]]:
    truth = MemoryTruth()
    truth.add_customer("c-p1", "p1")
    program = BatchProgram(Lane("lane"), HandClock(), CountingIds(), FixedChance())
    truth.run(program.open_lane("test"))
    for batch in range(3):
        truth.run(program.record([entry(f"k{batch}{n}") for n in range(3)]))
    decisions: dict[int, list[DecisionRow]] = {}
    for row in truth.state.decisions.values():
        decisions.setdefault(row.lane_seq, []).append(row)
    return [truth.state.batches[key] for key in sorted(truth.state.batches)], decisions


BATCHES, DECISIONS = ledger()


def codes(batches: Sequence[BatchRow], decisions: dict[int, list[DecisionRow]]) -> set[str]:
    return {fault.code for fault in verify_lane(batches, decisions)}


def with_row(row: DecisionRow) -> dict[int, list[DecisionRow]]:
    return {**DECISIONS, 1: [row, *DECISIONS[1][1:]]}


FIRST = DECISIONS[1][0]


def test_an_untouched_ledger_verifies() -> None:
    assert codes(BATCHES, DECISIONS) == set()


def test_a_missing_batch_is_a_gap_and_breaks_the_chain() -> None:
    assert codes([BATCHES[0], *BATCHES[2:]], DECISIONS) >= {"sequence-gap", "chain-broken"}


def test_a_missing_last_batch_leaves_decisions_without_one() -> None:
    assert codes(BATCHES[:-1], DECISIONS) == {"decision-without-batch"}


def test_a_changed_column_is_named() -> None:
    assert codes(BATCHES, with_row(replace(FIRST, amount=1))) == {"decision-changed"}


def test_a_changed_content_is_named() -> None:
    assert codes(BATCHES, with_row(replace(FIRST, evidence=b"{}"))) == {"content-mismatch"}


def test_erased_content_still_verifies_by_its_leaf() -> None:
    erased = replace(FIRST, evidence=None)  # type: ignore[arg-type]

    assert codes(BATCHES, with_row(erased)) == set()


def test_a_decision_too_few_is_counted() -> None:
    assert codes(BATCHES, {**DECISIONS, 1: DECISIONS[1][1:]}) == {"decision-count"}


def test_a_changed_root_is_named() -> None:
    touched = [BATCHES[0], replace(BATCHES[1], root=bytes(32)), *BATCHES[2:]]

    assert codes(touched, DECISIONS) >= {"root-mismatch", "chain-broken"}
