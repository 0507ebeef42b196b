"""
Verifying the ledger: every lane's chain, every batch's root, every decision's leaf.

A void batch (n = 0) is a legitimate link of the chain. Content that has been erased cannot be
checked against its hash; the hash itself is covered by the leaf and stays checked.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from decision_engine.record.compose import leaf_of
from decision_engine.record.merkle import (
    DIGEST_SIZE,
    GENESIS,
    chain_hash,
    content_hash,
    root_of,
)
from decision_engine.record.statements import BatchRow, DecisionRow


@dataclass(frozen=True, slots=True)
class Fault:
    """One place where the ledger does not hold together; ids and a code, no content."""

    code: str
    place: str


def verify_lane(
    batches: Iterable[BatchRow], decisions: Mapping[int, Sequence[DecisionRow]]
) -> Iterator[Fault]:
    """Yield the faults of one lane; batches in order, decisions by sequence number."""
    previous, expected = GENESIS, 0
    for batch in batches:
        place = f"{batch.lane}/{batch.sequence}"
        if batch.sequence != expected:
            yield Fault("sequence-gap", place)
        if batch.previous_hash != previous:
            yield Fault("chain-broken", place)
        yield from _verify_batch(batch, decisions.get(batch.sequence, ()), place)
        previous = chain_hash(batch.lane, batch.sequence, batch.previous_hash, batch.root, batch.n)
        expected = batch.sequence + 1
    yield from (
        Fault("decision-without-batch", row.decision_id)
        for sequence in decisions.keys() - set(range(expected))
        for row in decisions[sequence]
    )


def _verify_batch(batch: BatchRow, rows: Sequence[DecisionRow], place: str) -> Iterator[Fault]:
    leaves = [
        batch.leaves[start : start + DIGEST_SIZE]
        for start in range(0, len(batch.leaves), DIGEST_SIZE)
    ]
    if len(leaves) != batch.n or root_of(leaves) != batch.root:
        yield Fault("root-mismatch", place)
    ordered = sorted(rows, key=lambda row: row.decision_id)
    if [leaf_of(row) for row in ordered] != leaves:
        yield from _name_leaves(ordered, leaves, place)
    for row in ordered:
        if _content_changed(row):
            yield Fault("content-mismatch", row.decision_id)


def _name_leaves(
    rows: Sequence[DecisionRow], leaves: Sequence[bytes], place: str
) -> Iterator[Fault]:
    if len(rows) != len(leaves):
        yield Fault("decision-count", place)
        return
    for row, leaf in zip(rows, leaves, strict=True):
        if leaf_of(row) != leaf:
            yield Fault("decision-changed", row.decision_id)


def _content_changed(row: DecisionRow) -> bool:
    # Erasure empties both blobs; the salted hash of what they held stays in the leaf.
    erased: object = row.evidence is None or row.reply is None
    return not erased and content_hash(row.salt, row.evidence, row.reply) != row.content_hash
