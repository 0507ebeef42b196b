"""A projection store behind all wrappers of `adapters.resilience`: it must promise the same."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from adapters.resilience.guard import Guards
from adapters.resilience.guarded import GuardedReader, GuardedWriter
from adapters.resilience.hedge import HedgedReader
from adapters.resilience.retry import Retries, RetryingReader
from domain.ports.storage import Applied, DataStorage, ProjectionRow
from domain.ports.time import Deadline
from domain.retries import Budget
from tests.contracts.opened import Factory, FixedChance, HandClock, Opened
from tests.unit.decide.world import Counts


class GuardedStorage:
    """Hedged, tried again, guarded: as a store would be if everything were switched on."""

    def __init__(self, storage: DataStorage, clock: HandClock) -> None:
        self.name = storage.name
        self._storage = storage
        counts = Counts()
        guards = Guards.made(storage.name, clock, counts)
        guarded = GuardedReader(storage, guards.standard, clock)
        retries = Retries(storage.name, Budget(), clock, FixedChance(), counts)
        self._reader = HedgedReader(RetryingReader(guarded, retries), storage.name, clock, counts)
        self._writer = GuardedWriter(storage, guards.background, clock)

    async def read_item(
        self, customer_id: str, data_type: str, deadline: Deadline
    ) -> ProjectionRow | None:
        return await self._reader.read_item(customer_id, data_type, deadline)

    async def query(
        self, customer_id: str, prefix: str, limit: int, before: str, deadline: Deadline
    ) -> Sequence[ProjectionRow]:
        return await self._reader.query(customer_id, prefix, limit, before, deadline)

    async def put_if_newer(
        self, rows: Sequence[ProjectionRow], deadline: Deadline
    ) -> Sequence[Applied]:
        return await self._writer.put_if_newer(rows, deadline)

    def metrics(self) -> Mapping[str, float]:
        return self._storage.metrics()


@contextmanager
def guarded_storage(inner: Factory[DataStorage], folder: Path) -> Iterator[Opened[DataStorage]]:
    with inner(folder) as opened:
        yield Opened(GuardedStorage(opened.port, opened.clock), opened.clock, opened.run)
