"""The journal of invocations tells operators what happened, and never fails a batch."""

from dataclasses import asdict

from domain.errors import TransientError
from ingestion.statements import InsertIngestionBatch
from tests.unit.ingestion.builders import record
from tests.unit.ingestion.fakes import NOW
from tests.unit.ingestion.world import World

NOW_US = int(NOW.timestamp()) * 1_000_000


def test_each_invocation_leaves_one_row() -> None:
    world = World(with_journal=True)

    world.run([record(3, shard="shard-7"), record(4, b"x", shard="shard-7")])
    world.run([record(3, shard="shard-7")])

    first, second = world.truth.tables.batches
    row = asdict(first)
    del row["batch_id"]
    assert row == {
        "shard_id": "shard-7",
        "first_sequence": "3",
        "last_sequence": "4",
        "records": 2,
        "applied": 1,
        "duplicates": 0,
        "parked": 1,
        "failed": 0,
        "started_us": NOW_US,
        "finished_us": NOW_US,
        "code_version": "code-1",
    }
    assert second.duplicates == 1
    assert first.batch_id != second.batch_id


def test_an_unfinished_batch_is_marked() -> None:
    world = World(with_journal=True)
    world.keyspaces.faults.append(TransientError("away"))

    world.run([record(1)])

    assert [row.failed for row in world.truth.tables.batches] == [1]


def test_a_journal_that_cannot_be_written_fails_nothing() -> None:
    world = World(with_journal=True)
    world.truth.fault = lambda each: (
        TransientError("away") if isinstance(each, InsertIngestionBatch) else None
    )

    assert world.run([record(1)]).failed_sequence is None
    assert world.monitoring.counts["ingestion_journal_failures"] == 1
