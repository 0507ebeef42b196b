"""What the producer promises of a key's records, whatever Kinesis does to a call."""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.streams.kinesis import KinesisStream, Needs
from adapters.streams.kinesis_api import KinesisApi
from domain.errors import (
    CreditError,
    DeadlineExceededError,
    InvalidInputError,
    PermanentError,
    ThrottledError,
    TransientError,
)
from domain.ports.time import Deadline
from tests.contracts.opened import NEVER, Counted, HandClock
from tests.unit.streams.fake_kinesis import (
    STREAM,
    THROTTLED,
    FakeKinesis,
    Fate,
    by_key,
    last_appearances,
    refusal,
)

Record = tuple[str, bytes]
MIB: Final = 1 << 20
FATES: Final = st.lists(st.sampled_from(Fate), max_size=60)


def stream_on(kinesis: FakeKinesis, monitoring: Counted | None = None) -> KinesisStream:
    api = KinesisApi(kinesis, STREAM)
    return KinesisStream(api, clock=HandClock(), monitoring=monitoring or Counted(), waiting_max=10)


def numbered(keys: Sequence[int]) -> list[Record]:
    return [(f"k{key}", b"%d" % place) for place, key in enumerate(keys)]


@given(st.lists(st.integers(0, 3), min_size=1, max_size=25), FATES)
def test_a_keys_records_end_up_in_their_order_and_none_is_lost(
    keys: list[int], fates: list[Fate]
) -> None:
    kinesis = FakeKinesis(fates=deque(fates))
    records = numbered(keys)

    asyncio.run(stream_on(kinesis).put(records, NEVER))

    assert last_appearances(kinesis.stored()) == by_key(records)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=25), FATES, st.integers(0, 3))
def test_a_put_that_was_given_up_may_be_made_again(
    keys: list[int], fates: list[Fate], waits_max: int
) -> None:
    kinesis = FakeKinesis(fates=deque(fates), waits_max=waits_max)
    stream, records = stream_on(kinesis), numbered(keys)

    for _ in range(100):
        try:
            asyncio.run(stream.put(records, NEVER))
            break
        except TransientError:
            kinesis.waits.clear()
    else:
        pytest.fail("it never succeeds")

    assert last_appearances(kinesis.stored()) == by_key(records)


def test_what_failed_goes_before_what_never_went() -> None:
    records = numbered([number % 3 for number in range(1_100)])
    fates = [Fate.STORED] * 450 + [Fate.THROTTLED] * 20
    kinesis = FakeKinesis(fates=deque(fates))

    asyncio.run(stream_on(kinesis).put(records, NEVER))

    assert last_appearances(kinesis.stored()) == by_key(records)


def test_without_failures_every_record_stands_once_in_one_call() -> None:
    kinesis, records = FakeKinesis(), numbered([0, 1, 0, 2, 0])

    asyncio.run(stream_on(kinesis).put(records, NEVER))

    assert kinesis.stored() == records
    assert len(kinesis.asked) == 1
    assert kinesis.waits == []


def test_only_the_failed_end_of_a_key_goes_again() -> None:
    fates = [Fate.STORED, Fate.THROTTLED, Fate.STORED, Fate.STORED, Fate.STORED]
    kinesis, monitoring = FakeKinesis(fates=deque(fates)), Counted()

    asyncio.run(stream_on(kinesis, monitoring).put(numbered([0, 1, 0, 1, 2]), NEVER))

    sent = [
        [entry["PartitionKey"] for entry in call["Records"]]
        for call in kinesis.operations("PutRecords")
    ]
    assert sent == [["k0", "k1", "k0", "k1", "k2"], ["k1", "k1"]]
    assert monitoring.counts["stream_records_failed"] == 1


def test_a_key_out_of_order_is_noticed_by_its_numbers() -> None:
    kinesis = FakeKinesis(fates=deque([Fate.OVERTAKEN, Fate.STORED]))

    asyncio.run(stream_on(kinesis).put(numbered([0, 0]), NEVER))

    assert [data for _, data in kinesis.stored()] == [b"1", b"0", b"1"]


def test_a_stream_that_takes_nothing_is_given_up_as_throttled() -> None:
    kinesis = FakeKinesis(fates=deque([Fate.THROTTLED] * 100), waits_max=3)

    with pytest.raises(ThrottledError):
        asyncio.run(stream_on(kinesis).put(numbered([0]), NEVER))

    assert len(kinesis.asked) == 4
    assert kinesis.waits == [1, 2, 3, 4]


def test_waits_grow_only_while_nothing_is_taken() -> None:
    fates = [Fate.STORED, Fate.THROTTLED, Fate.THROTTLED, Fate.THROTTLED]
    kinesis = FakeKinesis(fates=deque(fates))

    asyncio.run(stream_on(kinesis).put(numbered([0, 1]), NEVER))

    assert kinesis.waits == [0, 1, 2]


def test_calls_stay_within_what_kinesis_takes() -> None:
    kinesis = FakeKinesis()
    many = [(f"k{number % 7}", b"%d" % number) for number in range(1_201)]
    large = [(f"k{number % 2}", bytes([number]) * MIB) for number in range(9)]

    asyncio.run(stream_on(kinesis).put(many, NEVER))
    asyncio.run(stream_on(kinesis).put(large, NEVER))

    assert kinesis.stored() == many + large
    for call in kinesis.operations("PutRecords"):
        entries = call["Records"]
        assert len(entries) <= 500
        assert sum(len(entry["Data"]) * 3 // 4 for entry in entries) <= 5 * MIB
    assert len(kinesis.asked) == 3 + 3


@pytest.mark.parametrize(
    "record", [("", b""), ("k" * 257, b""), ("k\ud800", b""), ("k", bytes(MIB + 1))]
)
def test_what_may_not_be_put_is_refused_before_anything_is_sent(record: Record) -> None:
    kinesis = FakeKinesis()

    with pytest.raises(InvalidInputError):
        asyncio.run(stream_on(kinesis).put([("k", b"fine"), record], NEVER))

    assert kinesis.asked == []


def test_keys_of_calls_under_way_are_never_put_beside_them() -> None:
    under_way: Counter[str] = Counter()

    class Slow(FakeKinesis):
        async def call(self, target: str, payload: bytes, deadline: Deadline) -> bytes:
            before = len(self.asked)
            reply = await FakeKinesis.call(self, target, payload, deadline)
            keys = {entry["PartitionKey"] for entry in self.asked[before][1]["Records"]}
            assert not any(under_way[key] for key in keys)
            under_way.update(keys)
            for _ in range(3):
                await asyncio.sleep(0)
            under_way.subtract(keys)
            return reply

    kinesis = Slow(fates=deque([Fate.STORED, Fate.THROTTLED, Fate.OVERTAKEN] * 20))
    stream = KinesisStream(
        KinesisApi(kinesis, STREAM), clock=HandClock(), monitoring=Counted(), waiting_max=100
    )
    batches = [numbered([turn % 3, 3, (turn + 1) % 3, 3]) for turn in range(12)]

    async def all_at_once() -> None:
        await asyncio.gather(*(stream.put(batch, NEVER) for batch in batches))

    asyncio.run(all_at_once())

    assert set(kinesis.stored()) == {record for batch in batches for record in batch}


def test_who_waits_for_a_key_leaves_at_its_deadline_and_holds_up_nobody() -> None:
    gate = asyncio.Event()

    class Stuck(FakeKinesis):
        async def call(self, target: str, payload: bytes, deadline: Deadline) -> bytes:
            await gate.wait()
            return await FakeKinesis.call(self, target, payload, deadline)

    kinesis = Stuck()
    clock = HandClock()
    stream = KinesisStream(
        KinesisApi(kinesis, STREAM), clock=clock, monitoring=Counted(), waiting_max=2
    )

    async def scene() -> None:
        first = asyncio.create_task(stream.put([("k", b"1")], NEVER))
        await asyncio.sleep(0)
        with pytest.raises(DeadlineExceededError):
            await stream.put([("k", b"2")], Deadline(1e-9))
        gone = asyncio.create_task(stream.put([("k", b"3")], NEVER))
        last = asyncio.create_task(stream.put([("k", b"4")], NEVER))
        await asyncio.sleep(0)
        with pytest.raises(ThrottledError):
            await stream.put([("k", b"5")], NEVER)
        gone.cancel()
        await asyncio.sleep(0)
        gate.set()
        await asyncio.gather(first, last)
        await stream.put([("k", b"6")], NEVER)

    asyncio.run(scene())

    assert [data for _, data in kinesis.stored()] == [b"1", b"4", b"6"]


def raising(*errors: CreditError | Exception) -> Callable[[str], None]:
    left = list(errors)

    def fail(_: str) -> None:
        if left:
            raise left.pop(0)

    return fail


@pytest.mark.parametrize(
    ("code", "expected"),
    [(THROTTLED, ThrottledError), ("ResourceNotFoundException", CreditError),
     ("KMSDisabledException", PermanentError)],
)  # fmt: skip
def test_a_refused_call_is_typed(code: str, expected: type[CreditError]) -> None:
    kinesis = FakeKinesis(before=raising(refusal(code)))

    with pytest.raises(expected):
        asyncio.run(stream_on(kinesis).put(numbered([0]), NEVER))


def test_a_stream_that_fits_is_found_fit() -> None:
    found = asyncio.run(stream_on(FakeKinesis()).check(NEVER))
    by_key_ = FakeKinesis(summary={"RecordDistributionStrategy": "USER_PARTITION_KEY"})

    assert (found.stream_status, found.retention_period_hours) == ("ACTIVE", 24)
    assert asyncio.run(stream_on(by_key_).check(NEVER)).record_distribution_strategy


@pytest.mark.parametrize(
    ("summary", "needs", "expected", "word"),
    [
        ({"RecordDistributionStrategy": "AUTO"}, Needs(), PermanentError, "USER_PARTITION_KEY"),
        ({}, Needs(retention_hours=48), PermanentError, "48 h"),
        ({"StreamStatus": "CREATING"}, Needs(), TransientError, "CREATING"),
    ],
)
def test_a_stream_that_cannot_keep_our_promises_is_refused(
    summary: dict[str, object], needs: Needs, expected: type[CreditError], word: str
) -> None:
    with pytest.raises(expected, match=word):
        asyncio.run(stream_on(FakeKinesis(summary=summary)).check(NEVER, needs))


def test_a_stream_that_is_not_there_is_named() -> None:
    kinesis = replace(FakeKinesis(), before=raising(refusal("ResourceNotFoundException")))

    with pytest.raises(PermanentError, match="KINESIS_STREAM"):
        asyncio.run(stream_on(kinesis).check(NEVER))
