"""How an embedded SQLite file is created and opened: private, durable, of a known version."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import apsw

from domain.errors import PermanentError

#: Long enough for an operator's copy of the file, short enough to be noticed.
BUSY_MS: Final = 2_000
STATEMENTS_KEPT: Final = 256

#: For the life of the file, so it comes before the first table.
PAGE_SIZE: Final = "PRAGMA page_size = 8192"
PRAGMAS: Final = (
    "PRAGMA synchronous = FULL",
    # Only macOS knows the difference: there fsync alone leaves the bytes in the drive's cache.
    "PRAGMA fullfsync = ON",
    "PRAGMA checkpoint_fullfsync = ON",
    "PRAGMA foreign_keys = ON",
    "PRAGMA trusted_schema = OFF",
    "PRAGMA temp_store = MEMORY",
    # 24 MB: five files are written in one process; what is not held here, the system's cache has.
    "PRAGMA cache_size = -24576",
    # 32 MB of log between checkpoints: each costs two more flushes inside some commit.
    "PRAGMA wal_autocheckpoint = 4096",
    "PRAGMA journal_size_limit = 67108864",
)


@dataclass(frozen=True, slots=True)
class Layout:
    """
    What a file holds; `name` is also the first half of its crash points.

    `upgrades` is SQL that leads from version 1 to 2, from 2 to 3, …; without it a file of another
    version is refused.
    """

    name: str
    version: int
    ddl: tuple[str, ...]
    upgrades: tuple[str, ...] = ()


def open_writer(path: Path, layout: Layout, vfs: str | None) -> apsw.Connection:
    """
    Open the file for writing: a new one gets its tables, an older one is brought up to date.

    Raises:
        PermanentError: the file holds a schema of another version, or cannot have a log.
    """
    _create_private(path)
    connection = _connect(path, apsw.SQLITE_OPEN_READWRITE, vfs)
    try:
        connection.execute(PAGE_SIZE)
        _use_log(connection, path)
        for pragma in PRAGMAS:
            connection.execute(pragma).fetchall()
        _ensure_schema(connection, path, layout)
    except BaseException:
        connection.close()
        raise
    return connection


def open_reader(path: Path, vfs: str | None) -> apsw.Connection:
    """Open a file that `open_writer` has opened before; the connection cannot write."""
    connection = _connect(path, apsw.SQLITE_OPEN_READONLY, vfs)
    connection.execute("PRAGMA cache_size = -8192")
    return connection


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable: a file's bytes are lost with its name."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _connect(path: Path, flags: int, vfs: str | None) -> apsw.Connection:
    connection = apsw.Connection(
        str(path), flags=flags, vfs=vfs, statementcachesize=STATEMENTS_KEPT
    )
    connection.set_busy_timeout(BUSY_MS)
    return connection


def _create_private(path: Path) -> None:
    if path.exists():
        return
    # SQLite gives its log the mode of the file, so the file is private before SQLite sees it.
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    sync_folder(path.parent)


def _use_log(connection: apsw.Connection, path: Path) -> None:
    ((mode,),) = connection.execute("PRAGMA journal_mode = WAL").fetchall()
    if mode != "wal":
        # SQLite says nothing by itself, and readers would wait for every writer.
        raise PermanentError(f"{path} lies where SQLite cannot keep a log: use a local disk")


def version_of(connection: apsw.Connection) -> int:
    """Return the version of the file's schema; 0 stands for an empty file."""
    ((version,),) = connection.execute("PRAGMA user_version").fetchall()
    return int(str(version))


def _ensure_schema(connection: apsw.Connection, path: Path, layout: Layout) -> None:
    version = version_of(connection)
    if version == layout.version:
        return
    # One transaction: the file is of the old version with all its rows, or of the new one.
    # Whatever fails closes the connection, which undoes it.
    steps = _steps(version, path, layout)
    connection.execute("BEGIN IMMEDIATE")
    for statements in steps:
        connection.execute(statements)
    connection.execute(f"PRAGMA user_version = {layout.version}")
    connection.execute("COMMIT")


def _steps(version: int, path: Path, layout: Layout) -> tuple[str, ...]:
    if version == 0:
        return layout.ddl
    if version > layout.version:
        raise PermanentError(
            f"{path} has schema version {version} of '{layout.name}', newer than version"
            f" {layout.version} of this program: run the program that wrote it, or go back with its"
            " `creditctl db downgrade`"
        )
    if len(layout.upgrades) != layout.version - 1:
        raise PermanentError(
            f"{path} has schema version {version} of '{layout.name}'; this program knows "
            f"version {layout.version} only: run the program that wrote it"
        )
    return layout.upgrades[version - 1 :]
