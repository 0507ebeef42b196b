"""A lane that begins says where the others stood, as many of them as fit."""

import json
from dataclasses import replace

from decision_engine.record.batch import BatchProgram
from decision_engine.record.lane_note import NOTE_MAX, lane_note
from decision_engine.record.prepare import Lane
from decision_engine.record.statements import BatchRow
from tests.unit.record.memory_truth import MemoryTruth
from tests.unit.record.ports import CountingIds, FixedChance, HandClock
from tests.unit.record.toy import entry

HEAD = BatchRow("", 7, bytes(32), bytes(32), b"", 0, "", 0)


def head(number: int) -> BatchRow:
    return replace(HEAD, lane=f"00000000-0000-7000-8000-{number:012}", written_us=number)


def test_a_lane_names_the_hash_that_the_next_batch_of_another_carries() -> None:
    truth = MemoryTruth()
    truth.add_customer("c-p1", "p1")
    ids = CountingIds()
    first, second = (
        BatchProgram(Lane(lane), HandClock(), ids, FixedChance()) for lane in ("one", "two")
    )
    truth.run(first.open_lane("embedded 1.0"))
    truth.run(first.record([entry("k1")]))
    truth.run(second.open_lane("embedded 1.1"))
    truth.run(first.record([entry("k2")]))

    notes = [json.loads(truth.state.batches[lane, 0].note) for lane in ("one", "two")]
    carried = truth.state.batches["one", 2].previous_hash.hex()
    assert notes == [
        {"writer": "embedded 1.0", "heads": {}, "left_out": 0},
        {"writer": "embedded 1.1", "heads": {"one": [1, carried]}, "left_out": 0},
    ]


def test_a_note_fits_its_column_and_says_how_many_heads_it_leaves_out() -> None:
    heads = [head(number) for number in range(1000)]

    note = json.loads(lane_note("writer", heads))

    named = len(note["heads"])
    assert named >= 15
    assert named + note["left_out"] == 1000
    assert set(note["heads"]) == {row.lane for row in heads[-named:]}
    assert NOTE_MAX - 150 < len(lane_note("writer", heads)) <= NOTE_MAX
    assert json.loads(lane_note("writer", heads[:15]))["left_out"] == 0
