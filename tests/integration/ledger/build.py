"""
Makes a ledger of any size in a data folder, as the platform would have written it.

Real rows and real leaves through the store of truth, but without deciding: toy cases, several
lanes, void batches, batches of one and of 128, and anchors that were written on the way.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Final

import apsw

from adapters.stores.embedded.anchor_file import AnchorFile
from adapters.stores.embedded.directory import ANCHORS, TRUTH
from adapters.stores.embedded.opening import Layout
from adapters.stores.embedded.sqlite_file import SqliteFile
from adapters.stores.sql.sqlite_truth import SCHEMA_VERSION, SqliteTruth, schema_ddl
from decision_engine.record.anchors import Anchor, Head
from decision_engine.record.compose import Composed, Minted, Verdict, compose
from decision_engine.record.merkle import GENESIS
from decision_engine.record.prepare import Lane
from decision_engine.record.statements import BatchRow, InsertBatch, InsertDecisions
from domain.identifiers import uuid7
from domain.instants import epoch_micros, from_epoch_micros
from domain.ports.time import Deadline
from domain.ports.truth import Begin, Commit, Program, Statement
from tests.unit.record.ports import HandClock
from tests.unit.record.toy import NOW, entry

BATCH_MAX: Final = 128
LANES: Final = 3
#: Batches in one transaction of the builder: flushing each would take minutes.
TOGETHER: Final = 32
NEVER: Final = Deadline(float("inf"))


@dataclass(slots=True)
class Builder:
    """Writes batch after batch, and an anchor now and then."""

    random: Random
    truth: SqliteTruth
    anchors: AnchorFile
    lanes: list[Lane]
    made: int = 0
    last: Anchor | None = None

    async def run(self, decisions: int) -> None:
        """Write batches until there are this many decisions."""
        await self._write([InsertBatch(self._next(lane, ())) for lane in self.lanes])
        while self.made < decisions:
            statements: list[Statement] = []
            for _ in range(TOGETHER):
                size = min(self._size(), decisions - self.made)
                statements += self._batch(self.random.choice(self.lanes), size)
            await self._write(statements)
            await self._anchor()

    def _size(self) -> int:
        # One in ten is void: an unknown commit was arbitrated.
        return self.random.choice((0, 1, 2, 3, 7, 31, 64, 100, BATCH_MAX, BATCH_MAX))

    def _batch(self, lane: Lane, size: int) -> Iterator[Statement]:
        rows = sorted((self._composed(lane) for _ in range(size)), key=_decision_id)
        yield InsertBatch(self._next(lane, [row.leaf for row in rows]))
        yield InsertDecisions(tuple(row.decision for row in rows))

    def _next(self, lane: Lane, leaves: Sequence[bytes]) -> BatchRow:
        row = lane.batch_row(leaves, "built", epoch_micros(NOW))
        lane.advance(row.root, row.n)
        return row

    def _composed(self, lane: Lane) -> Composed:
        self.made += 1
        asked = entry(f"k-{self.made}", person=f"p-{self.made % 997}", amount=self.made % 1_300_00)
        minted = Minted(
            decision_id=uuid7(NOW, self.made << 32 | self.random.getrandbits(32)),
            offer_ids=(f"o-{self.made}",) * len(asked.proposal.offers),
            event_id="",
            review_id="",
            salt=self.random.randbytes(16),
        )
        decided_us = epoch_micros(NOW + timedelta(milliseconds=self.made))
        verdict = Verdict(asked, asked.case, asked.proposal, "")
        return compose(verdict, minted, decided_us, (lane.lane_id, lane.sequence))

    async def _write(self, statements: list[Statement]) -> None:
        def program() -> Program[None]:
            yield (Begin(), *statements, Commit())

        await self.truth.transact(program, NEVER)

    async def _anchor(self) -> None:
        known = {head.lane: head.sequence for head in self.last.heads} if self.last else {}
        heads = tuple(
            Head(lane.lane_id, lane.sequence - 1, lane.previous_hash)
            for lane in self.lanes
            if known.get(lane.lane_id) != lane.sequence - 1
        )
        number, previous = (self.last.number + 1, self.last.hash) if self.last else (0, GENESIS)
        self.last = Anchor(number, epoch_micros(NOW), heads, previous)
        await self.anchors.append(self.last, NEVER)


def build_ledger(data: Path, decisions: int, seed: int) -> None:
    """Make a folder with a ledger and its anchors; equal arguments give equal rows."""
    data.mkdir(mode=0o700)
    layout = Layout("truth", SCHEMA_VERSION, schema_ddl())
    truth = SqliteTruth(SqliteFile(data / TRUTH, layout, HandClock()))
    random = Random(seed)
    lanes = [Lane(uuid7(from_epoch_micros(n), random.getrandbits(74))) for n in range(LANES)]
    builder = Builder(random, truth, AnchorFile(data / ANCHORS), lanes)
    try:
        asyncio.run(builder.run(decisions))
    finally:
        truth.close()


def live_on(data: Path, seed: int) -> int:
    """Erase the content of some decisions and move some persons; return how many were erased."""
    random = Random(seed)
    connection = apsw.Connection(str(data / TRUTH))
    try:
        ids = [row[0] for row in connection.execute("SELECT decision_id FROM credit_decisions")]
        chosen = random.sample(ids, len(ids) // 20)
        erase = "UPDATE credit_decisions SET evidence = NULL, reply = NULL WHERE decision_id = ?"
        move = "UPDATE credit_decisions SET person_id = 'p-moved' WHERE decision_id = ?"
        with connection:
            connection.executemany(erase, [(each,) for each in chosen])
            connection.executemany(move, [(each,) for each in random.sample(ids, len(ids) // 20)])
    finally:
        connection.close()
    return len(chosen)


def _decision_id(row: Composed) -> str:
    return row.decision.decision_id
