"""The embedded adapters, opened empty in a folder."""

from contextlib import AbstractContextManager
from pathlib import Path

from adapters.stores.embedded.opening import Layout
from adapters.stores.embedded.projection import ProjectionTable, SqliteProjection
from adapters.stores.embedded.sqlite_file import SqliteFile
from adapters.stores.sql.sqlite_truth import SCHEMA_VERSION, SqliteTruth, schema_ddl
from adapters.streams.embedded import VERSION, EmbeddedStream, stream_ddl
from tests.contracts.opened import HandClock, Opened, opened

TRUTH = Layout("truth", SCHEMA_VERSION, schema_ddl())
STREAM = Layout("stream", VERSION, stream_ddl())


def sqlite_truth(folder: Path) -> AbstractContextManager[Opened[SqliteTruth]]:
    clock = HandClock()
    return opened(SqliteTruth(SqliteFile(folder / "truth.sqlite", TRUTH, clock)), clock)


def sqlite_projection(
    folder: Path, table: ProjectionTable
) -> AbstractContextManager[Opened[SqliteProjection]]:
    clock = HandClock()
    file = SqliteFile(folder / f"{table.store}.sqlite", table.layout, clock)
    return opened(SqliteProjection(file, table, clock), clock)


def sqlite_stream(folder: Path) -> AbstractContextManager[Opened[EmbeddedStream]]:
    clock = HandClock()
    file = SqliteFile(folder / "stream.sqlite", STREAM, clock)
    return opened(EmbeddedStream(file, clock), clock)
