"""
The event stream of one machine: Kinesis' shards and promises in an SQLite file.

A partition key goes to the shard whose range of MD5 values holds it, as Kinesis does, so that the
order per key survives a move to the real stream.
"""

from collections.abc import Callable, Sequence
from functools import partial
from hashlib import md5
from itertools import chain
from typing import Any, Final, Protocol, TypeVar

import apsw

from domain.errors import InvalidInputError, NotFoundError
from domain.instants import epoch_micros
from domain.ports.stream import StreamRecord
from domain.ports.time import Clock, Deadline

T = TypeVar("T")
Work = Callable[[apsw.Connection], T]

#: Of the file's schema.
VERSION: Final = 1
SHARDS: Final = 4
RECORD_BYTES_MAX: Final = 1 << 20
KEY_CHARS_MAX: Final = 256
HASHES: Final = 1 << 128
#: Records that one call of `trim` forgets at most in a shard, so that writers wait briefly only.
TRIM_MAX: Final = 10_000
#: Rows a statement: a statement a row would hand the interpreter to a busy thread at each row.
ROWS_MAX: Final = 512

CREATE_SHARDS: Final = """
CREATE TABLE shards (
    shard INTEGER PRIMARY KEY, shard_id TEXT NOT NULL, head INTEGER NOT NULL DEFAULT 0,
    checkpoint INTEGER NOT NULL DEFAULT 0
)"""
CREATE_RECORDS: Final = """
CREATE TABLE records (
    shard INTEGER NOT NULL, sequence INTEGER NOT NULL, partition_key TEXT NOT NULL,
    data BLOB NOT NULL, arrived_us INTEGER NOT NULL, PRIMARY KEY (shard, sequence)
) WITHOUT ROWID"""
READ_SHARDS: Final = "SELECT shard_id FROM shards ORDER BY shard"
READ_HEADS: Final = "SELECT shard, head FROM shards"
MOVE_HEAD: Final = "UPDATE shards SET head = ? WHERE shard = ?"
READ_RECORDS: Final = """
SELECT sequence, partition_key, data, arrived_us FROM records
WHERE shard = ? AND sequence > ? ORDER BY sequence LIMIT ?"""
READ_CHECKPOINT: Final = "SELECT checkpoint FROM shards WHERE shard = ?"
SET_CHECKPOINT: Final = "UPDATE shards SET checkpoint = ? WHERE shard = ?"
#: The last record of the oldest ones, and the first of them that has to stay.
READ_OLDEST: Final = """
SELECT max(sequence), min(CASE
    WHEN arrived_us < :expired OR (arrived_us < :handled AND sequence <= checkpoint) THEN NULL
    ELSE sequence END)
FROM (
    SELECT sequence, arrived_us, checkpoint FROM records JOIN shards USING (shard)
    WHERE shard = :shard ORDER BY sequence LIMIT :size
)"""
FORGET: Final = "DELETE FROM records WHERE shard = ? AND sequence <= ?"


def stream_ddl(shards: int = SHARDS) -> tuple[str, ...]:
    """Return the statements that make an empty stream; its number of shards stays for ever."""
    rows = ", ".join(f"({number}, 'shardId-{number:012d}')" for number in range(shards))
    fill = f"INSERT INTO shards (shard, shard_id) VALUES {rows}"  # noqa: S608  numbers only
    return (CREATE_SHARDS, CREATE_RECORDS, fill)


class StreamFile(Protocol):
    """What is asked of the file (`adapters.stores.embedded.sqlite_file.SqliteFile` keeps it)."""

    async def commit(self, work: Work[T], deadline: Deadline | None = None) -> T:
        """Run work in a transaction shared with whoever waits; durable once this returns."""

    async def read(self, work: Work[T], deadline: Deadline | None = None) -> T:
        """Run work on another connection, which sees every commit that has returned."""

    def close(self) -> None:
        """Finish what waits and close the file."""


class EmbeddedStream:
    """
    Implements `domain.ports.stream.EventStream` and `StreamReader`.

    Sequence numbers grow by one within a shard and are never given twice, also not after `trim`.
    """

    def __init__(self, file: StreamFile, clock: Clock) -> None:
        self._file = file
        self._clock = clock
        self._ids: tuple[str, ...] = ()

    async def put(self, records: Sequence[tuple[str, bytes]], deadline: Deadline) -> None:
        """
        Append records in the order given; durable once this returns.

        Raises:
            InvalidInputError: a key or a record is too long; nothing was appended.
            TransientError, AmbiguousError: put all again.
        """
        for key, data in records:
            _check(key, data)
        if records:
            count = len(await self.shards())
            rows = [(shard_of(key, count), key, data) for key, data in records]
            arrived_us = epoch_micros(self._clock.now())
            await self._file.commit(partial(_append, rows, arrived_us), deadline)

    async def shards(self) -> Sequence[str]:
        """Return the shard ids in a stable order."""
        if not self._ids:
            rows = await self._file.read(partial(_rows, READ_SHARDS, ()))
            self._ids = tuple(row[0] for row in rows)
        return self._ids

    async def read(self, shard_id: str, after: int, limit: int) -> Sequence[StreamRecord]:
        """Return up to `limit` records after a sequence number, in order."""
        params = (await self._number(shard_id), after, limit)
        rows = await self._file.read(partial(_rows, READ_RECORDS, params))
        return [StreamRecord(shard_id, *row) for row in rows]

    async def checkpoint(self, shard_id: str) -> int:
        """Return the sequence number up to which the shard is handled; 0 at the beginning."""
        params = (await self._number(shard_id),)
        ((sequence,),) = await self._file.read(partial(_rows, READ_CHECKPOINT, params))
        return int(sequence)

    async def set_checkpoint(self, shard_id: str, sequence: int) -> None:
        """Keep the new position; durable once this returns."""
        params = (sequence, await self._number(shard_id))
        await self._file.commit(partial(_rows, SET_CHECKPOINT, params))

    async def trim(self, retention_s: float, handled_s: float = 0.0) -> int:
        """
        Forget old records and return how many; call again while it returns more than nothing.

        A record goes when it is older than `retention_s`, or is not past its shard's checkpoint
        and older than `handled_s`; never before the records in front of it.
        """
        now_us = epoch_micros(self._clock.now())
        expired, handled = (now_us - int(age * 1_000_000) for age in (retention_s, handled_s))
        return await self._file.commit(
            partial(_trim, {"expired": expired, "handled": handled, "size": TRIM_MAX})
        )

    def close(self) -> None:
        """Finish what waits and close the file."""
        self._file.close()

    async def _number(self, shard_id: str) -> int:
        ids = await self.shards()
        if shard_id not in ids:
            raise NotFoundError("no such shard")
        return ids.index(shard_id)


def shard_of(key: str, shards: int) -> int:
    """Return whose range holds the MD5 of the key; ranges are equal, the last takes the rest."""
    value = int.from_bytes(md5(key.encode(), usedforsecurity=False).digest(), "big")
    return min(value // (HASHES // shards), shards - 1)


def _check(key: str, data: bytes) -> None:
    if not 0 < len(key) <= KEY_CHARS_MAX:
        raise InvalidInputError.at("", "partition-key", f"1 to {KEY_CHARS_MAX} characters")
    if len(data) > RECORD_BYTES_MAX:
        raise InvalidInputError.at("", "record-too-large", "a record is at most 1 MiB")


# --- on the file's threads ---------------------------------------------------------------------


def _rows(text: str, params: Any, connection: apsw.Connection) -> list[Any]:
    return connection.execute(text, params).fetchall()


def _append(
    records: Sequence[tuple[int, str, bytes]], arrived_us: int, connection: apsw.Connection
) -> None:
    heads = dict(_rows(READ_HEADS, (), connection))
    rows = []
    for shard, key, data in records:
        heads[shard] += 1
        rows.append((shard, heads[shard], key, data, arrived_us))
    _insert(rows, connection)
    for shard in {row[0] for row in rows}:
        connection.execute(MOVE_HEAD, (heads[shard], shard))


def _insert(rows: Sequence[tuple[Any, ...]], connection: apsw.Connection) -> None:
    for begin in range(0, len(rows), ROWS_MAX):
        part = rows[begin : begin + ROWS_MAX]
        marks = ",".join(["(?,?,?,?,?)"] * len(part))
        text = f"INSERT INTO records VALUES {marks}"  # noqa: S608  question marks only
        connection.execute(text, list(chain.from_iterable(part)))


def _trim(limits: dict[str, int], connection: apsw.Connection) -> int:
    gone = 0
    for shard, _ in _rows(READ_HEADS, (), connection):
        ((last, stays),) = _rows(READ_OLDEST, {**limits, "shard": shard}, connection)
        upto = last if stays is None else stays - 1
        if upto is not None:
            connection.execute(FORGET, (shard, upto))
            gone += connection.changes()
    return gone
