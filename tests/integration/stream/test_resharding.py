"""Shards that are split and merged under records: nothing is lost, and each key keeps its order."""

import asyncio
import base64
from collections.abc import Iterator
from typing import Any

import pytest

from adapters.streams.event_source_mapping import EventSourceMapping, sequence_text
from tests.contracts.opened import NEVER, Counted
from tests.integration.stream.site import Both, Site

FIRST, SECOND = "shardId-000000000000", "shardId-000000000001"
QUARTER = str(1 << 126)
KEYS = tuple(f"c-{number}" for number in range(12))


@pytest.fixture
def both(site: Site) -> Iterator[Both]:
    with site.opened() as opened:
        yield opened


def put_round(site: Site, both: Both, turn: int) -> None:
    site.loop(both.put([(key, b"%s/%d" % (key.encode(), turn)) for key in KEYS], NEVER))


def split(site: Site) -> None:
    site.ask("SplitShard", ShardToSplit=FIRST, NewStartingHashKey=QUARTER)
    site.settle()


def merge(site: Site) -> None:
    site.ask("MergeShards", ShardToMerge=FIRST, AdjacentShardToMerge=SECOND)
    site.settle()


def handled(site: Site, both: Both, fails: int = 0) -> list[str]:
    """What a handler gets from the mapping; it reports its last record so many times at first."""
    seen: list[str] = []
    left = fails

    async def invoke(event: dict[str, Any]) -> object:
        nonlocal left
        records = event["Records"]
        if left:
            left -= 1
            last = records[-1]["kinesis"]["sequenceNumber"]
            seen.extend(text(record) for record in records[:-1])
            return {"batchItemFailures": [{"itemIdentifier": last}]}
        seen.extend(text(record) for record in records)
        return None

    async def never(_: object) -> None:
        raise AssertionError("nothing is given up here")

    mapping = EventSourceMapping(
        reader=both, invoke=invoke, on_failure=never, sleep=lambda _: asyncio.sleep(0),
        monitoring=Counted(),
    )  # fmt: skip
    site.loop(mapping.run_until_caught_up())
    return seen


def text(record: dict[str, Any]) -> str:
    return base64.b64decode(record["kinesis"]["data"]).decode()


def orders(seen: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for each in seen:
        key, _, turn = each.partition("/")
        found.setdefault(key, []).append(turn)
    return found


@pytest.mark.parametrize("change", [split, merge])
@pytest.mark.parametrize("fails", [0, 3])
def test_a_key_keeps_its_order_over_a_change_of_shards(
    site: Site, both: Both, change: Any, fails: int
) -> None:
    for turn in range(3):
        put_round(site, both, turn)
    change(site)
    for turn in range(3, 6):
        put_round(site, both, turn)

    seen = handled(site, both, fails)

    assert orders(seen) == {key: [str(turn) for turn in range(6)] for key in KEYS}


def test_a_change_while_records_are_read_loses_none(site: Site, both: Both) -> None:
    put_round(site, both, 0)
    assert len(handled(site, both)) == len(KEYS)

    split(site)
    put_round(site, both, 1)
    seen = handled(site, both)

    assert orders(seen) == {key: ["1"] for key in KEYS}


def test_a_process_that_starts_anew_goes_on_behind_a_change(site: Site) -> None:
    with site.opened() as before:
        put_round(site, before, 0)
        split(site)
        put_round(site, before, 1)
        handled(site, before)
        put_round(site, before, 2)

    with site.opened() as after:
        assert FIRST not in site.loop(after.shards())
        assert orders(handled(site, after)) == {key: ["2"] for key in KEYS}


def test_a_parents_records_come_before_any_of_its_children(site: Site, both: Both) -> None:
    put_round(site, both, 0)
    split(site)
    put_round(site, both, 1)

    assert site.loop(both.shards()) == [FIRST, SECOND]
    first = site.loop(both.read(FIRST, 0, 100))
    assert first
    # Read, and not handled: the children stay out of sight.
    assert site.loop(both.read(FIRST, first[-1].sequence, 100)) in ([], ())
    assert site.loop(both.shards()) == [FIRST, SECOND]

    site.loop(both.set_checkpoint(FIRST, first[-1].sequence))

    assert site.loop(both.shards()) == [SECOND, "shardId-000000000002", "shardId-000000000003"]


def test_the_number_of_shards_is_doubled(resharding: Site) -> None:
    with resharding.opened() as both:
        put_round(resharding, both, 0)
        resharding.ask("UpdateShardCount", TargetShardCount=4, ScalingType="UNIFORM_SCALING")
        resharding.settle()
        put_round(resharding, both, 1)

        assert orders(handled(resharding, both)) == {key: ["0", "1"] for key in KEYS}
        assert len(resharding.loop(both.shards())) == 4


def test_a_stream_tells_what_it_is(resharding: Site) -> None:
    with resharding.opened() as both:
        found = resharding.loop(both.stream.check(NEVER))

    assert found.stream_mode_details is not None
    assert found.stream_mode_details.stream_mode == "PROVISIONED"
    assert found.open_shard_count == 2


def test_sequence_numbers_have_the_width_of_kinesis(site: Site, both: Both) -> None:
    put_round(site, both, 0)
    shard = site.loop(both.shards())[0]

    for record in site.loop(both.read(shard, 0, 100)):
        assert sequence_text(record.sequence) == str(record.sequence)
