"""A ledger in memory, as the verifier reads it: made by the real batch program, then changed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from decision_engine.archive import StoredArtifact, StoredPolicy
from decision_engine.record.anchors import Anchor, Head
from decision_engine.record.batch import BatchProgram
from decision_engine.record.merkle import GENESIS
from decision_engine.record.prepare import Lane
from decision_engine.record.statements import BatchRow, DecisionRow
from tests.unit.record.memory_truth import MemoryTruth
from tests.unit.record.ports import CountingIds, FixedChance, HandClock
from tests.unit.record.toy import entry


@dataclass
class MemoryLedger:
    """Implements `LedgerReader`; tests change its lists."""

    all_batches: list[BatchRow]
    all_decisions: list[DecisionRow]
    artifacts: dict[str, StoredPolicy | StoredArtifact] = field(default_factory=dict)
    damaged: list[str] = field(default_factory=list)
    unseen: int = 0

    def damages(self) -> Iterator[str]:
        return iter(self.damaged)

    def lanes(self) -> Sequence[str]:
        lanes = {row.lane for row in self.all_batches}
        return sorted(lanes | {row.lane for row in self.all_decisions})

    def totals(self) -> tuple[int, int]:
        return len(self.all_batches), len(self.all_decisions) + self.unseen

    def batches(self, lane: str, since: int | None = None) -> Iterator[BatchRow]:
        rows = [row for row in self.all_batches if row.lane == lane]
        return (row for row in rows if since is None or row.sequence >= since)

    def decisions(self, lane: str) -> Iterator[DecisionRow]:
        rows = [row for row in self.all_decisions if row.lane == lane]
        # As SQLite does it: text behind numbers.
        return iter(
            sorted(
                rows, key=lambda row: (str(row.lane_seq).isalpha(), row.lane_seq, row.decision_id)
            )
        )

    def decision(self, decision_id: str) -> DecisionRow | None:
        return next((row for row in self.all_decisions if row.decision_id == decision_id), None)

    def artifact(self, content_hash: str) -> StoredPolicy | StoredArtifact | None:
        return self.artifacts.get(content_hash)

    # --- what tests do to it -------------------------------------------------------------------

    def decision_of(self, sequence: int, index: int = 0) -> DecisionRow:
        rows = [row for row in self.all_decisions if row.lane_seq == sequence]
        return sorted(rows, key=lambda row: row.decision_id)[index]

    def change(self, row: DecisionRow, **columns: Any) -> "MemoryLedger":
        fresh = [replace(row, **columns) if each is row else each for each in self.all_decisions]
        return replace(self, all_decisions=fresh)

    def change_batch(self, sequence: int, **columns: Any) -> "MemoryLedger":
        fresh = [
            replace(each, **columns) if each.sequence == sequence else each
            for each in self.all_batches
        ]
        return replace(self, all_batches=fresh)

    def without(self, row: DecisionRow) -> "MemoryLedger":
        return replace(self, all_decisions=[each for each in self.all_decisions if each is not row])

    def without_batches(self, *sequences: int) -> "MemoryLedger":
        rows = [each for each in self.all_batches if each.sequence not in sequences]
        return replace(self, all_batches=rows)

    def head(self, sequence: int) -> Head:
        return Head.of(next(row for row in self.all_batches if row.sequence == sequence))

    def anchors(self, *sequences: int) -> list[Anchor]:
        """Return a chain of anchors, one for each place of the lane."""
        found: list[Anchor] = []
        for number, sequence in enumerate(sequences):
            previous = found[-1].hash if found else GENESIS
            found.append(Anchor(number, number, (self.head(sequence),), previous))
        return found


def ledger(batches: int = 3, size: int = 3) -> MemoryLedger:
    """Return a lane of an opening, batches of decisions, and nothing wrong."""
    truth = MemoryTruth()
    truth.add_customer("c-p1", "p1")
    program = BatchProgram(Lane("lane"), HandClock(), CountingIds(), FixedChance())
    truth.run(program.open_lane("test"))
    for batch in range(batches):
        truth.run(program.record([entry(f"k{batch}-{number}") for number in range(size)]))
    rows = truth.state.batches
    return MemoryLedger([rows[key] for key in sorted(rows)], list(truth.state.decisions.values()))
