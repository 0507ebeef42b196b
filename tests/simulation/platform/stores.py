"""What all processes of a history share: stores that interleave, fail and watch themselves."""

import asyncio
import itertools
from collections.abc import Sequence
from contextvars import Context
from typing import Final

from adapters.stores.model import schema
from adapters.stores.model.cache import ModelCache
from adapters.stores.model.database import Database
from adapters.stores.model.event_stream import ModelEventStream
from adapters.stores.model.storage import Key, ModelStorage
from adapters.stores.model.stream import Stream
from adapters.stores.model.versioned import Stored, Verdict, VersionedStore
from tests.simulation.kernel.faults import Faults
from tests.simulation.platform.hooks import DatabaseHooks, StoreHooks
from tests.simulation.platform.plan import Plan
from tests.simulation.platform.ports import START, ModelVault, Tally, VirtualClock

#: Less than in production, and than a late COMMIT takes: a history is shorter for it.
LOCK_WAIT_S: Final = 0.25
KILL_LAG_S: Final = 0.05
OUTAGE_S: Final = 0.2
FORGETS: Final = 0.05


class WatchedStore(VersionedStore[Key]):
    """Notes every write after which a row is older than before, whoever made it and when."""

    def __init__(self, name: str, hooks: StoreHooks) -> None:
        super().__init__(name, hooks)
        self.setbacks: Final[list[str]] = []

    def held(self, customer_id: str, data_type: str) -> Stored | None:
        """Return what is stored, for checkers: no call, no fault."""
        return self._rows.get((customer_id, data_type))

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
        self.plan: Final = plan
        self.faults: Final = faults
        self.tally: Final = Tally()
        self.clock: Final = VirtualClock()
        self.serial: Final = itertools.count(1)
        self._is_down = False
        self.given_up: Final[list[int]] = []
        self.log: Final[list[tuple[float, str, str]]] = []
        self.database: Final = Database(
            schema.TABLES,
            DatabaseHooks(faults, "db", self._die),
            lock_wait_timeout_s=LOCK_WAIT_S,
            kill_lag_s=lambda: faults.seconds(KILL_LAG_S),
        )
        self.rows: Final = {
            name: WatchedStore(name, StoreHooks(faults, name)) for name in ("keyspaces", "dynamodb")
        }
        self.keyspaces: Final = ModelStorage(self.rows["keyspaces"], self.clock)
        self.dynamodb: Final = ModelStorage(self.rows["dynamodb"], self.clock)
        self.cache: Final = ModelCache(
            self.clock, StoreHooks(faults, "cache"), forgets=lambda: faults.happens(FORGETS)
        )
        hooks = StoreHooks(faults, "stream")
        self.records: Final = Stream("events", plan.trouble.shards, hooks)
        self.stream: Final = ModelEventStream(self.records, self.clock, START, hooks)
        self.vault: Final = ModelVault(StoreHooks(faults, "vault"))

    def say(self, who: str, what: str) -> None:
        """Note what somebody outside the stores did, for the trace of a history."""
        self.log.append((self.clock.monotonic(), who, what))

    async def outage(self, at_s: float) -> None:
        """Kill the server of the database for a moment."""
        await asyncio.sleep(at_s)
        self._die()

    def _die(self) -> None:
        if self._is_down:
            return
        self._is_down = True
        self.faults.note("db", "outage")
        self.database.crash()
        # It comes back whatever becomes of the process in whose call it died.
        back_in_s = self.faults.seconds(OUTAGE_S)
        asyncio.get_running_loop().call_later(back_in_s, self._come_back, context=Context())

    def _come_back(self) -> None:
        self._is_down = False
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
