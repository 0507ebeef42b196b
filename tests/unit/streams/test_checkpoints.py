"""Positions of shards in a file: what was kept is there after a restart."""

import asyncio
from pathlib import Path

from adapters.stores.embedded.opening import Layout
from adapters.stores.embedded.sqlite_file import SqliteFile
from adapters.streams.checkpoints import DDL, START, VERSION, Position, SqliteCheckpoints
from tests.contracts.opened import HandClock

LARGE = 49680528842970969059225562334866622836520817709956464642


def opened(folder: Path) -> SqliteCheckpoints:
    layout = Layout("checkpoints", VERSION, DDL)
    return SqliteCheckpoints(SqliteFile(folder / "checkpoints.sqlite", layout, HandClock()))


def test_positions_outlive_the_process_by_stream_and_shard(tmp_path: Path) -> None:
    before = opened(tmp_path)
    asyncio.run(before.keep("events@1", "shard-0", Position(7)))
    asyncio.run(before.keep("events@1", "shard-0", Position(LARGE, ended=True)))
    asyncio.run(before.keep("events@1", "shard-1", Position(5)))
    before.close()

    after = opened(tmp_path)
    found = [
        asyncio.run(after.position(*where))
        for where in (("events@1", "shard-0"), ("events@1", "shard-1"), ("events@2", "shard-0"))
    ]
    after.close()

    assert found == [Position(LARGE, ended=True), Position(5), START]
