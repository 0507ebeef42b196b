"""
A batch of stream records: truth first, then the projections, then one honest report.

Delivery is at least once and nothing here remembers anything: the inbox tells what is new, and
every projection is written again. A record counts as finished when truth and projections hold it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from domain.errors import CreditError
from domain.instants import epoch_micros
from domain.ports.keys import KeyVault
from domain.ports.monitoring import Monitoring
from domain.ports.stream import StreamRecord
from domain.ports.time import Clock, Deadline
from domain.ports.truth import Truth
from ingestion.intake import Work, take_in
from ingestion.park import Poison, seal_poison
from ingestion.program import Settled, StoredProfile, settle
from ingestion.project import Projector
from ingestion.report import BatchJournal, BatchReport
from ingestion.statements import TransactionWrite


@dataclass(frozen=True, slots=True)
class ProcessBatch:
    """
    Apply a batch of records, park what is poison, project what truth holds, and report.

    A port that is away stops the customers it concerns and nobody else; a poison record stops
    nobody. `customers_max` bounds a truth transaction, so that decisions need not wait for long;
    `reserve_s` is kept back from truth for the projections and the reply.
    """

    truth: Truth
    vault: KeyVault
    projector: Projector
    clock: Clock
    monitoring: Monitoring
    journal: BatchJournal | None = None
    customers_max: int = 500
    reserve_s: float = 1.0

    async def __call__(self, records: Sequence[StreamRecord], deadline: Deadline) -> BatchReport:
        """Process records of one shard, in their order; never raises for a port that is away."""
        started_us = epoch_micros(self.clock.now())
        until = Deadline(deadline.at - self.reserve_s)
        intake = await take_in(records, self.vault, until)
        tally = _Tally(unfinished=intake.unfinished)
        await self._settle(list(intake.works.values()), tally, until)
        await self._park(tally, until)
        if not await self.projector(tally.profiles, tally.rows, intake.own, deadline):
            tally.unfinished.extend(record.sequence for record in records)
        report = tally.report(len(records))
        self._measure(report)
        if self.journal is not None and records:
            await self.journal(records, report, started_us, deadline)
        return report

    async def _settle(self, works: Sequence[Work], tally: "_Tally", until: Deadline) -> None:
        for begin in range(0, len(works), self.customers_max):
            chunk = works[begin : begin + self.customers_max]
            if await self._settled(chunk, tally, until):
                continue
            # One customer may be the cause, so each stands for itself now.
            for work in chunk:
                if not await self._settled([work], tally, until):
                    tally.unfinished.append(work.first_sequence)

    async def _settled(self, works: Sequence[Work], tally: "_Tally", until: Deadline) -> bool:
        if not until.remaining(self.clock):
            return False
        now_us = epoch_micros(self.clock.now())
        try:
            tally.add(await self.truth.transact(lambda: settle(works, now_us), until))
        except CreditError as error:
            self.monitoring.count("ingestion_truth_failures", code=error.code)
            return False
        return True

    async def _park(self, tally: "_Tally", until: Deadline) -> None:
        """Park what only the inbox could tell to be poison."""
        works: dict[str, Work] = {}
        for poison in tally.conflicts:
            work = Work(poison.customer_id, poison.record.sequence)
            work = works.setdefault(poison.customer_id, work)
            try:
                work.parked.append(await seal_poison(poison, self.vault, until))
            except CreditError:
                tally.unfinished.append(poison.record.sequence)
        await self._settle(list(works.values()), tally, until)

    def _measure(self, report: BatchReport) -> None:
        for result in ("applied", "duplicates", "parked"):
            self.monitoring.count("ingestion_events", getattr(report, result), result=result)
        if report.failed_sequence is not None:
            self.monitoring.count("ingestion_unfinished_batches")


@dataclass(slots=True)
class _Tally:
    """What the transactions of a batch have come to so far."""

    unfinished: list[int]
    profiles: dict[str, StoredProfile] = field(default_factory=dict)
    rows: list[TransactionWrite] = field(default_factory=list)
    conflicts: list[Poison] = field(default_factory=list)
    applied: int = 0
    duplicates: int = 0
    parked: int = 0

    def add(self, settled: Settled) -> None:
        self.profiles.update(settled.profiles)
        self.rows.extend(settled.rows)
        self.conflicts.extend(settled.conflicts)
        self.applied += settled.applied
        self.duplicates += settled.duplicates
        self.parked += settled.parked

    def report(self, records: int) -> BatchReport:
        failed = min(self.unfinished, default=None)
        return BatchReport(records, self.applied, self.duplicates, self.parked, failed)
