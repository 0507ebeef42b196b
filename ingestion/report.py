"""What became of a batch: for whoever delivers records, and for operators."""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.errors import CreditError
from domain.instants import epoch_micros, from_epoch_micros
from domain.ports.monitoring import Monitoring
from domain.ports.stream import StreamRecord
from domain.ports.time import Clock, Deadline, Ids
from domain.ports.truth import Begin, Commit, Program, Truth
from ingestion.statements import IngestionBatchRow, InsertIngestionBatch


@dataclass(frozen=True, slots=True)
class BatchReport:
    """
    What became of a batch.

    `failed_sequence` is the lowest sequence number that is not finished, or None: everything from
    it on must be delivered again, and what was finished after it comes as duplicates.
    """

    records: int
    applied: int
    duplicates: int
    parked: int
    failed_sequence: int | None


@dataclass(frozen=True, slots=True)
class BatchJournal:
    """Writes one row an invocation; telemetry, so a batch is never failed for it."""

    truth: Truth
    ids: Ids
    clock: Clock
    monitoring: Monitoring
    code_version: str

    async def __call__(
        self,
        records: Sequence[StreamRecord],
        report: BatchReport,
        started_us: int,
        deadline: Deadline,
    ) -> None:
        """Write the row of a batch with at least one record, or count that it could not be."""
        row = self._row(records, report, started_us)
        try:
            await self.truth.transact(lambda: _insert(row), deadline)
        except CreditError as error:
            self.monitoring.count("ingestion_journal_failures", code=error.code)

    def _row(
        self, records: Sequence[StreamRecord], report: BatchReport, started_us: int
    ) -> IngestionBatchRow:
        return IngestionBatchRow(
            batch_id=self.ids.uuid7(from_epoch_micros(started_us)),
            shard_id=records[0].shard_id,
            first_sequence=str(records[0].sequence),
            last_sequence=str(records[-1].sequence),
            records=report.records,
            applied=report.applied,
            duplicates=report.duplicates,
            parked=report.parked,
            failed=int(report.failed_sequence is not None),
            started_us=started_us,
            finished_us=epoch_micros(self.clock.now()),
            code_version=self.code_version,
        )


def _insert(row: IngestionBatchRow) -> Program[None]:
    yield (Begin(), InsertIngestionBatch(row), Commit())
