"""The use case with all its ports in memory, and short ways to ask what came of it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from domain.customer import CreditData
from domain.ports.stream import StreamRecord
from domain.ports.time import Deadline
from domain.profile_bytes import profile_from_bytes
from ingestion.process import ProcessBatch
from ingestion.project import Projector
from ingestion.report import BatchJournal, BatchReport
from tests.unit.ingestion.fakes import (
    FAR,
    FakeCache,
    FakeClock,
    FakeIds,
    FakeMonitoring,
    FakeProjection,
    FakeTruth,
    FakeVault,
)


@dataclass
class World:
    """Every port of `ProcessBatch`, and the use case over them."""

    truth: FakeTruth = field(default_factory=FakeTruth)
    vault: FakeVault = field(default_factory=FakeVault)
    keyspaces: FakeProjection = field(default_factory=FakeProjection)
    dynamodb: FakeProjection = field(default_factory=FakeProjection)
    cache: FakeCache = field(default_factory=FakeCache)
    clock: FakeClock = field(default_factory=FakeClock)
    monitoring: FakeMonitoring = field(default_factory=FakeMonitoring)
    ids: FakeIds = field(default_factory=FakeIds)
    customers_max: int = 500
    with_journal: bool = False

    @property
    def process(self) -> ProcessBatch:
        return ProcessBatch(
            truth=self.truth,
            vault=self.vault,
            projector=self.projector,
            clock=self.clock,
            monitoring=self.monitoring,
            journal=self.journal if self.with_journal else None,
            customers_max=self.customers_max,
            reserve_s=1.0,
        )

    @property
    def projector(self) -> Projector:
        return Projector(
            keyspaces=self.keyspaces,
            dynamodb=self.dynamodb,
            cache=self.cache,
            truth=self.truth,
            clock=self.clock,
            monitoring=self.monitoring,
        )

    @property
    def journal(self) -> BatchJournal:
        return BatchJournal(self.truth, self.ids, self.clock, self.monitoring, "code-1")

    def run(self, records: Sequence[StreamRecord], deadline: Deadline = FAR) -> BatchReport:
        return asyncio.run(self.process(records, deadline))

    def profile(self, customer_id: str = "c-1") -> CreditData:
        return profile_from_bytes(self.truth.tables.profiles[customer_id].payload)

    def projected(self, customer_id: str = "c-1") -> list[bytes]:
        """Return the bytes of a profile in keyspaces, dynamodb and the cache."""
        stores = (self.keyspaces, self.dynamodb)
        found = [store.rows[(customer_id, "CUSTOMER_PROFILE")].payload for store in stores]
        return [*found, self.cache.held[f"profile:{customer_id}"][1]]

    def agrees(self) -> bool:
        """Return whether every projection holds what truth holds."""
        return all(
            self.projected(name) == [write.payload] * 3
            for name, write in self.truth.tables.profiles.items()
        )
