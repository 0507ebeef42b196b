"""What all processes of a history share: stores that interleave, fail and watch themselves."""

import asyncio
import itertools
from collections.abc import Sequence
from typing import Final

from adapters.stores.model import schema
from adapters.stores.model.cache import ModelCache
from adapters.stores.model.database import Database
from adapters.stores.model.event_stream import ModelEventStream
from adapters.stores.model.storage import Key, ModelStorage
from adapters.stores.model.stream import Stream
from adapters.stores.model.versioned import Stored, Verdict, VersionedStore
from tests.simulation.kernel.faults import Faults
from tests.simulation.kernel.store_faults import StoreFaults
from tests.simulation.platform.plan import Plan
from tests.simulation.platform.ports import START, ModelVault, Tally, VirtualClock

#: Less than in production, and than a late COMMIT takes: a history is shorter for it.
LOCK_WAIT_S: Final = 0.3
KILL_LAG_S: Final = 0.05
FORGETS: Final = 0.05


class WatchedStore(VersionedStore[Key]):
    """Notes every write after which a row is older than before, whoever made it and when."""

    def __init__(self, name: str, hooks: StoreFaults) -> None:
        super().__init__(name, hooks)
        self.setbacks: Final[list[str]] = []

    def _put(self, key: Key, new: Stored) -> Verdict:
        before = self._rows.get(key)
        verdict = super()._put(key, new)
        after = self._rows[key]
        if before is not None and _is_setback(before, after):
            place = "/".join((self.name, *key))
            self.setbacks.append(f"{place}: {before.version} became {after.version}")
        return verdict


def _is_setback(before: Stored, after: Stored) -> bool:
    return after.version < before.version or (
        after.version == before.version and after.row != before.row
    )


class Stores:
    """The stores of one history, empty."""

    def __init__(self, plan: Plan, faults: Faults) -> None:
        self.seed: Final = plan.seed
        self.faults: Final = faults
        self.tally: Final = Tally()
        self.clock: Final = VirtualClock()
        self.serial: Final = itertools.count(1)
        self.given_up: Final[list[int]] = []
        self.database: Final = Database(
            schema.TABLES,
            StoreFaults(faults, "db"),
            lock_wait_timeout_s=LOCK_WAIT_S,
            kill_lag_s=lambda: faults.seconds(KILL_LAG_S),
        )
        self.rows: Final = {
            name: WatchedStore(name, StoreFaults(faults, name)) for name in ("keyspaces", "dynamodb")
        }
        self.keyspaces: Final = ModelStorage(self.rows["keyspaces"], self.clock)
        self.dynamodb: Final = ModelStorage(self.rows["dynamodb"], self.clock)
        self.cache: Final = ModelCache(
            self.clock, StoreFaults(faults, "cache"), forgets=lambda: faults.happens(FORGETS)
        )
        hooks = StoreFaults(faults, "stream")
        self.records: Final = Stream("events", plan.shards, hooks)
        self.stream: Final = ModelEventStream(self.records, self.clock, START, hooks)
        self.vault: Final = ModelVault(StoreFaults(faults, "vault"))

    async def outage(self, at_s: float) -> None:
        """Kill the server of the database for a moment."""
        await asyncio.sleep(at_s)
        self.faults.note("db", "outage")
        self.database.crash()
        await asyncio.sleep(self.faults.seconds(0.3))
        self.database.restart()

    def unfinished(self) -> list[str]:
        """Return what a relay or a mapping still has to do."""
        outbox = len(self.database.rows("outbox"))
        backlog = self.stream.backlog()
        return [
            *([f"{outbox} events wait in the outbox"] if outbox else []),
            *([f"{backlog} records wait in the stream"] if backlog else []),
        ]

    def setbacks(self) -> Sequence[str]:
        """Return every write that took a projection back."""
        return [each for store in self.rows.values() for each in store.setbacks]
