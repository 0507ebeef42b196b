"""
A history: calls made one after the other on a lossy disk, and the power lost at every point of it.

Each call writes two rows under its number. A loss at a point is a copy of what the disk would hold;
the call goes on afterwards, so one history shows the loss at every point of every call.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final

import apsw

from adapters.stores.embedded.opening import Layout
from adapters.stores.embedded.projection import KEYSPACES, SqliteProjection
from adapters.stores.embedded.sqlite_file import SqliteFile
from adapters.stores.sql.sqlite_truth import SqliteTruth
from adapters.streams.embedded import EmbeddedStream
from decision_engine.record.statements import InsertBatch, InsertDecisions
from domain.ports.storage import ProjectionRow
from tests.contracts.embedded import STREAM, TRUTH
from tests.contracts.opened import NEVER, HandClock
from tests.contracts.rows import a_batch, a_decision, committing
from tests.integration.power_loss.disk import Disk, Survival

CALLS: Final = 12
#: Few pages between checkpoints, so that losses hit them too.
CHECKPOINT_PAGES: Final = 8

At = Callable[[str], None]
Put = Callable[[int], Awaitable[object]]
Close = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Subject:
    """A store: how it is opened, what a call writes, and the numbers that its two tables hold."""

    name: str
    layout: Layout
    open: Callable[[SqliteFile, At], tuple[Put, Close]]
    tables: tuple[str, str]


def _truth(file: SqliteFile, at: At) -> tuple[Put, Close]:
    truth = SqliteTruth(file, at=at)

    def put(number: int) -> Awaitable[object]:
        # A kilobyte at random, so that every page differs from what was there before.
        decision = a_decision(number, amount=number, evidence=Random(number).randbytes(1_000))
        return truth.transact(
            lambda: committing(InsertBatch(a_batch(number)), InsertDecisions((decision,))), NEVER
        )

    return put, truth.close


def _stream(file: SqliteFile, _: At) -> tuple[Put, Close]:
    stream = EmbeddedStream(file, HandClock())

    def put(number: int) -> Awaitable[object]:
        data = str(number).encode()
        return stream.put([("c-1", data), ("c-2", data)], NEVER)

    return put, stream.close


def _projection(file: SqliteFile, _: At) -> tuple[Put, Close]:
    projection = SqliteProjection(file, KEYSPACES, HandClock())

    def put(number: int) -> Awaitable[object]:
        rows = [ProjectionRow(name, f"X#{number:04d}", number, b"x" * 900) for name in ("a", "b")]
        return projection.put_if_newer(rows, NEVER)

    return put, projection.close


SUBJECTS: Final = (
    Subject(
        "truth",
        TRUTH,
        _truth,
        ("SELECT sequence FROM ledger_batches", "SELECT amount FROM credit_decisions"),
    ),
    Subject(
        "stream",
        STREAM,
        _stream,
        (
            "SELECT CAST(data AS INTEGER) FROM records WHERE partition_key = 'c-1'",
            "SELECT CAST(data AS INTEGER) FROM records WHERE partition_key = 'c-2'",
        ),
    ),
    Subject(
        "keyspaces",
        KEYSPACES.layout,
        _projection,
        (
            "SELECT version FROM creditdata WHERE customer_id = 'a'",
            "SELECT version FROM creditdata WHERE customer_id = 'b'",
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Loss:
    """What was left after a loss at `point`, when the calls up to `returned` had returned."""

    point: str
    returned: int
    folder: Path


def live_through(
    subject: Subject, folder: Path, survival: Survival, *pragmas: str, seed: int = 1
) -> list[Loss]:
    """Make the calls and lose the power at every point and after every return."""
    losses: list[Loss] = []
    chance = Random(seed)
    returned = 0
    with lossy_disk() as disk:

        def at(point: str) -> None:
            copy = folder / f"loss-{len(losses):03d}"
            disk.lose_power(copy, survival, chance)
            losses.append(Loss(point, returned, copy))

        live = folder / "live"
        live.mkdir()
        file = SqliteFile(
            live / f"{subject.name}.sqlite", subject.layout, HandClock(), vfs=disk.name, at=at
        )
        put, close = subject.open(file, at)
        try:
            prepare(file, f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}", *pragmas)
            for number in range(1, CALLS + 1):
                asyncio.run(_awaited(put(number)))
                returned = number
                at("returned")
        finally:
            close()
    return losses


@contextmanager
def lossy_disk() -> Iterator[Disk]:
    disk = Disk()
    try:
        yield disk
    finally:
        disk.close()


def prepare(file: SqliteFile, *pragmas: str) -> None:
    """Run pragmas on the writing connection."""

    def work(connection: apsw.Connection) -> None:
        for pragma in pragmas:
            connection.execute(pragma).fetchall()

    asyncio.run(file.run(work, NEVER))


def found_after(subject: Subject, loss: Loss) -> tuple[str, list[int], list[int]]:
    """Open what was left as the product does; return the check's verdict and both tables."""
    file = SqliteFile(loss.folder / f"{subject.name}.sqlite", subject.layout, HandClock())
    try:
        return asyncio.run(file.read(lambda c: _contents(subject, c)))
    finally:
        file.close()


def lost_calls(subject: Subject, losses: list[Loss]) -> list[str]:
    """Name every point at which a call that had returned is missing afterwards."""
    missing = []
    for loss in losses:
        try:
            verdict, first, second = found_after(subject, loss)
        except apsw.Error as error:
            missing.append(f"{loss.point} after {loss.returned}: {type(error).__name__}")
            continue
        promised = set(range(1, loss.returned + 1))
        if verdict != "ok" or not promised <= set(first) or not promised <= set(second):
            missing.append(f"{loss.point} after {loss.returned}: {verdict}, {first}, {second}")
    return missing


def _contents(subject: Subject, connection: apsw.Connection) -> tuple[str, list[int], list[int]]:
    ((verdict,),) = connection.execute("PRAGMA integrity_check(1)").fetchall()
    first, second = (
        sorted(int(str(row[0])) for row in connection.execute(text)) for text in subject.tables
    )
    return str(verdict), first, second


async def _awaited(call: Awaitable[Any]) -> Any:
    return await call
