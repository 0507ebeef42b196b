"""The embedded platform as the demo sees it."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from adapters.bootstrap.platform import Core
from adapters.bootstrap.shipped import personal_loan
from adapters.security.tokens import SCOPES
from adapters.stores.embedded.agreement import compare
from consistency.outbox.statements import ReadOutbox
from domain.instants import epoch_micros
from domain.ports.time import Deadline

PRODUCING_SECONDS: Final = 60.0
POLL_SECONDS: Final = 0.1
SUBJECT: Final = "demo"
READ_MAX: Final = 1


@dataclass(slots=True)
class Handled:
    """How many records of the stream this process has handled; told by the mapping."""

    records: int = 0

    def add(self, _shard: str, records: int) -> None:
        """Count records that are done."""
        self.records += records


@dataclass(frozen=True, slots=True)
class EmbeddedDemoPlatform:
    """Implements the demo's `DemoPlatform`."""

    core: Core
    url: str
    counter: Handled = field(default_factory=Handled)

    @property
    def data(self) -> Path:
        """The data folder."""
        return self.core.stores.folder.root

    def token(self) -> str:
        """Return a token with every scope."""
        return self.core.stores.tokens.issue(SUBJECT, SCOPES)

    async def produce(self, records: Sequence[tuple[str, bytes]]) -> None:
        """Put records on the stream."""
        await self.core.stores.stream.put(records, self._deadline())

    async def caught_up(self, progress: Callable[[int], None]) -> None:
        """Wait until the mapping has handled every record of the stream."""
        while await self._behind():
            progress(self.counter.records)
            await asyncio.sleep(POLL_SECONDS)
        progress(self.counter.records)

    async def publish(self) -> dict[str, Any]:
        """Publish the shipped policy."""
        rulebook, new = await self.core.policies.publish(personal_loan(), self._deadline())
        policy = rulebook.policy
        return {
            "id": policy.policy_id,
            "version": policy.version,
            "hash": policy.content_hash,
            "published_now": new,
        }

    async def settle(self) -> None:
        """Wait until the outbox is empty and the stream handled."""
        while await self._unpublished():  # noqa: ASYNC110 - the outbox is a table, it has no event
            await asyncio.sleep(POLL_SECONDS)
        await self.caught_up(lambda _: None)

    async def compare_stores(self) -> tuple[int, int]:
        """Compare truth with the stores, outside the event loop."""
        stores = self.core.stores
        now_us = epoch_micros(stores.clock.now())
        found = await asyncio.to_thread(lambda: list(compare(stores.folder, now_us)))
        return sum(each.compared for each in found), sum(each.differing for each in found)

    async def _unpublished(self) -> bool:
        (events,) = await self.core.stores.truth.api.read([ReadOutbox(READ_MAX)], self._deadline())
        return bool(events)

    async def _behind(self) -> bool:
        stream = self.core.stores.stream
        for shard in await stream.shards():
            after = await stream.checkpoint(shard)
            if await stream.read(shard, after, READ_MAX):
                return True
        return False

    def _deadline(self) -> Deadline:
        return Deadline.after(self.core.stores.clock, PRODUCING_SECONDS)
