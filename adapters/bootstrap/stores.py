"""The embedded profile's stores: every file of a data folder, opened by its one owner."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol, TypeVar

from adapters.security.key_ring import KeyRing
from adapters.security.key_vault import SqliteKeyVault
from adapters.security.request_keys import RequestKeys
from adapters.security.tokens import TokenKey
from adapters.settings import EmbeddedSettings
from adapters.stores.embedded import folder_clock
from adapters.stores.embedded.cache import MemoryCache
from adapters.stores.embedded.directory import DataFolder
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
from domain.ports.time import Clock, Deadline

OPENING_SECONDS: Final = 60.0
INDEX_KEY: Final = "index.key"
REQUEST_KEY: Final = "request.key"

At = Callable[[str], None]


class Closable(Protocol):
    """What holds a file open."""

    def close(self) -> None:
        """Let go of it."""


Closing = TypeVar("Closing", bound=Closable)


def _nowhere(_place: str) -> None:
    """Do nothing at a crash point."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """Everything that holds data, and the clock that belongs to the folder."""

    folder: DataFolder
    clock: Clock
    ids: SystemIds
    chance: SystemChance
    truth: SqliteTruth
    keyspaces: SqliteProjection
    dynamodb: SqliteProjection
    cache: MemoryCache
    stream: EmbeddedStream
    vault: SqliteKeyVault
    tokens: TokenKey
    request_keys: RequestKeys

    def close(self) -> None:
        """Close every file and let another process take the folder."""
        folder_clock.keep(self.folder.root, self.clock.now())
        for held in (self.stream, self.keyspaces, self.dynamodb, self.truth, self.vault):
            held.close()
        self.folder.release()


async def open_stores(
    settings: EmbeddedSettings, begin: datetime | None = None, at: At = _nowhere
) -> Stores:
    """
    Claim the data folder and open its files.

    `begin` is where the clock of a new folder starts; None means real time. `at` is called at
    named crash points.

    Raises:
        PermanentError: another process owns the folder, or a file is of another version.
    """
    with ExitStack() as opened:
        stores = await _open(settings, begin, at, opened)
        # From here on whoever asked for the stores closes them.
        opened.pop_all()
    return stores


async def _open(
    settings: EmbeddedSettings, begin: datetime | None, at: At, opened: ExitStack
) -> Stores:
    folder = DataFolder.claim(settings.data.expanduser())
    opened.callback(folder.release)
    real = SystemClock()
    layout = truth_layout()
    truth = _kept(opened, SqliteTruth(SqliteFile(folder.truth, layout, real), at=at))
    clock = await _folder_clock(folder, truth, real, begin)

    def file(path: Path, held: Layout) -> SqliteFile:
        return _kept(opened, SqliteFile(path, held, clock, at=at))

    vault = SqliteKeyVault(
        folder.person_keys,
        kek=KeyRing.load_or_create(folder.wrapping_key),
        index=KeyRing.load_or_create(folder.root / INDEX_KEY),
        clock=clock,
    )
    return Stores(
        folder=folder,
        clock=clock,
        ids=SystemIds(),
        chance=SystemChance(),
        truth=truth,
        keyspaces=SqliteProjection(file(folder.keyspaces, KEYSPACES.layout), KEYSPACES, clock),
        dynamodb=SqliteProjection(file(folder.dynamodb, DYNAMODB.layout), DYNAMODB, clock),
        cache=MemoryCache(clock, SystemChance(), bytes_max=settings.cache_bytes),
        stream=EmbeddedStream(file(folder.stream, _stream_layout(settings)), clock),
        vault=_kept(opened, vault),
        tokens=TokenKey.load_or_create(folder.token_key),
        request_keys=RequestKeys.load_or_create(folder.root / REQUEST_KEY),
    )


def _kept(opened: ExitStack, held: Closing) -> Closing:
    opened.callback(held.close)
    return held


def truth_layout() -> Layout:
    """Return what the file of truth holds, and how an older one gets there."""
    return Layout("truth", SCHEMA_VERSION, schema_ddl(), schema_upgrades())


def _stream_layout(settings: EmbeddedSettings) -> Layout:
    return Layout("stream", STREAM_VERSION, stream_ddl(settings.stream_shards))


async def _folder_clock(
    folder: DataFolder, truth: SqliteTruth, real: Clock, begin: datetime | None
) -> SystemClock:
    (rows,) = await truth.read([ReadNewestInstant()], Deadline.after(real, OPENING_SECONDS))
    newest = from_epoch_micros(rows[0]) if rows and rows[0] else None
    offset = folder_clock.resume(folder.root, newest, begin, real.now())
    return SystemClock(offset.total_seconds())
