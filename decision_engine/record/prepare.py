"""From folded entries to the rows of one batch."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from decision_engine.record.compose import Composed, Minted, Verdict, compose
from decision_engine.record.entry import Done, Entry, Result
from decision_engine.record.merkle import GENESIS, chain_hash, root_of
from decision_engine.record.statements import (
    BatchRow,
    CloseReview,
    IdempotencyKey,
    InsertBatch,
    InsertDecisions,
    InsertOffers,
    InsertOutbox,
    InsertReservations,
    InsertReviews,
)
from decision_engine.record.view import View, enter, fold
from domain.instants import epoch_micros
from domain.ports.time import Chance, Ids
from domain.ports.truth import Commit, Statement, Trip

SALT_SIZE: Final = 16

Results = dict[IdempotencyKey, Result]


@dataclass(slots=True)
class Lane:
    """One writer's chain of batches: the next sequence number and the hash it must carry."""

    lane_id: str
    sequence: int = 0
    previous_hash: bytes = GENESIS

    def advance(self, root: bytes, size: int) -> None:
        """Move on after a batch of this sequence number has landed."""
        self.previous_hash = chain_hash(self.lane_id, self.sequence, self.previous_hash, root, size)
        self.sequence += 1

    def batch_row(self, leaves: Sequence[bytes], note: str, written_us: int) -> BatchRow:
        """Return the row of the next batch; no leaves make a void one."""
        return BatchRow(
            lane=self.lane_id,
            sequence=self.sequence,
            previous_hash=self.previous_hash,
            root=root_of(leaves),
            leaves=b"".join(leaves),
            n=len(leaves),
            note=note,
            written_us=written_us,
        )


@dataclass(frozen=True, slots=True)
class Prepared:
    """A batch ready to be written: sorted by key, ids given, bytes made."""

    batch: BatchRow
    composed: tuple[Composed, ...]
    closings: tuple[CloseReview, ...]

    def write_trip(self) -> Trip:
        """Return the one trip that writes and commits; the batch row goes first and arbitrates."""
        rows = self.composed
        statements: list[Statement] = [
            InsertBatch(self.batch),
            InsertDecisions(tuple(row.decision for row in rows)),
            InsertReservations(tuple(r.reservation for r in rows if r.reservation is not None)),
            InsertOffers(tuple(offer for row in rows for offer in row.offers)),
            InsertOutbox(tuple(row.outbox for row in rows)),
            InsertReviews(tuple(row.review for row in rows if row.review is not None)),
            *self.closings,
            Commit(),
        ]
        return tuple(statements)

    def results(self) -> Results:
        """Return what each key of the batch is answered once it has landed."""
        return {
            (row.decision.client_id, row.decision.idem_key): Done(
                row.decision.decision_id, row.decision.reply
            )
            for row in self.composed
        }


def prepare(
    entries: Sequence[Entry], view: View, lane: Lane, now: datetime, draw: tuple[Ids, Chance]
) -> tuple[Results, Prepared | None]:
    """
    Fold entries in order of arrival and make the rows of those that are to be recorded.

    Returns what is settled without writing, and the batch, None when nothing is to be written.
    """
    ids, chance = draw
    now_us = epoch_micros(now)
    results: Results = {}
    verdicts: list[tuple[Verdict, str]] = []
    for entry in entries:
        folded = fold(entry, view, now_us)
        if not isinstance(folded, Verdict):
            results[entry.key] = folded
            continue
        # Within the batch a provisional name is enough; ids follow the sorted order.
        enter(folded, f"batch:{len(verdicts)}", view, now_us)
        verdicts.append((folded, f"batch:{len(verdicts)}"))
    if not verdicts:
        return results, None
    minted = _mint(verdicts, ids, chance, now)
    return results, _prepared(verdicts, minted, lane, now_us)


def _mint(
    verdicts: Sequence[tuple[Verdict, str]], ids: Ids, chance: Chance, now: datetime
) -> dict[str, Minted]:
    ordered = sorted(verdicts, key=lambda pair: pair[0].entry.key)
    return {
        name: Minted(
            decision_id=ids.uuid7(now),
            offer_ids=tuple(ids.uuid7(now) for _ in verdict.proposal.offers),
            event_id=ids.uuid7(now),
            review_id=ids.uuid7(now) if verdict.proposal.outcome == "REFERRED" else "",
            salt=chance.token(SALT_SIZE),
        )
        for verdict, name in ordered
    }


def _prepared(
    verdicts: Sequence[tuple[Verdict, str]], minted: dict[str, Minted], lane: Lane, now_us: int
) -> Prepared:
    place = (lane.lane_id, lane.sequence)
    # Within the batch decisions had provisional names.
    names = {name: ids.decision_id for name, ids in minted.items()}
    ordered = sorted(verdicts, key=lambda pair: pair[0].entry.key)
    composed = tuple(
        # A microsecond apart: "the latest decision" of a customer must not be a tie.
        compose(verdict.renamed(names), minted[name], now_us + index, place)
        for index, (verdict, name) in enumerate(ordered)
    )
    by_decision = sorted(composed, key=lambda row: row.decision.decision_id)
    batch = lane.batch_row([row.leaf for row in by_decision], "", now_us)
    return Prepared(batch, composed, _closings(verdicts, minted, now_us))


def _closings(
    verdicts: Sequence[tuple[Verdict, str]], minted: dict[str, Minted], now_us: int
) -> tuple[CloseReview, ...]:
    return tuple(
        CloseReview(
            review_id=verdict.entry.review.review_id,
            closed_by=minted[name].decision_id,
            reviewer=verdict.entry.review.reviewer,
            note=verdict.entry.review.note,
            closed_us=now_us,
        )
        for verdict, name in verdicts
        if verdict.entry.review is not None
    )
