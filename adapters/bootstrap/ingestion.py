"""The ingestion side of a process: the Lambda handler in its thread, and what drives it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from adapters.bootstrap.stores import Stores
from adapters.inbound.lambdas.kinesis import build_handler
from adapters.settings import ServingSettings
from adapters.streams.event_source_mapping import EventSourceMapping, MappingSettings
from adapters.streams.local_lambda import FailureFolder, HandlerThread
from consistency.outbox.relay import OutboxRelay
from domain.ports.monitoring import Monitoring
from ingestion.process import ProcessBatch
from ingestion.project import Projector
from ingestion.report import BatchJournal

CODE_VERSION: Final = "0.1.0"
FAILED: Final = "failed-batches"
#: Customers in one truth transaction: the larger, the fewer flushes; the longer a decision waits.
CUSTOMERS_MAX: Final = 500


@dataclass(slots=True)
class Ingestion:
    """Stream to stores, and outbox to stream, as tasks of the platform's loop."""

    stores: Stores
    mapping: EventSourceMapping
    thread: HandlerThread
    relay: OutboxRelay
    committed: asyncio.Event = field(default_factory=asyncio.Event)
    _stop: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _tasks: "list[asyncio.Task[None]]" = field(default_factory=list, init=False)

    def start(self) -> None:
        """Begin to move events."""
        self._tasks = [
            asyncio.create_task(self.mapping.run(self._stop), name="event-source-mapping"),
            asyncio.create_task(self.relay.run(self._stop, self.committed), name="outbox-relay"),
        ]

    async def stop(self) -> None:
        """Finish the invocation under way and stop."""
        self._stop.set()
        await asyncio.gather(*self._tasks)
        await self.thread.close()


def build_ingestion(
    stores: Stores,
    settings: ServingSettings,
    monitoring: Monitoring,
    progress: Callable[[str, int], None],
) -> Ingestion:
    """Wire handler, mapping and relay of one process."""
    process = ProcessBatch(
        truth=stores.truth.handler,
        vault=stores.vault,
        projector=Projector(
            keyspaces=stores.keyspaces,
            dynamodb=stores.dynamodb,
            cache=stores.cache,
            truth=stores.truth.handler,
            clock=stores.clock,
            monitoring=monitoring,
        ),
        clock=stores.clock,
        monitoring=monitoring,
        journal=BatchJournal(
            stores.truth.handler, stores.ids, stores.clock, monitoring, CODE_VERSION
        ),
        customers_max=CUSTOMERS_MAX,
    )

    def build(run: Callable[[Any], Any]) -> Callable[..., object]:
        return build_handler(process, run, stores.clock, monitoring)

    thread = HandlerThread(build, stores.clock)
    mapping = EventSourceMapping(
        reader=stores.stream,
        invoke=thread,
        on_failure=FailureFolder(_private(stores.folder.root / FAILED)),
        sleep=asyncio.sleep,
        monitoring=monitoring,
        settings=MappingSettings(batch_size=settings.handler_batch),
        progress=progress,
    )
    relay = OutboxRelay(stores.truth.api, stores.stream, stores.clock, monitoring, asyncio.sleep)
    return Ingestion(stores, mapping, thread, relay)


def _private(folder: Path) -> Path:
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder
