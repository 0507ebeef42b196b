"""
Verifying the ledger: every lane's chain, every batch's root, every decision's leaf.

What belongs to the proof:

- the columns of the leaf (`leaf_of`), salt and content hash by the Merkle root;
- `evidence` and `reply` by the content hash, until both are erased; one alone is a fault;
- `lane` and `lane_seq` by the batch whose leaves name the decision: exactly those, no more;
- `score` and `band` by the evidence they repeat, `decision_date` by `decided_us`;
- of a batch, `lane`, `sequence`, `previous_hash`, `root`, `n` by the chain, `leaves` by the root;
- the head of each lane by the anchors outside the ledger, where there are any.

What does not: `person_id`, which moves when a CPF becomes known (the person that was decided on
is in the evidence); `note` and `written_us` of a batch; score and band of erased decisions.

A void batch (n = 0) is a legitimate link of the chain.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

from decision_engine.record.compose import leaf_of
from decision_engine.record.ledger import LedgerReader
from decision_engine.record.merkle import (
    GENESIS,
    chain_hash,
    content_hash,
    root_of,
    split_leaves,
)
from decision_engine.record.statements import BatchRow, DecisionRow
from domain.instants import business_day, from_epoch_micros

#: A place of a chain and the hash that stood there, in order of the sequence.
Heads = Iterable[tuple[int, bytes]]
NO_HEADS: Final[Mapping[str, Heads]] = {}
BLOBS: Final = frozenset({"evidence", "reply"})
DECISION_KINDS: Final = tuple((f.name, f.type) for f in fields(DecisionRow) if f.name not in BLOBS)
BATCH_KINDS: Final = tuple((f.name, f.type) for f in fields(BatchRow))
#: Stands for a decision that can have no leaf.
NO_LEAF: Final = b""


@dataclass(frozen=True, slots=True)
class Fault:
    """One place where the ledger does not hold together; ids and a code, no content."""

    code: str
    place: str


@dataclass(slots=True)
class Tally:
    """What was gone through."""

    lanes: int = 0
    batches: int = 0
    void_batches: int = 0
    decisions: int = 0
    erased: int = 0
    anchored_heads: int = 0


def verify_ledger(
    reader: LedgerReader, tally: Tally, anchored: Mapping[str, Heads] = NO_HEADS
) -> Iterator[Fault]:
    """Yield the faults of a whole ledger; `anchored` are the heads that were kept outside it."""
    yield from (Fault("store-damaged", table) for table in reader.damages())
    lanes = reader.lanes()
    for lane in lanes:
        heads = anchored.get(lane, ())
        rows = reader.batches(lane), reader.decisions(lane)
        yield from verify_lane(lane, *rows, heads, tally)
    tally.lanes = len(lanes)
    if (tally.batches, tally.decisions) != reader.totals():
        # Rows whose lane is none that can be asked for, or that an index does not name.
        yield Fault("rows-unseen", "credit_decisions, ledger_batches")
    yield from (
        Fault("lane-missing", printable(lane)) for lane in sorted(anchored.keys() - set(lanes))
    )


def verify_lane(
    lane: str,
    batches: Iterable[BatchRow],
    decisions: Iterable[DecisionRow],
    anchored: Heads = (),
    tally: Tally | None = None,
) -> Iterator[Fault]:
    """Yield the faults of one lane; batches by sequence, decisions by (lane_seq, decision_id)."""
    tally = tally or Tally()
    walk, heads = _Walk(decisions, tally), _HeadWalk(lane, anchored, tally)
    previous, expected = GENESIS, 0
    for batch in batches:
        place = printable(f"{lane}/{batch.sequence}")
        tally.batches += 1
        if not sound(batch, BATCH_KINDS):
            # Neither hash nor order can be trusted; the next one shows the gap.
            yield Fault("batch-malformed", place)
            continue
        if batch.sequence != expected:
            yield Fault("sequence-gap", place)
        if batch.previous_hash != previous:
            yield Fault("chain-broken", place)
        yield from walk.strays(batch.sequence)
        yield from _verify_batch(batch, walk, place)
        tally.void_batches += batch.n == 0
        previous = chain_hash(lane, batch.sequence, batch.previous_hash, batch.root, batch.n)
        yield from heads.compare(batch.sequence, previous)
        expected = batch.sequence + 1
    yield from walk.strays(None)
    yield from heads.rest(expected - 1)


def sound(row: BatchRow | DecisionRow, kinds: Sequence[tuple[str, Any]]) -> bool:
    """Whether each value is of its column's type; SQLite keeps whatever it is given."""
    return all(isinstance(getattr(row, name), kind) for name, kind in kinds)


class _Walk:
    """Goes along the decisions of a lane, beside its batches."""

    def __init__(self, decisions: Iterable[DecisionRow], tally: Tally) -> None:
        self._rows = iter(decisions)
        self._next = next(self._rows, None)
        self.tally = tally

    def strays(self, sequence: int | None) -> Iterator[Fault]:
        """Yield the decisions before a batch, or all that are left: no batch is theirs."""
        for row in self._while(lambda number: sequence is None or number < sequence):
            yield Fault("decision-without-batch", printable(row.decision_id))

    def of(self, sequence: int) -> Iterator[DecisionRow]:
        """Yield the decisions of a batch."""
        return self._while(lambda number: number == sequence)

    def _while(self, wanted: Any) -> Iterator[DecisionRow]:
        while (row := self._next) is not None and wanted(_number(row.lane_seq)):
            self.tally.decisions += 1
            self._next = next(self._rows, None)
            yield row


class _HeadWalk:
    """Goes along the anchored heads of a lane, beside its batches."""

    def __init__(self, lane: str, heads: Heads, tally: Tally) -> None:
        self._lane = lane
        self._heads = iter(heads)
        self._next = next(self._heads, None)
        self._tally = tally

    def compare(self, sequence: int, chain: bytes) -> Iterator[Fault]:
        """Yield a fault where another hash was anchored for a place of the chain, or none is."""
        while self._next is not None and self._next[0] <= sequence:
            anchored, expected = self._next
            self._tally.anchored_heads += 1
            self._next = next(self._heads, None)
            if (anchored, expected) != (sequence, chain):
                yield Fault("anchor-mismatch", f"{self._lane}/{anchored}")

    def rest(self, last: int) -> Iterator[Fault]:
        """Yield a fault when the lane ends before what was anchored: its tail was cut."""
        behind = -1
        while self._next is not None:
            behind = self._next[0]
            self._next = next(self._heads, None)
        if behind >= 0:
            yield Fault("lane-behind-anchor", f"{self._lane}/{last} of {behind}")


def _number(lane_seq: object) -> float:
    # Text and blobs sort behind numbers, so that is where they are met.
    return lane_seq if isinstance(lane_seq, int | float) else float("inf")


def printable(name: object) -> str:
    """Return an id as it can be shown, whatever was stored in its place."""
    return str(name).encode("utf-8", "backslashreplace").decode()


def _verify_batch(batch: BatchRow, walk: _Walk, place: str) -> Iterator[Fault]:
    leaves = split_leaves(batch.leaves)
    if len(leaves) != batch.n or root_of(leaves) != batch.root:
        yield Fault("root-mismatch", place)
    found: list[tuple[str, bytes]] = []
    for row in walk.of(batch.sequence):
        name = printable(row.decision_id)
        if sound(row, DECISION_KINDS):
            found.append((name, leaf_or_none(row)))
            yield from (Fault(code, name) for code in row_faults(row, walk.tally))
        else:
            found.append((name, NO_LEAF))
            yield Fault("decision-malformed", name)
    if [leaf for _, leaf in found] != leaves:
        yield from _name_leaves(found, leaves, place)


def _name_leaves(
    found: Sequence[tuple[str, bytes]], leaves: Sequence[bytes], place: str
) -> Iterator[Fault]:
    """Tell a changed decision from one that is missing and one that never was in the batch."""
    open_leaves = Counter(leaves)
    foreign = []
    for name, leaf in found:
        if open_leaves[leaf] > 0:
            open_leaves[leaf] -= 1
        else:
            foreign.append(name)
    missing = [index for index, leaf in enumerate(leaves) if _take(open_leaves, leaf)]
    if len(foreign) == len(missing):
        yield from (Fault("decision-changed", name) for name in foreign)
    else:
        yield from (Fault("decision-unknown", f"{name} in {place}") for name in foreign)
        yield from (Fault("decision-missing", f"{place} leaf {index}") for index in missing)
    if not foreign and not missing:
        yield Fault("leaves-unordered", place)


def _take(open_leaves: Counter[bytes], leaf: bytes) -> bool:
    if open_leaves[leaf] <= 0:
        return False
    open_leaves[leaf] -= 1
    return True


def leaf_or_none(row: DecisionRow) -> bytes:
    """Return the leaf of a row, or `NO_LEAF` when its columns have no canonical form."""
    try:
        return leaf_of(row)
    except ValueError:
        return NO_LEAF


def row_faults(row: DecisionRow, tally: Tally) -> Iterator[str]:
    """Yield the codes of what is wrong with a row, its leaf aside."""
    if row.decision_date != _day(row.decided_us):
        yield "date-mismatch"
    evidence: object = row.evidence
    reply: object = row.reply
    if evidence is None and reply is None:
        tally.erased += 1
    elif evidence is None or reply is None:
        yield "half-erased"
    elif not _kept(row.salt, evidence, reply, row.content_hash):
        yield "content-mismatch"
    elif (row.score, row.band) != _judged(row.evidence):
        yield "score-mismatch"


def _kept(salt: bytes, evidence: object, reply: object, hashed: bytes) -> bool:
    if not isinstance(evidence, bytes) or not isinstance(reply, bytes):
        return False
    return content_hash(salt, evidence, reply) == hashed


def _day(decided_us: int) -> str:
    try:
        return business_day(from_epoch_micros(decided_us)).isoformat()
    except OverflowError:
        return ""


def _judged(evidence: bytes) -> tuple[object, object]:
    """Return score and band as the evidence has them; what cannot be read equals no column."""
    try:
        result = json.loads(evidence)["result"]
        return result["score"], result["band"]
    except (ValueError, KeyError, TypeError):
        return "", ""
