"""A ledger that was touched does not verify, and the fault is named."""

from dataclasses import replace
from typing import Any

import pytest

from decision_engine.record.anchors import AnchoredHeads
from decision_engine.record.compose import leaf_of
from decision_engine.record.merkle import content_hash, root_of, split_leaves
from decision_engine.record.verify import Tally, verify_lane, verify_ledger
from tests.unit.record.memory_ledger import MemoryLedger, ledger

WHOLE = ledger()
FIRST = WHOLE.decision_of(1)
SECOND = WHOLE.decision_of(1, 1)
OTHER = WHOLE.decision_of(2)


def found(
    touched: MemoryLedger, *anchored: int, tally: Tally | None = None
) -> set[tuple[str, str]]:
    heads = AnchoredHeads()
    for anchor in WHOLE.anchors(*anchored):
        heads.add(anchor)
    faults = verify_ledger(touched, tally or Tally(), heads.heads())
    return {(fault.code, fault.place) for fault in faults}


def test_an_untouched_ledger_verifies_and_is_counted() -> None:
    tally = Tally()

    assert found(WHOLE, 0, 2, 3, tally=tally) == set()
    assert tally == Tally(
        lanes=1, batches=4, void_batches=1, decisions=9, erased=0, anchored_heads=3
    )
    assert not list(verify_lane("lane", WHOLE.batches("lane"), WHOLE.decisions("lane")))


def test_a_missing_batch_is_a_gap_and_breaks_the_chain() -> None:
    assert found(WHOLE.without_batches(2)) >= {
        ("sequence-gap", "lane/3"),
        ("chain-broken", "lane/3"),
        ("decision-without-batch", OTHER.decision_id),
    }


def test_a_missing_last_batch_leaves_decisions_without_one() -> None:
    assert found(WHOLE.without_batches(3)) == {
        ("decision-without-batch", WHOLE.decision_of(3, index).decision_id) for index in range(3)
    }


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [
        ("amount", 1, "decision-changed"),
        ("amount", "1", "decision-malformed"),
        ("idem_key", "\udcff", "decision-changed"),
        ("evidence", b"{}", "content-mismatch"),
        ("evidence", "{}", "content-mismatch"),
        ("reply", b"{}", "content-mismatch"),
        ("reply", None, "half-erased"),
        ("score", 601, "score-mismatch"),
        ("score", None, "score-mismatch"),
        ("band", "B", "score-mismatch"),
        ("decision_date", "2026-06-11", "date-mismatch"),
        ("decided_us", 1 << 62, "date-mismatch"),
    ],
)
def test_a_changed_column_is_named(column: str, value: Any, code: str) -> None:
    touched = WHOLE.change(FIRST, **{column: value})

    assert (code, FIRST.decision_id) in found(touched)


def test_evidence_that_says_nothing_of_a_score_is_none() -> None:
    evidence = b"[]"
    fresh = content_hash(FIRST.salt, evidence, FIRST.reply)
    touched = WHOLE.change(FIRST, evidence=evidence, content_hash=fresh)

    assert ("score-mismatch", FIRST.decision_id) in found(touched)


def test_erased_content_still_verifies_by_its_leaf() -> None:
    tally = Tally()

    assert found(WHOLE.change(FIRST, evidence=None, reply=None), tally=tally) == set()
    assert tally.erased == 1


def test_a_moved_person_is_no_fault() -> None:
    assert found(WHOLE.change(FIRST, person_id="p2")) == set()


def test_a_decision_too_few_is_named_by_its_leaf() -> None:
    assert found(WHOLE.without(SECOND)) == {("decision-missing", "lane/1 leaf 1")}


def test_a_decision_too_many_is_named() -> None:
    added = replace(FIRST, decision_id="added", idem_key="added")
    touched = replace(WHOLE, all_decisions=[*WHOLE.all_decisions, added])

    assert found(touched) == {("decision-unknown", "added in lane/1")}


def test_a_decision_in_another_batch_is_missing_in_one_and_unknown_in_the_other() -> None:
    assert found(WHOLE.change(FIRST, lane_seq=2)) == {
        ("decision-missing", "lane/1 leaf 0"),
        ("decision-unknown", f"{FIRST.decision_id} in lane/2"),
    }


@pytest.mark.parametrize("place", [1.5, "text", -1, 99])
def test_a_decision_in_no_batch_is_named(place: Any) -> None:
    # Nothing else is: the decisions after it still meet their batches.
    assert found(WHOLE.change(FIRST, lane_seq=place)) == {
        ("decision-without-batch", FIRST.decision_id),
        ("decision-missing", "lane/1 leaf 0"),
    }


def test_decisions_of_a_lane_without_batches_are_named() -> None:
    assert ("decision-without-batch", FIRST.decision_id) in found(WHOLE.change(FIRST, lane="x"))


@pytest.mark.parametrize(
    ("columns", "faults"),
    [
        ({"root": bytes(32)}, {("root-mismatch", "lane/1"), ("chain-broken", "lane/2")}),
        ({"n": 2}, {("root-mismatch", "lane/1"), ("chain-broken", "lane/2")}),
        ({"previous_hash": bytes(32)}, {("chain-broken", "lane/1"), ("chain-broken", "lane/2")}),
        ({"root": "text"}, {("batch-malformed", "lane/1"), ("sequence-gap", "lane/2")}),
    ],
)
def test_a_changed_batch_is_named(columns: Any, faults: set[tuple[str, str]]) -> None:
    assert found(WHOLE.change_batch(1, **columns)) >= faults


def test_leaves_in_another_order_are_named_even_under_their_own_root() -> None:
    leaves = split_leaves(WHOLE.all_batches[3].leaves)[::-1]
    touched = WHOLE.change_batch(3, leaves=b"".join(leaves), root=root_of(leaves))

    assert found(touched) == {("leaves-unordered", "lane/3")}


def test_a_leaf_that_is_there_twice_needs_two_decisions() -> None:
    leaves = [leaf_of(FIRST), leaf_of(FIRST), *split_leaves(WHOLE.all_batches[1].leaves)[2:]]
    touched = WHOLE.change_batch(1, leaves=b"".join(leaves))

    assert ("decision-changed", SECOND.decision_id) in found(touched)


def test_what_the_store_finds_damaged_is_passed_on() -> None:
    touched = replace(WHOLE, damaged=["ledger_batches"], unseen=1)

    assert found(touched) == {
        ("store-damaged", "ledger_batches"),
        ("rows-unseen", "credit_decisions, ledger_batches"),
    }


def cut(since: int) -> MemoryLedger:
    kept = [row for row in WHOLE.all_decisions if row.lane_seq < since]
    return replace(WHOLE.without_batches(*range(since, 4)), all_decisions=kept)


def test_only_anchors_find_a_cut_tail() -> None:
    assert found(cut(3)) == set()
    assert found(cut(3), 0, 2) == set()
    assert found(cut(3), 0, 3) == {("lane-behind-anchor", "lane/2 of 3")}
    assert found(cut(2), 2, 3) == {("lane-behind-anchor", "lane/1 of 3")}
    assert found(replace(WHOLE, all_batches=[], all_decisions=[]), 0) == {("lane-missing", "lane")}


def test_another_hash_than_the_anchored_one_is_named() -> None:
    rewritten = ledger(size=2)

    assert found(rewritten) == set()
    assert found(rewritten, 1, 3) == {("anchor-mismatch", "lane/1"), ("anchor-mismatch", "lane/3")}


def test_an_anchored_place_that_is_gone_is_named() -> None:
    assert ("anchor-mismatch", "lane/2") in found(WHOLE.without_batches(2), 2)
