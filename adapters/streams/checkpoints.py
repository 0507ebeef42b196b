"""How far the shards of a stream are handled, kept in an SQLite file of the process."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Protocol, TypeVar

import apsw

from domain.ports.time import Deadline

T = TypeVar("T")
Work = Callable[[apsw.Connection], T]

#: Of the file's schema.
VERSION: Final = 1
#: A sequence number of Kinesis has 56 digits: text.
CREATE: Final = """
CREATE TABLE checkpoints (
    stream TEXT NOT NULL, shard_id TEXT NOT NULL, sequence TEXT NOT NULL, ended INTEGER NOT NULL,
    PRIMARY KEY (stream, shard_id)
) WITHOUT ROWID"""
DDL: Final = (CREATE,)
READ: Final = "SELECT sequence, ended FROM checkpoints WHERE stream = ? AND shard_id = ?"
KEEP: Final = """
INSERT INTO checkpoints (stream, shard_id, sequence, ended) VALUES (?, ?, ?, ?)
ON CONFLICT (stream, shard_id) DO UPDATE SET sequence = excluded.sequence, ended = excluded.ended"""


@dataclass(frozen=True, slots=True)
class Position:
    """
    The last sequence number that is handled, 0 at the beginning.

    `ended` says that the shard is closed and has nothing behind it: its children may be read.
    """

    sequence: int = 0
    ended: bool = False


START: Final = Position()


class Checkpoints(Protocol):
    """Durable positions by stream and shard; a stream made again has another name here."""

    async def position(self, stream: str, shard_id: str) -> Position:
        """Return the position kept last, else `START`."""

    async def keep(self, stream: str, shard_id: str, position: Position) -> None:
        """Keep a position; durable once this returns."""


class CheckpointFile(Protocol):
    """What is asked of the file (`adapters.stores.embedded.sqlite_file.SqliteFile` keeps it)."""

    async def commit(self, work: Work[T], deadline: Deadline | None = None) -> T:
        """Run work in a transaction shared with whoever waits; durable once this returns."""

    async def read(self, work: Work[T], deadline: Deadline | None = None) -> T:
        """Run work on another connection, which sees every commit that has returned."""

    def close(self) -> None:
        """Finish what waits and close the file."""


class SqliteCheckpoints:
    """Implements `Checkpoints` for the one process that owns the file."""

    def __init__(self, file: CheckpointFile) -> None:
        self._file = file

    async def position(self, stream: str, shard_id: str) -> Position:
        """Return the position kept last, else `START`."""
        rows = await self._file.read(partial(_rows, READ, (stream, shard_id)))
        return Position(int(rows[0][0]), bool(rows[0][1])) if rows else START

    async def keep(self, stream: str, shard_id: str, position: Position) -> None:
        """Keep a position; durable once this returns."""
        row = (stream, shard_id, str(position.sequence), int(position.ended))
        await self._file.commit(partial(_rows, KEEP, row))

    def close(self) -> None:
        """Finish what waits and close the file."""
        self._file.close()


def _rows(text: str, params: tuple[Any, ...], connection: apsw.Connection) -> list[Any]:
    return connection.execute(text, params).fetchall()
