"""The proof of one decision: leaf, path to the batch's root, chain from there to a kept head."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from decision_engine.record.anchors import Anchor, Head
from decision_engine.record.ledger import LedgerReader
from decision_engine.record.merkle import audit_path, root_from_path, split_leaves
from decision_engine.record.statements import BatchRow, DecisionRow
from decision_engine.record.verify import (
    BATCH_KINDS,
    DECISION_KINDS,
    Fault,
    Tally,
    leaf_or_none,
    printable,
    row_faults,
    sound,
)
from domain.errors import NotFoundError

#: Batches between a decision and the end of its proof: ten thousand are minutes of full load.
LINKS_MAX: Final = 10_000
GAP: Final = "sequence-gap"


@dataclass(frozen=True, slots=True)
class Link:
    """A later batch of the chain, as far as its hash needs it."""

    sequence: int
    root: bytes
    n: int


@dataclass(frozen=True, slots=True)
class Proof:
    """
    What proves one decision; `faults` empty means that all of it holds together.

    `links` lead from the batch to `end`: the nearest anchored head (`anchor` names it), else the
    lane's head. `end` is None when that is more than `LINKS_MAX` batches away.
    """

    decision: DecisionRow
    leaf: bytes
    batch: BatchRow | None
    index: int
    path: tuple[bytes, ...]
    links: tuple[Link, ...]
    end: Head | None
    anchor: Anchor | None
    faults: tuple[Fault, ...]


def prove(reader: LedgerReader, decision_id: str, anchors: Iterator[Anchor]) -> Proof:
    """
    Return the proof of a decision; the nearest of the anchors at or after its batch ends it.

    Raises:
        NotFoundError: the ledger holds no such decision.
    """
    row = reader.decision(decision_id)
    if row is None:
        raise NotFoundError("the ledger holds no decision with this id")
    name = printable(row.decision_id)
    if not sound(row, DECISION_KINDS):
        return _unproven(row, b"", Fault("decision-malformed", name))
    leaf = leaf_or_none(row)
    batches = reader.batches(row.lane, row.lane_seq)
    batch = next(batches, None)
    if batch is None or batch.sequence != row.lane_seq or not sound(batch, BATCH_KINDS):
        return _unproven(row, leaf, Fault("decision-without-batch", name))
    faults = [Fault(code, name) for code in row_faults(row, Tally())]
    leaves = split_leaves(batch.leaves)
    index, path = -1, tuple[bytes, ...]()
    if leaf not in leaves:
        faults.append(Fault("decision-changed", name))
    else:
        index = leaves.index(leaf)
        path = tuple(audit_path(index, leaves))
        if len(leaves) != batch.n or root_from_path(leaf, index, batch.n, path) != batch.root:
            faults.append(Fault("root-mismatch", f"{row.lane}/{row.lane_seq}"))
    anchor, anchored = _nearest(anchors, row)
    links, end = _chain(batch, batches, anchored, faults)
    return Proof(row, leaf, batch, index, path, links, end, anchor, tuple(faults))


def walk_to_head(reader: LedgerReader, start: Head) -> tuple[Head, list[Fault]]:
    """Follow a lane from a head to its last batch; return that one's head, and the faults."""
    end, faults = start, list[Fault]()
    for row in reader.batches(start.lane, start.sequence + 1):
        if (fault := _break(row, end)) is not None:
            faults.append(fault)
            if fault.code == GAP:
                break
        end = Head.of(row)
    return end, faults


def _break(row: BatchRow, end: Head) -> Fault | None:
    place = printable(f"{end.lane}/{row.sequence}")
    if not sound(row, BATCH_KINDS) or row.sequence != end.sequence + 1:
        return Fault(GAP, place)
    return Fault("chain-broken", place) if row.previous_hash != end.chain else None


def _unproven(row: DecisionRow, leaf: bytes, fault: Fault) -> Proof:
    return Proof(row, leaf, None, -1, (), (), None, None, (fault,))


def _nearest(anchors: Iterator[Anchor], row: DecisionRow) -> tuple[Anchor | None, Head | None]:
    for anchor in anchors:
        for head in anchor.heads:
            if head.lane == row.lane and head.sequence >= row.lane_seq:
                return anchor, head
    return None, None


def _chain(
    batch: BatchRow, later: Iterator[BatchRow], anchored: Head | None, faults: list[Fault]
) -> tuple[tuple[Link, ...], Head | None]:
    """Follow the chain to its end; what does not hold is added to the faults."""
    end, links = Head.of(batch), list[Link]()
    for row in later:
        if anchored is not None and end.sequence >= anchored.sequence:
            break
        if len(links) == LINKS_MAX:
            return tuple(links), None
        if (fault := _break(row, end)) is not None:
            faults.append(fault)
            if fault.code == GAP:
                break
        links.append(Link(row.sequence, row.root, row.n))
        end = Head.of(row)
    if anchored is not None and end != anchored:
        code = "anchor-mismatch" if end.sequence == anchored.sequence else "lane-behind-anchor"
        faults.append(Fault(code, f"{batch.lane}/{anchored.sequence}"))
    return tuple(links), end
