"""A flush that fails: nobody is told "done", the program can find out, and life goes on."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.stores.embedded.projection import KEYSPACES, SqliteProjection
from adapters.stores.embedded.sqlite_file import SqliteFile
from adapters.stores.sql.sqlite_truth import SqliteTruth
from adapters.streams.embedded import EmbeddedStream
from decision_engine.record.statements import (
    InsertBatch,
    InsertDecisions,
    ReadBatch,
    ReadKeys,
    Reconnect,
    TakeLane,
)
from domain.errors import AmbiguousError, TransientError
from domain.ports.storage import Applied, ProjectionRow
from domain.ports.truth import (
    Begin,
    Commit,
    DuplicateKeyError,
    LostConnectionError,
    Program,
    Rollback,
)
from tests.contracts.embedded import STREAM, TRUTH
from tests.contracts.opened import NEVER, HandClock
from tests.contracts.rows import a_batch, a_decision
from tests.integration.power_loss.disk import Disk
from tests.integration.power_loss.histories import lossy_disk

ROW = ProjectionRow("c-1", "CUSTOMER_PROFILE", 1, b"one")


@pytest.fixture
def disk() -> Iterator[Disk]:
    with lossy_disk() as disk:
        yield disk


def recovering(disk: Disk) -> Program[str]:
    """Settle an unknown commit as the ledger does: a void batch under the same key arbitrates."""
    try:
        yield (Begin(), InsertBatch(a_batch(1)), InsertDecisions((a_decision(),)), Commit())
    except LostConnectionError:
        disk.failing = False
    else:
        return "not noticed"
    yield (Reconnect(), TakeLane("l-1"))
    try:
        yield (Begin(), InsertBatch(a_batch(1, n=0, note="void")), Commit())
    except DuplicateKeyError:
        yield (Rollback(),)
        return "landed"
    return "void"


def test_an_unknown_commit_of_truth_is_settled_for_good(tmp_path: Path, disk: Disk) -> None:
    path = tmp_path / "truth.sqlite"
    truth = SqliteTruth(SqliteFile(path, TRUTH, HandClock(), vfs=disk.name))
    disk.failing = True

    verdict = asyncio.run(truth.transact(lambda: recovering(disk), NEVER))
    truth.close()
    again = SqliteTruth(SqliteFile(path, TRUTH, HandClock()))
    keys, (batch,) = asyncio.run(
        again.read([ReadKeys((("app", "k-1"),)), ReadBatch("l-1", 1)], NEVER)
    )
    again.close()

    assert verdict in ("landed", "void")
    assert (len(keys), batch.n) == ((1, 2) if verdict == "landed" else (0, 0))


def test_a_failed_put_of_the_stream_is_ambiguous_and_the_next_one_works(
    tmp_path: Path, disk: Disk
) -> None:
    stream = EmbeddedStream(
        SqliteFile(tmp_path / "stream.sqlite", STREAM, HandClock(), vfs=disk.name), HandClock()
    )
    disk.failing = True
    with pytest.raises(AmbiguousError):
        asyncio.run(stream.put([("c-1", b"first")], NEVER))
    disk.failing = False

    asyncio.run(stream.put([("c-1", b"second")], NEVER))
    records = asyncio.run(_all_records(stream))
    stream.close()

    assert b"second" in records
    assert set(records) <= {b"first", b"second"}


def test_a_failed_put_of_a_projection_may_simply_be_put_again(tmp_path: Path, disk: Disk) -> None:
    projection = SqliteProjection(
        SqliteFile(tmp_path / "keyspaces.sqlite", KEYSPACES.layout, HandClock(), vfs=disk.name),
        KEYSPACES,
        HandClock(),
    )
    disk.failing = True
    with pytest.raises(TransientError):
        asyncio.run(projection.put_if_newer([ROW], NEVER))
    disk.failing = False

    (result,) = asyncio.run(projection.put_if_newer([ROW], NEVER))
    row = asyncio.run(projection.read_item("c-1", "CUSTOMER_PROFILE", NEVER))
    projection.close()

    assert result in (Applied.APPLIED, Applied.SAME)
    assert row == ROW


async def _all_records(stream: EmbeddedStream) -> list[bytes]:
    shards = await stream.shards()
    return [record.data for shard in shards for record in await stream.read(shard, 0, 99)]
