"""
The services profile's stores: what processes share on servers, and what is still a file of each.

Truth is on MySQL, profiles are cached on Redis, person keys in a database of their own; projections
and stream are on Cassandra, DynamoDB and Kinesis, or files of the process's own folder where the
settings say so.
"""

from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from datetime import datetime
from typing import Final

from adapters.bootstrap.projection_servers import projection_servers
from adapters.bootstrap.stores import (
    At,
    Projected,
    Stores,
    Truths,
    anchor_file,
    claimed,
    embedded_files,
    kept,
    nowhere,
)
from adapters.mysql_address import MysqlAddress
from adapters.security.key_ring import KeyRing
from adapters.security.mysql_key_vault import MysqlKeyVault
from adapters.security.request_keys import RequestKeys
from adapters.security.signing_key import SigningKey
from adapters.security.tokens import TokenKey
from adapters.settings import ServicesSettings
from adapters.stores.embedded.directory import (
    INDEX_KEY,
    REQUEST_KEY,
    SIGNING_KEY,
    TOKEN_KEY,
    WRAPPING_KEY,
    DataFolder,
)
from adapters.stores.redis.cache import RedisCache
from adapters.stores.sql.migrations.version import READ_REVISION, check_revision
from adapters.stores.sql.mysql_reader import MysqlReplica, ReaderTruth
from adapters.stores.sql.mysql_truth import MysqlTruth
from adapters.stores.sql.pymysql_truth import PymysqlTruth
from adapters.system import SystemChance, SystemClock, SystemIds
from domain.errors import TransientError
from domain.ports.monitoring import Monitoring
from domain.ports.time import Deadline
from domain.ports.truth import ServerError, Truth

STARTING_SECONDS: Final = 10.0


async def open_services(
    settings: ServicesSettings,
    monitoring: Monitoring,
    begin: datetime | None = None,
    at: At = nowhere,
) -> Stores:
    """
    Connect to the servers and claim the data folder of this process.

    Raises:
        PermanentError: settings, schema, key files or rights do not fit; what to do is said.
        TransientError: the database is away: without truth there is nothing to start.
    """
    async with AsyncExitStack() as opened:
        stores = await _open(settings, monitoring, begin, at, opened)
        # From here on whoever asked for the stores closes them.
        return replace(stores, opened=opened.pop_all())


async def _open(
    settings: ServicesSettings,
    monitoring: Monitoring,
    begin: datetime | None,
    at: At,
    opened: AsyncExitStack,
) -> Stores:
    folder = claimed(settings, opened)
    real = SystemClock()
    clock = real if begin is None else SystemClock((begin - real.now()).total_seconds())
    deadline = Deadline.after(clock, STARTING_SECONDS)
    truth = await _truths(settings, clock, monitoring, at, opened)
    keys = settings.keys.expanduser()
    keys.mkdir(mode=0o700, parents=True, exist_ok=True)
    vault = kept(
        opened,
        MysqlKeyVault(
            settings.keys_mysql_url,
            kek=KeyRing.load_or_create(keys / WRAPPING_KEY),
            index=KeyRing.load_or_create(keys / INDEX_KEY),
            clock=clock,
        ),
    )
    await vault.prepare(deadline)
    cache = RedisCache(
        settings.redis_url, clock=clock, chance=SystemChance(), monitoring=monitoring
    )
    opened.push_async_callback(cache.close)
    # Without the cache decisions come from below; with wrong settings nobody would ever notice.
    with suppress(TransientError):
        await cache.check(deadline)
    # Made at the first start: a pack signed with a key that came later would prove nothing.
    SigningKey.load_or_create(keys / SIGNING_KEY)
    return Stores(
        folder=folder,
        clock=clock,
        ids=SystemIds(),
        chance=SystemChance(),
        truth=truth,
        cache=cache,
        buckets=cache.buckets(),
        vault=vault,
        tokens=TokenKey.load_or_create(keys / TOKEN_KEY),
        request_keys=RequestKeys.load_or_create(keys / REQUEST_KEY),
        anchors=anchor_file(folder, settings),
        opened=opened,
        **_projected(folder, settings, clock, monitoring=monitoring, at=at, opened=opened),
    )


def _projected(
    folder: DataFolder,
    settings: ServicesSettings,
    clock: SystemClock,
    *,
    monitoring: Monitoring,
    at: At,
    opened: AsyncExitStack,
) -> Projected:
    if settings.projections == "files":
        return embedded_files(folder, settings, clock, at, opened)
    servers = projection_servers(settings, clock, monitoring, folder.root, opened)
    return Projected(keyspaces=servers.keyspaces, dynamodb=servers.dynamodb, stream=servers.stream)


async def _truths(
    settings: ServicesSettings,
    clock: SystemClock,
    monitoring: Monitoring,
    at: At,
    opened: AsyncExitStack,
) -> Truths:
    address = MysqlAddress.parse(settings.mysql_url, "MYSQL_URL")
    api = MysqlTruth(address, clock, settings.mysql_connections, at=at)
    ledger = MysqlTruth(address, clock, 1, at=at)
    beside = MysqlTruth(address, clock, 1, at=at)
    second = MysqlTruth(address, clock, 1, at=at)
    for truth in (api, ledger, beside, second):
        opened.push_async_callback(truth.close)
    handler = PymysqlTruth(address, clock, at=at)
    opened.push_async_callback(handler.close)
    await check_schema(api, Deadline.after(clock, STARTING_SECONDS))
    lists = _lists(settings, api, monitoring, opened)
    return Truths(
        api=api, lists=lists, ledger=ledger, beside=(beside,), second=second, handler=handler
    )


def _lists(
    settings: ServicesSettings, api: MysqlTruth, monitoring: Monitoring, opened: AsyncExitStack
) -> Truth:
    if settings.mysql_reader_url is None:
        return api
    # Nobody waits for a reader at the start: while it is away, the writer answers.
    address = MysqlAddress.parse(settings.mysql_reader_url, "MYSQL_READER_URL")
    replica = MysqlReplica(address, api.clock, settings.mysql_connections)
    opened.push_async_callback(replica.close)
    return ReaderTruth(api, replica, api.clock, monitoring)


async def check_schema(truth: MysqlTruth, deadline: Deadline) -> None:
    """
    Do nothing when the database has the schema of this program.

    Raises:
        PermanentError: it has another, or none; the sentence says what to do.
        TransientError: it is away.
    """
    try:
        found = await truth.ask(READ_REVISION, deadline)
    except ServerError:
        # There is no such table: no revision has ever run here.
        found = []
    check_revision(found)
