"""One decision is proven by its leaf, its path and the chain; what does not hold is named."""

from collections.abc import Iterable
from typing import Any

import pytest

from decision_engine.record import proof as module
from decision_engine.record.anchors import Anchor
from decision_engine.record.merkle import root_from_path
from decision_engine.record.proof import Proof, prove, walk_to_head
from domain.errors import NotFoundError
from tests.unit.record.memory_ledger import MemoryLedger, ledger

WHOLE = ledger(batches=4)
ROW = WHOLE.decision_of(2, 1)


def proven(held: MemoryLedger = WHOLE, anchors: Iterable[Anchor] = ()) -> Proof:
    return prove(held, ROW.decision_id, iter(anchors))


def faults(held: MemoryLedger, anchors: Iterable[Anchor] = ()) -> list[tuple[str, str]]:
    return [(fault.code, fault.place) for fault in proven(held, anchors).faults]


def test_without_anchors_the_chain_leads_to_the_head() -> None:
    found = proven()

    assert not found.faults
    assert found.batch is not None
    assert root_from_path(found.leaf, found.index, 3, found.path) == found.batch.root
    assert [link.sequence for link in found.links] == [3, 4]
    assert (found.end, found.anchor) == (WHOLE.head(4), None)


@pytest.mark.parametrize(("places", "nearest", "links"), [((1, 3, 4), 3, 1), ((2, 4), 2, 0)])
def test_the_nearest_anchor_ends_the_chain(
    places: tuple[int, ...], nearest: int, links: int
) -> None:
    anchors = WHOLE.anchors(*places)
    found = proven(anchors=anchors)

    assert not found.faults
    assert found.anchor == anchors[places.index(nearest)]
    assert (found.end, len(found.links)) == (WHOLE.head(nearest), links)


def test_anchors_before_the_decision_say_nothing_of_it() -> None:
    assert proven(anchors=WHOLE.anchors(0, 1)).anchor is None


def test_an_unknown_decision_is_not_found() -> None:
    with pytest.raises(NotFoundError):
        prove(WHOLE, "nobody", iter(()))


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [
        ("amount", 7, "decision-changed"),
        ("amount", "7", "decision-malformed"),
        ("lane_seq", 9, "decision-without-batch"),
        ("lane_seq", 1, "decision-changed"),
        ("reply", b"", "content-mismatch"),
        ("band", "Z", "score-mismatch"),
    ],
)
def test_a_changed_decision_is_named(column: str, value: Any, code: str) -> None:
    assert (code, ROW.decision_id) in faults(WHOLE.change(ROW, **{column: value}))


@pytest.mark.parametrize(
    ("sequence", "columns", "fault"),
    [
        (2, {"root": bytes(32)}, ("root-mismatch", "lane/2")),
        (2, {"n": 4}, ("root-mismatch", "lane/2")),
        (2, {"n": "3"}, ("decision-without-batch", ROW.decision_id)),
        (3, {"previous_hash": bytes(32)}, ("chain-broken", "lane/3")),
        (3, {"root": bytes(32)}, ("chain-broken", "lane/4")),
        (3, {"n": "3"}, ("sequence-gap", "lane/3")),
    ],
)
def test_a_changed_batch_is_named(sequence: int, columns: Any, fault: tuple[str, str]) -> None:
    assert fault in faults(WHOLE.change_batch(sequence, **columns))


def test_a_lane_that_ends_before_its_anchor_was_cut() -> None:
    anchors = WHOLE.anchors(4)

    assert faults(WHOLE.without_batches(4), anchors) == [("lane-behind-anchor", "lane/4")]
    assert faults(WHOLE.without_batches(3), anchors)[0] == ("sequence-gap", "lane/4")


def test_another_chain_than_the_anchored_one_is_named() -> None:
    anchors = ledger(batches=4, size=2).anchors(3)

    assert faults(WHOLE, anchors) == [("anchor-mismatch", "lane/3")]


def test_a_chain_too_long_for_a_pack_has_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LINKS_MAX", 1)
    found = proven()

    assert (found.end, len(found.links), found.faults) == (None, 1, ())
    monkeypatch.setattr(module, "LINKS_MAX", 2)
    assert proven().end == WHOLE.head(4)


def test_the_walk_goes_on_to_the_head_and_names_what_breaks_it() -> None:
    start = WHOLE.head(2)

    assert walk_to_head(WHOLE, start) == (WHOLE.head(4), [])
    _, broken = walk_to_head(WHOLE.change_batch(3, root=bytes(32)), start)
    assert [(fault.code, fault.place) for fault in broken] == [("chain-broken", "lane/4")]
    end, broken = walk_to_head(WHOLE.without_batches(3), start)
    assert (end, [fault.code for fault in broken]) == (start, ["sequence-gap"])
