"""The processes of the platform, wired as in production, each started again when it dies."""

import asyncio
import random
from collections.abc import Coroutine
from typing import Any, Final, Protocol

from adapters.inbound.lambdas import kinesis
from adapters.stores.model.truth import ModelTruth
from adapters.streams.event_source_mapping import (
    EventSourceMapping,
    FailedBatch,
    LambdaEvent,
    MappingSettings,
)
from adapters.streams.progress import CheckpointProgress
from consistency.outbox.relay import OutboxRelay
from decision_engine.commands import DecideCommand, Recorded
from decision_engine.decide import CreditApproval
from decision_engine.gather import Gather, Tiers
from decision_engine.loss_check import LossCheck
from decision_engine.record.lookup import KeyLookup
from decision_engine.record.writer import LedgerWriter
from decision_engine.rulebook import Rulebooks
from domain.errors import CreditError, TransientError
from domain.ports.time import Deadline
from ingestion.process import ProcessBatch
from ingestion.project import Projector
from tests.simulation.kernel.process import Process, ProcessDownError
from tests.simulation.platform.plan import Ask
from tests.simulation.platform.policy import application, rulebook
from tests.simulation.platform.ports import SeededChance, SeededIds
from tests.simulation.platform.stores import Stores

RESTART_S: Final = 0.04
REQUEST_S: Final = 2.0
INVOCATION_S: Final = 10.0
IDLE_S: Final = 0.4


class Program(Protocol):
    """What runs in a process, from its start to its end; a restart makes a new one."""

    async def start(self) -> None:
        """Begin; a CreditError ends the process, which is then started again."""

    async def stop(self) -> None:
        """End in good order."""


class Service:
    """A process and whoever starts it again when it dies."""

    def __init__(self, name: str, stores: Stores) -> None:
        self.process: Final = Process(name)
        self.stores: Final = stores
        self._died = asyncio.Event()
        self._ready = asyncio.Event()
        self._program: Program | None = None

    def build(self) -> Program:
        """Return what is to run, with nothing remembered from before."""
        raise NotImplementedError

    async def supervise(self) -> None:
        """Start it, and again whenever it is down."""
        while True:
            self._died.clear()
            self.process.life.on_kill(self._on_kill)
            program = self.build()
            try:
                await self.process.call(program.start())
            except (CreditError, ProcessDownError):
                self.process.kill()
            if self.process.alive:
                self._program = program
                self._ready.set()
                self.stores.say(self.process.life.name, "is up")
                await self._died.wait()
            await asyncio.sleep(RESTART_S)
            self.process.restart()

    async def stop(self) -> None:
        """Wait until it is up, and end it in good order; nothing fails any more."""
        await self._ready.wait()
        if self._program is not None:
            await self.process.call(self._program.stop())

    def running(self) -> Program:
        """Return what runs; TransientError while it starts."""
        if self._program is None:
            raise TransientError("the process is not up")
        return self._program

    def _on_kill(self) -> None:
        self._program = None
        self._ready.clear()
        self.stores.say(self.process.life.name, "is down")
        self._died.set()

    def truth(self, name: str = "") -> ModelTruth:
        """Return a connection of this process to the store of truth."""
        stores = self.stores
        owner = name or self.process.life.name
        return ModelTruth(stores.database, owner, stores.serial, stores.clock)

    def chance(self, what: str) -> random.Random:
        """Return chance of this life alone."""
        return random.Random(f"{what} {self.stores.plan.seed} {self.process.life.name}")


class Api(Service):
    """A process that answers decisions."""

    def build(self) -> "ApiProgram":
        return ApiProgram(self)

    async def decide(self, ask: Ask) -> Recorded:
        """Answer as the route does: the command is bound to the life that takes it."""
        program = self.running()
        assert isinstance(program, ApiProgram)
        return await self.process.call(program.decide(ask))


class ApiProgram:
    """The decision engine of one life."""

    def __init__(self, api: Api) -> None:
        stores = self._stores = api.stores
        self._truth: Final = api.truth()
        self._beside: Final = api.truth(f"{api.process.life.name}-beside")
        self._second: Final = api.truth(f"{api.process.life.name}-second")
        tiers = Tiers(stores.cache, stores.dynamodb, stores.dynamodb, self._truth)
        self._gather: Final = Gather(tiers, stores.clock, stores.tally)
        self._writer: Final = LedgerWriter(
            self._truth,
            stores.clock,
            SeededIds(api.chance("ids")),
            SeededChance(api.chance("chance")),
            stores.tally,
            api.process.life.name,
            second=self._second,
            beside=[self._beside],
        )
        rulebooks = Rulebooks.empty("2026.1")
        rulebooks.activate(rulebook())
        lookup = KeyLookup(self._truth, stores.clock)
        losses = LossCheck(
            self._truth,
            stores.dynamodb,
            stores.keyspaces,
            CheckpointProgress(stores.stream),
            stores.clock,
            stores.tally,
        )
        self._approval: Final = CreditApproval(
            self._gather, rulebooks, self._writer, lookup, losses, stores.clock, stores.tally
        )

    async def start(self) -> None:
        await self._writer.start()

    async def stop(self) -> None:
        await self._gather.close()
        await self._writer.stop()
        await self._beside.close()
        await self._second.close()
        await self._truth.close()

    async def decide(self, ask: Ask) -> Recorded:
        return await self._approval(
            DecideCommand(
                client_id="client",
                idem_key=ask.key,
                command_hash=ask.command_hash,
                application=application(ask.customer_id, ask.reference or None),
                language="en",
                deadline=Deadline.after(self._stores.clock, REQUEST_S),
            )
        )


class Ingest(Service):
    """The event source mapping with the Lambda function behind it."""

    def build(self) -> "IngestProgram":
        return IngestProgram(self)


class IngestProgram:
    """The handler's use case, driven by the mapping."""

    def __init__(self, service: Ingest) -> None:
        stores = self._stores = service.stores
        self._service: Final = service
        self._truth: Final = service.truth()
        projector = Projector(
            stores.keyspaces, stores.dynamodb, stores.cache, self._truth, stores.clock, stores.tally
        )
        self._process: Final = ProcessBatch(
            self._truth, stores.vault, projector, stores.clock, stores.tally
        )
        self._loop: Final = Loop()

    async def start(self) -> None:
        stores = self._stores
        settings = MappingSettings(
            batch_size=stores.plan.trouble.batch_size,
            first_wait_s=0.02,
            longest_wait_s=0.5,
            idle_s=IDLE_S,
        )
        mapping = EventSourceMapping(
            stores.stream, self._invoke, self._give_up, asyncio.sleep, stores.tally, settings
        )
        self._loop.begin(self._service, mapping.run(self._loop.stop))

    async def stop(self) -> None:
        await self._loop.end()
        await self._truth.close()

    async def _invoke(self, event: LambdaEvent) -> object:
        # The handler itself drives a loop of its own, so here stands what it does around that.
        records = [kinesis._record(raw) for raw in event["Records"]]
        deadline = Deadline.after(self._stores.clock, INVOCATION_S)
        report = await self._process(records, deadline)
        return kinesis._reply(report.failed_sequence, event["Records"])

    async def _give_up(self, batch: FailedBatch) -> None:
        self._stores.given_up.extend(record.sequence for record in batch.records)


class Relay(Service):
    """A relay; two of them publish everything twice when they meet, as zombies do."""

    def build(self) -> "RelayProgram":
        return RelayProgram(self)


class RelayProgram:
    """The relay of one life."""

    def __init__(self, service: Relay) -> None:
        stores = service.stores
        self._service: Final = service
        self._truth: Final = service.truth()
        self._relay: Final = OutboxRelay(
            self._truth, stores.stream, stores.clock, stores.tally, asyncio.sleep,
            events_max=6, idle_s=IDLE_S, retry_s=0.05,
        )  # fmt: skip
        self._loop: Final = Loop()

    async def start(self) -> None:
        self._loop.begin(self._service, self._relay.run(self._loop.stop, asyncio.Event()))

    async def stop(self) -> None:
        await self._loop.end()
        await self._truth.close()


class Loop:
    """A background task that ends when it is asked to."""

    def __init__(self) -> None:
        self.stop: Final = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def begin(self, service: Service, work: Coroutine[Any, Any, None]) -> None:
        self._task = service.process.spawn(work)

    async def end(self) -> None:
        self.stop.set()
        if self._task is not None:
            await self._task
