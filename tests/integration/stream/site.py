"""Streams on a real server of Kinesis: made for one test, and what reads and writes them."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from adapters.aws.credentials import Credentials, FixedCredentials
from adapters.aws.endpoint import Endpoint
from adapters.aws.errors import AwsRefusedError
from adapters.aws.json_client import JsonClient
from adapters.aws.pool import Limits
from adapters.aws.retrying import Retrying, RetryPolicy
from adapters.stores.embedded.opening import Layout
from adapters.stores.embedded.sqlite_file import SqliteFile
from adapters.streams.checkpoints import DDL, VERSION, SqliteCheckpoints
from adapters.streams.kinesis import KinesisStream
from adapters.streams.kinesis_api import TARGET, KinesisApi
from adapters.streams.kinesis_reader import KinesisReader, ReaderLimits
from adapters.system import SystemClock
from domain.ports.stream import StreamRecord
from domain.ports.time import Clock, Deadline
from tests.contracts.opened import NEVER, Counted, FixedChance, HandClock
from tests.integration.shared.caches import PATIENCE_S, Loop
from tests.services.server import HOST

KEYS: Final = FixedCredentials(Credentials("AKIATEST", "secret"))
LIMITS: Final = Limits(connect_s=PATIENCE_S, attempt_s=PATIENCE_S)
#: No waits to speak of: a test is about what happens, not about when.
POLICY: Final = RetryPolicy(base_s=0.001, cap_s=0.002)
AT_ONCE: Final = ReaderLimits(reads_per_s=1e9, list_s=0.0)


def client_of(url: str, clock: Clock, limits: Limits = LIMITS) -> Retrying:
    client = JsonClient(
        Endpoint.of("kinesis", "us-east-1", url), KEYS, clock=clock, version="1.1", limits=limits
    )
    return Retrying(client, clock=clock, chance=FixedChance(), policy=POLICY)


def through(url: str, port: int) -> str:
    return urlsplit(url)._replace(netloc=f"{HOST}:{port}").geturl()


@dataclass(frozen=True, slots=True)
class Both:
    """Both sides of a stream as one, as the contract asks for it."""

    stream: KinesisStream
    reader: KinesisReader

    async def put(self, records: Sequence[tuple[str, bytes]], deadline: Deadline) -> None:
        await self.stream.put(records, deadline)

    async def shards(self) -> Sequence[str]:
        return await self.reader.shards()

    async def read(self, shard_id: str, after: int, limit: int) -> Sequence[StreamRecord]:
        return await self.reader.read(shard_id, after, limit)

    async def checkpoint(self, shard_id: str) -> int:
        return await self.reader.checkpoint(shard_id)

    async def set_checkpoint(self, shard_id: str, sequence: int) -> None:
        await self.reader.set_checkpoint(shard_id, sequence)


@dataclass(frozen=True, slots=True)
class Site:
    """A stream of its own on a server, and an administrator's way to it."""

    url: str
    name: str
    folder: Path
    loop: Loop
    admin: Retrying

    def ask(self, operation: str, **fields: Any) -> Any:
        payload = msgspec.json.encode({"StreamName": self.name, **fields})
        body = self.loop(self.admin.call(TARGET + operation, payload, NEVER))
        return msgspec.json.decode(body) if body else None

    def settle(self) -> None:
        """Wait until a change of the stream is done."""

        api = KinesisApi(self.admin, self.name)
        until = Deadline.after(SystemClock(), PATIENCE_S)
        while self.loop(api.describe(NEVER)).stream_status != "ACTIVE":
            until.check(SystemClock())

    @contextmanager
    def opened(
        self, clock: Clock | None = None, url: str = "", limits: Limits = LIMITS
    ) -> Iterator[Both]:
        """Both sides, as one process opens them; its checkpoints are those of the last one."""
        clock = clock or HandClock()
        client = client_of(url or self.url, clock, limits)
        layout = Layout("checkpoints", VERSION, DDL)
        file = SqliteFile(self.folder / "checkpoints.sqlite", layout, clock)
        api = KinesisApi(client, self.name)
        checkpoints = SqliteCheckpoints(file)
        try:
            yield Both(
                KinesisStream(api, clock=clock, monitoring=Counted()),
                KinesisReader(api, checkpoints, clock=clock, sleep=asyncio.sleep, limits=AT_ONCE),
            )
        finally:
            self.loop(client.close())
            checkpoints.close()


@contextmanager
def site_on(url: str, name: str, folder: Path, loop: Loop, shards: int) -> Iterator[Site]:
    """A new stream, and afterwards none."""
    admin = client_of(url, HandClock())
    site = Site(url, name, folder, loop, admin)
    site.ask("CreateStream", ShardCount=shards)
    try:
        site.settle()
        yield site
    finally:
        with suppress(AwsRefusedError):
            site.ask("DeleteStream")
        loop(admin.close())
