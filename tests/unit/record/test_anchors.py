"""Where the lanes stood is written down once a minute, in a chain, and never backwards."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import pytest

from decision_engine.record.anchors import PAGE, Anchor, AnchoredHeads, AnchorKeeper, Head
from decision_engine.record.merkle import GENESIS
from decision_engine.record.statements import BatchRow, ReadLaneHeads
from domain.errors import InvalidInputError, PermanentError, TransientError
from domain.instants import epoch_micros
from domain.ports.time import Deadline
from domain.ports.truth import Program, Rows, Statement
from tests.unit.ingestion.fakes import FakeMonitoring
from tests.unit.record.memory_ledger import ledger
from tests.unit.record.ports import HandClock
from tests.unit.record.toy import NOW

T = TypeVar("T")

LEDGER = ledger()
ANCHORS = LEDGER.anchors(0, 1, 3)


@dataclass
class FakeHeads:
    """A truth that knows nothing but the last batch of each lane."""

    rows: list[BatchRow] = field(default_factory=list)

    async def read(self, statements: Sequence[Statement], deadline: Deadline) -> list[Rows]:
        assert deadline.at > 0
        assert list(statements) == [ReadLaneHeads()]
        return [list(self.rows)]

    async def transact(self, program: Callable[[], Program[T]], deadline: Deadline) -> T:
        raise AssertionError("an anchor writes nothing into the ledger")


@dataclass
class FakeAnchors:
    """Keeps anchors; `fault` is raised by the next append, after keeping or without."""

    kept: list[Anchor] = field(default_factory=list)
    fault: Exception | None = None
    keeps: bool = True
    reads: int = 0

    async def append(self, anchor: Anchor, deadline: Deadline) -> None:
        assert deadline.at > 0
        error, self.fault = self.fault, None
        if error is None or self.keeps:
            self.kept.append(anchor)
        if error is not None:
            raise error

    async def read(self, after: int, limit: int, deadline: Deadline) -> list[Anchor]:
        assert deadline.at > 0
        self.reads += 1
        return [anchor for anchor in self.kept if anchor.number > after][:limit]


@dataclass
class World:
    truth: FakeHeads = field(default_factory=FakeHeads)
    store: FakeAnchors = field(default_factory=FakeAnchors)
    monitoring: FakeMonitoring = field(default_factory=FakeMonitoring)
    clock: HandClock = field(default_factory=lambda: HandClock(seconds=1.0))

    def keeper(self) -> AnchorKeeper:
        return AnchorKeeper(self.truth, self.store, self.clock, self.monitoring)

    def stands_at(self, *sequences: int) -> None:
        self.truth.rows = [
            replace(LEDGER.all_batches[sequence], lane=f"lane-{number}")
            for number, sequence in enumerate(sequences)
        ]


def run(keeper: AnchorKeeper) -> int:
    return asyncio.run(keeper.run_once())


def test_only_lanes_that_moved_are_anchored_each_anchor_on_the_one_before() -> None:
    world = World()
    keeper = world.keeper()

    assert run(keeper) == 0
    world.stands_at(0, 1)
    assert (run(keeper), run(keeper)) == (2, 0)
    world.stands_at(0, 2, 0)
    assert run(keeper) == 2

    first, second = world.store.kept
    assert (first.number, first.previous, first.at_us) == (0, GENESIS, epoch_micros(NOW))
    assert (second.number, second.previous) == (1, first.hash)
    assert [(head.lane, head.sequence) for head in second.heads] == [("lane-1", 2), ("lane-2", 0)]
    assert second.heads[0] == Head.of(world.truth.rows[1])
    assert world.monitoring.counts["anchors_written"] == 2
    assert world.store.reads == 1, "what is kept is read once, unless its state is unclear"


def test_a_new_process_goes_on_with_the_chain() -> None:
    world = World()
    world.stands_at(1)
    run(world.keeper())
    again = world.keeper()

    assert run(again) == 0
    world.stands_at(2)
    assert run(again) == 1
    assert world.store.kept[1].previous == world.store.kept[0].hash


@pytest.mark.parametrize("keeps", [True, False])
def test_after_an_unclear_append_what_is_kept_counts(*, keeps: bool) -> None:
    world = World()
    keeper = world.keeper()
    world.stands_at(1)
    world.store.fault, world.store.keeps = TransientError("away"), keeps

    with pytest.raises(TransientError):
        run(keeper)
    assert run(keeper) == (0 if keeps else 1)
    assert [anchor.number for anchor in world.store.kept] == [0]


@pytest.mark.parametrize("rows", [(1,), (2,)])
def test_it_never_anchors_backwards_nor_another_past(rows: tuple[int, ...]) -> None:
    world = World()
    keeper = world.keeper()
    world.stands_at(2)
    run(keeper)
    world.stands_at(*rows)
    world.truth.rows = [replace(row, root=bytes(32)) for row in world.truth.rows]

    assert run(keeper) == 0
    assert len(world.store.kept) == 1
    assert world.monitoring.counts["anchor_refused"] == 1


def test_kept_anchors_are_read_page_by_page() -> None:
    world = World()
    chain: list[Anchor] = []
    for number in range(PAGE + 1):
        head = Head("lane", number, bytes(32))
        chain.append(Anchor(number, 0, (head,), chain[-1].hash if chain else GENESIS))
    world.store.kept = chain

    assert run(world.keeper()) == 0
    assert world.store.reads == 2


def test_anchors_that_are_no_chain_are_not_continued() -> None:
    world = World()
    world.store.kept = [ANCHORS[0], ANCHORS[2]]

    with pytest.raises(PermanentError, match="no chain"):
        run(world.keeper())


def test_an_anchor_reads_as_it_was_written() -> None:
    line = ANCHORS[1].to_bytes()

    assert Anchor.parse(line) == ANCHORS[1]
    assert b"\n" not in line


@pytest.mark.parametrize("place", range(0, len(ANCHORS[1].to_bytes()), 7))
def test_an_anchor_with_one_other_byte_is_refused(place: int) -> None:
    line = bytearray(ANCHORS[1].to_bytes())
    line[place] ^= 1

    with pytest.raises(InvalidInputError):
        Anchor.parse(bytes(line))


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{}",
        b"[]",
        b"7",
        ANCHORS[0].to_bytes() + b" ",
        b'{"at_us":0,"heads":[["a",1,"00"]],"number":0}',
    ],
)
def test_what_is_no_anchor_is_refused(line: bytes) -> None:
    with pytest.raises(InvalidInputError):
        Anchor.parse(line)


def gathered(*anchors: Anchor) -> AnchoredHeads:
    heads = AnchoredHeads()
    for anchor in anchors:
        heads.add(anchor)
    return heads


def test_the_heads_of_a_chain_come_lane_by_lane_in_order() -> None:
    heads = gathered(*ANCHORS)

    assert not heads.faults
    assert heads.anchors == 3
    expected = [(sequence, LEDGER.head(sequence).chain) for sequence in (0, 1, 3)]
    assert {lane: list(each) for lane, each in heads.heads().items()} == {"lane": expected}


def test_an_anchor_that_is_missing_is_named() -> None:
    faults = gathered(ANCHORS[0], ANCHORS[2]).faults

    assert [(fault.code, fault.place) for fault in faults] == [("anchor-chain-broken", "anchor 2")]


def test_an_anchor_on_another_one_than_the_one_before_is_named() -> None:
    faults = gathered(ANCHORS[0], replace(ANCHORS[1], previous=bytes(32))).faults

    assert [(fault.code, fault.place) for fault in faults] == [("anchor-chain-broken", "anchor 1")]


def test_a_lane_that_goes_back_is_named() -> None:
    back = Anchor(3, 0, (LEDGER.head(2),), ANCHORS[2].hash)
    faults = gathered(*ANCHORS, back).faults

    assert [(fault.code, fault.place) for fault in faults] == [("anchor-backwards", "lane/2")]
