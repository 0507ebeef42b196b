"""
The services profile's projections and stream on their servers: Cassandra, DynamoDB, Kinesis.

They are connected at first use: while one of them is away the process starts and decides without
it. Whether they are as they have to be, the doctor's look tells before a start.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from typing import Final

from adapters.aws.credentials import (
    ChainCredentials,
    Credentials,
    CredentialSource,
    FixedCredentials,
)
from adapters.aws.endpoint import Endpoint
from adapters.aws.json_client import JsonClient
from adapters.aws.retrying import Retrying
from adapters.settings import ServicesSettings
from adapters.stores.dynamodb import breaker_table
from adapters.stores.dynamodb.breaker_board import DynamoBreakerBoard
from adapters.stores.dynamodb.storage import DynamoStorage
from adapters.stores.embedded.opening import Layout
from adapters.stores.embedded.sqlite_file import SqliteFile
from adapters.stores.keyspaces.address import Address, Password, Tls
from adapters.stores.keyspaces.preparing import prepare as prepare_wide
from adapters.stores.keyspaces.storage import KeyspacesStorage
from adapters.streams.checkpoints import DDL, VERSION, SqliteCheckpoints
from adapters.streams.kinesis import KinesisStream
from adapters.streams.kinesis_api import KinesisApi
from adapters.streams.kinesis_reader import KinesisReader
from adapters.streams.two_sided import TwoSidedStream
from adapters.system import SystemChance, SystemClock
from adapters.telemetry.lines import LineWriter
from adapters.telemetry.logs import Logs, at_least
from adapters.telemetry.metrics import Metrics
from adapters.telemetry.monitoring import Telemetry
from domain.ports.monitoring import Monitoring
from domain.ports.time import Clock, Deadline

WIDE: Final = "wide store"
HOT: Final = "hot store"
STREAM: Final = "stream"
BREAKERS: Final = "breakers"
CHECKPOINTS: Final = "checkpoints.sqlite"
STARTING_SECONDS: Final = 10.0
#: What making a table or a stream takes at most.
PREPARING_SECONDS: Final = 120.0


@dataclass(frozen=True, slots=True)
class ProjectionServers:
    """The two projections and the stream, connected at first use."""

    keyspaces: KeyspacesStorage
    dynamodb: DynamoStorage
    stream: TwoSidedStream
    #: Where each of them is, for people.
    places: Mapping[str, str]

    def checks(self) -> Iterator[tuple[str, Callable[[Deadline], Awaitable[object]]]]:
        """Yield each server's name and what looks whether it is as it has to be."""
        yield WIDE, self.keyspaces.check
        yield HOT, self.dynamodb.check
        yield STREAM, self.stream.producer.check


def projection_servers(
    settings: ServicesSettings,
    clock: Clock,
    monitoring: Monitoring,
    folder: Path,
    opened: AsyncExitStack,
) -> ProjectionServers:
    """
    Return what talks to the servers; nothing is asked yet, and all is closed with the stack.

    Raises:
        PermanentError: a setting names nothing; the sentence says which.
    """
    chance = SystemChance()
    address = wide_address(settings)
    wide = KeyspacesStorage(address, clock=clock, chance=chance)
    opened.push_async_callback(wide.aclose)
    keys = credentials(settings, clock)
    near = _client("dynamodb", settings, keys, clock)
    hot = DynamoStorage(near, clock=clock, chance=chance, table=settings.dynamodb_table)
    opened.push_async_callback(hot.close)
    client = _client("kinesis", settings, keys, clock)
    opened.push_async_callback(client.close)
    api = KinesisApi(Retrying(client, clock=clock, chance=chance), settings.kinesis_stream)
    layout = Layout("checkpoints", VERSION, DDL)
    checkpoints = SqliteCheckpoints(SqliteFile(folder / CHECKPOINTS, layout, clock))
    opened.callback(checkpoints.close)
    stream = TwoSidedStream(
        KinesisStream(api, clock=clock, monitoring=monitoring),
        KinesisReader(api, checkpoints, clock=clock, sleep=asyncio.sleep),
    )
    places = {
        WIDE: f"{address.host}:{address.port}, keyspace {address.keyspace}",
        HOT: f"{near.endpoint.authority}, table {settings.dynamodb_table}",
        STREAM: f"{client.endpoint.authority}, stream {settings.kinesis_stream}",
    }
    return ProjectionServers(wide, hot, stream, places)


def breaker_board(
    settings: ServicesSettings, clock: Clock, monitoring: Monitoring
) -> DynamoBreakerBoard:
    """
    Return where processes see each other's breakers, on connections of its own; nothing is asked.

    Raises:
        PermanentError: a setting names nothing; the sentence says which.
    """
    client = _client("dynamodb", settings, credentials(settings, clock), clock)
    retrying = Retrying(client, clock=clock, chance=SystemChance())
    return DynamoBreakerBoard(retrying, region=settings.aws_region, monitoring=monitoring)


def board_place(settings: ServicesSettings) -> str:
    """
    Return where the breakers' table is, for people.

    Raises:
        PermanentError: a setting names nothing; the sentence says which.
    """
    return f"{_endpoint('dynamodb', settings).authority}, table {breaker_table.NAME}"


def named(settings: ServicesSettings) -> None:
    """
    Do nothing when the settings name servers.

    Raises:
        PermanentError: one names nothing; the sentence says which.
    """
    credentials(settings, SystemClock())
    if settings.projections == "servers":
        wide_address(settings)
        for service in ("dynamodb", "kinesis"):
            _endpoint(service, settings)
    if settings.shared_breakers == "yes":
        board_place(settings)


def wide_address(settings: ServicesSettings) -> Address:
    """
    Return where the wide store is.

    Raises:
        PermanentError: the setting is no address.
    """
    login = None
    if settings.cassandra_user:
        login = Password(settings.cassandra_user, settings.cassandra_password)
    return Address.cassandra(
        settings.cassandra_address,
        settings.cassandra_datacenter,
        tls=Tls(settings.cassandra_ca) if settings.cassandra_ca else None,
        login=login,
    )


def credentials(settings: ServicesSettings, clock: Clock) -> CredentialSource:
    """Return the keys of the settings, or the finder of the AWS SDK where there are none."""
    if not settings.aws_access_key_id:
        return ChainCredentials(clock)
    given = (settings.aws_access_key_id, settings.aws_secret_access_key, settings.aws_session_token)
    return FixedCredentials(Credentials(*given))


async def prepared(settings: ServicesSettings) -> dict[str, str]:
    """
    Make what is to be on servers and is not there, look at it, and return the places.

    That is keyspace, table and stream, and the breakers' table where processes share these.

    Raises:
        PermanentError: what is there is another, or we may not make it.
        TransientError: a server is away.
    """
    clock = SystemClock()
    deadline = Deadline.after(clock, PREPARING_SECONDS)
    places: dict[str, str] = {}
    if settings.projections == "servers":
        await asyncio.to_thread(prepare_wide, wide_address(settings), clock, _wait)
        async with visited(settings, clock) as servers:
            await servers.dynamodb.create(deadline)
            await servers.stream.producer.create(settings.stream_shards, deadline)
            for _, check in servers.checks():
                await check(deadline)
            places |= servers.places
    if settings.shared_breakers == "yes":
        async with visited_board(settings, clock) as board:
            await board.create(deadline)
        places[BREAKERS] = board_place(settings)
    return places


@asynccontextmanager
async def visited(settings: ServicesSettings, clock: Clock) -> AsyncIterator[ProjectionServers]:
    """Have the servers for a look, without a data folder."""
    with TemporaryDirectory() as folder:
        async with AsyncExitStack() as opened:
            yield projection_servers(settings, clock, _said(clock), Path(folder), opened)


@asynccontextmanager
async def visited_board(
    settings: ServicesSettings, clock: Clock
) -> AsyncIterator[DynamoBreakerBoard]:
    """Have the board of breakers for a look."""
    board = breaker_board(settings, clock, _said(clock))
    try:
        yield board
    finally:
        await board.close()


def _said(clock: Clock) -> Monitoring:
    """Return what tells of warnings only, on standard error."""
    return Telemetry(Metrics(), Logs(LineWriter(sys.stderr), clock, sampler=at_least("warning")))


def _wait(seconds: float) -> None:
    Event().wait(seconds)


def _client(
    service: str, settings: ServicesSettings, keys: CredentialSource, clock: Clock
) -> JsonClient:
    version = "1.0" if service == "dynamodb" else "1.1"
    return JsonClient(_endpoint(service, settings), keys, clock=clock, version=version)


def _endpoint(service: str, settings: ServicesSettings) -> Endpoint:
    urls = {"dynamodb": settings.dynamodb_endpoint, "kinesis": settings.kinesis_endpoint}
    return Endpoint.of(service, settings.aws_region, urls[service])
