"""What holds the data of a process, and the embedded profile's: every file of a data folder."""

from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol, TypedDict, TypeVar

from adapters.security.key_ring import KeyRing
from adapters.security.key_vault import EnvelopeKeyVault, SqliteKeyVault
from adapters.security.request_keys import RequestKeys
from adapters.security.signing_key import SigningKey
from adapters.security.tokens import TokenKey
from adapters.settings import EmbeddedSettings, ServingSettings
from adapters.stores.embedded import folder_clock
from adapters.stores.embedded.anchor_file import AnchorFile
from adapters.stores.embedded.cache import MemoryCache
from adapters.stores.embedded.directory import INDEX_KEY, REQUEST_KEY, DataFolder
from adapters.stores.embedded.opening import Layout
from adapters.stores.embedded.projection import DYNAMODB, KEYSPACES, SqliteProjection
from adapters.stores.embedded.sqlite_file import SqliteFile
from adapters.stores.sql.migrations.embedded import schema_upgrades
from adapters.stores.sql.sqlite_truth import SCHEMA_VERSION, SqliteTruth, schema_ddl
from adapters.streams.embedded import VERSION as STREAM_VERSION
from adapters.streams.embedded import EmbeddedStream, stream_ddl
from adapters.system import SystemChance, SystemClock, SystemIds
from decision_engine.archive import ReadNewestInstant
from domain.instants import from_epoch_micros
from domain.ports.limits import SharedBuckets
from domain.ports.storage import Cache, DataStorage, HotStorage
from domain.ports.stream import EventStream, StreamReader
from domain.ports.time import Clock, Deadline
from domain.ports.truth import Truth

OPENING_SECONDS: Final = 60.0

At = Callable[[str], None]


class Closable(Protocol):
    """What holds a file open."""

    def close(self) -> None:
        """Let go of it."""


Closing = TypeVar("Closing", bound=Closable)


class Stream(EventStream, StreamReader, Protocol):
    """Both sides of the event stream."""


def nowhere(_place: str) -> None:
    """Do nothing at a crash point."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Truths:
    """The store of truth as each of its users has it; on one file they are all the same."""

    #: For requests.
    api: Truth
    #: For lists that people look at, which may lag a little.
    lists: Truth
    #: For the ledger's writer: its lane has a connection to itself.
    ledger: Truth
    #: For more lanes of it, which write while the first prepares; none where one writes at a time.
    beside: tuple[Truth, ...]
    #: For persons that stay locked: another lane; None where nobody ever is.
    second: Truth | None
    #: For the handler's thread, which has a loop of its own.
    handler: Truth


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """Everything that holds data, and the clock that belongs to the folder."""

    folder: DataFolder
    clock: Clock
    ids: SystemIds
    chance: SystemChance
    truth: Truths
    keyspaces: DataStorage
    dynamodb: HotStorage
    cache: Cache
    #: On the servers of the cache; None where this is the only process.
    buckets: SharedBuckets | None
    stream: Stream
    anchors: AnchorFile
    vault: EnvelopeKeyVault
    tokens: TokenKey
    request_keys: RequestKeys
    opened: AsyncExitStack

    async def close(self) -> None:
        """Close everything, newest first; the folder may then be another process's."""
        await self.opened.aclose()


async def open_stores(
    settings: EmbeddedSettings, begin: datetime | None = None, at: At = nowhere
) -> Stores:
    """
    Claim the data folder and open its files.

    `begin` is where the clock of a new folder starts; None means real time. `at` is called at
    named crash points.

    Raises:
        PermanentError: another process owns the folder, or a file is of another version.
    """
    async with AsyncExitStack() as opened:
        stores = await _open(settings, begin, at, opened)
        # From here on whoever asked for the stores closes them.
        return replace(stores, opened=opened.pop_all())


async def _open(
    settings: EmbeddedSettings, begin: datetime | None, at: At, opened: AsyncExitStack
) -> Stores:
    folder = claimed(settings, opened)
    real = SystemClock()
    layout = truth_layout()
    truth = kept(opened, SqliteTruth(SqliteFile(folder.truth, layout, real), at=at))
    clock = await _folder_clock(folder, truth, real, begin)

    opened.callback(lambda: folder_clock.keep(folder.root, clock.now()))
    vault = SqliteKeyVault(
        folder.person_keys,
        kek=KeyRing.load_or_create(folder.wrapping_key),
        index=KeyRing.load_or_create(folder.root / INDEX_KEY),
        clock=clock,
    )
    # Made at the first start: a pack signed with a key that came later would prove nothing.
    SigningKey.load_or_create(folder.signing_key)
    return Stores(
        folder=folder,
        clock=clock,
        ids=SystemIds(),
        chance=SystemChance(),
        truth=Truths(api=truth, lists=truth, ledger=truth, beside=(), second=None, handler=truth),
        cache=MemoryCache(clock, SystemChance(), bytes_max=settings.cache_bytes),
        buckets=None,
        vault=kept(opened, vault),
        tokens=TokenKey.load_or_create(folder.token_key),
        request_keys=RequestKeys.load_or_create(folder.root / REQUEST_KEY),
        anchors=anchor_file(folder, settings),
        opened=opened,
        **embedded_files(folder, settings, clock, at, opened),
    )


class Projected(TypedDict):
    """The projections and the stream, by their names in `Stores`."""

    keyspaces: DataStorage
    dynamodb: HotStorage
    stream: Stream


def embedded_files(
    folder: DataFolder, settings: ServingSettings, clock: Clock, at: At, opened: AsyncExitStack
) -> Projected:
    """Open the projections and the stream of a folder."""

    def file(path: Path, held: Layout) -> SqliteFile:
        return kept(opened, SqliteFile(path, held, clock, at=at))

    return Projected(
        keyspaces=SqliteProjection(file(folder.keyspaces, KEYSPACES.layout), KEYSPACES, clock),
        dynamodb=SqliteProjection(file(folder.dynamodb, DYNAMODB.layout), DYNAMODB, clock),
        stream=EmbeddedStream(file(folder.stream, _stream_layout(settings)), clock),
    )


def anchor_file(folder: DataFolder, settings: ServingSettings) -> AnchorFile:
    """Return the file of the ledger's anchors."""
    return AnchorFile((settings.anchors or folder.anchors).expanduser())


def claimed(settings: ServingSettings, opened: AsyncExitStack) -> DataFolder:
    """Take the data folder for this process until the stack closes."""
    folder = DataFolder.claim(settings.data.expanduser())
    opened.callback(folder.release)
    return folder


def kept(opened: AsyncExitStack, held: Closing) -> Closing:
    """Have something closed with the stack."""
    opened.callback(held.close)
    return held


def truth_layout() -> Layout:
    """Return what the file of truth holds, and how an older one gets there."""
    return Layout("truth", SCHEMA_VERSION, schema_ddl(), schema_upgrades())


def _stream_layout(settings: ServingSettings) -> Layout:
    return Layout("stream", STREAM_VERSION, stream_ddl(settings.stream_shards))


async def _folder_clock(
    folder: DataFolder, truth: SqliteTruth, real: Clock, begin: datetime | None
) -> SystemClock:
    (rows,) = await truth.read([ReadNewestInstant()], Deadline.after(real, OPENING_SECONDS))
    newest = from_epoch_micros(rows[0]) if rows and rows[0] else None
    offset = folder_clock.resume(folder.root, newest, begin, real.now())
    return SystemClock(offset.total_seconds())
