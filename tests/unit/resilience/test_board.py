"""What processes tell each other of their breakers is advice, and is not missed when away."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from adapters.resilience.board import BreakerNews, LocalBoard
from adapters.resilience.breaker import Breaker
from domain.errors import TransientError
from domain.ports.breakers import BreakerRow, BreakerState
from domain.ports.time import Deadline
from tests.unit.decide.world import Counts
from tests.unit.record.ports import HandClock


@dataclass
class AwayBoard(LocalBoard):
    """A board that can be away."""

    away: bool = False
    published: int = field(default=0)

    async def publish(self, rows: Sequence[BreakerRow], deadline: Deadline) -> None:
        if self.away:
            raise TransientError("away")
        self.published += len(rows)
        await super().publish(rows, deadline)

    async def read(self, deadline: Deadline) -> Sequence[BreakerRow]:
        if self.away:
            raise TransientError("away")
        return await super().read(deadline)


@dataclass
class Site:
    """Two processes with a breaker each, and their board."""

    clock: HandClock = field(default_factory=HandClock)
    board: AwayBoard = field(default_factory=AwayBoard)

    def __post_init__(self) -> None:
        self.here, self.there = (Breaker("redis", self.clock, Counts()) for _ in range(2))
        self.counts = Counts()
        self.news = BreakerNews(self.board, [self.here], "api-1", self.clock, self.counts)
        self.other = BreakerNews(self.board, [self.there], "api-2", self.clock, Counts())

    def exchange(self) -> None:
        asyncio.run(self.other.once())
        asyncio.run(self.news.once())


def fail(breaker: Breaker, times: int) -> None:
    for _ in range(times):
        breaker.failed(breaker.enter())


def test_while_another_process_leaves_a_store_one_failure_is_enough() -> None:
    site = Site()
    fail(site.there, 5)
    site.exchange()
    assert site.here.view().opened == 0

    fail(site.here, 1)
    assert site.here.view().opened == 1


def test_one_s_own_word_does_not_count() -> None:
    site = Site()
    fail(site.here, 5)
    site.exchange()
    site.clock.move(60)
    for _ in range(2):
        site.here.succeeded(site.here.enter())
    site.news.board.rows = {  # type: ignore[attr-defined]
        name: row for name, row in site.board.rows.items() if "api-1" in name
    }
    asyncio.run(site.news.once())
    fail(site.here, 4)

    assert site.here.state is BreakerState.CLOSED


@pytest.mark.parametrize("way", ["old", "away", "well again", "another store"])
def test_what_is_no_news_changes_nothing(way: str) -> None:
    site = Site()
    if way == "another store":
        site.there.name = "dynamodb"
    fail(site.there, 5)
    site.exchange()
    if way == "old":
        site.clock.move(61)
    elif way == "away":
        site.board.away = True
    elif way == "well again":
        site.clock.move(60)
        for _ in range(2):
            site.there.succeeded(site.there.enter())
        asyncio.run(site.other.once())
    asyncio.run(site.news.once())
    fail(site.here, 4)

    assert site.here.state is BreakerState.CLOSED
    assert site.counts.counted.get("breaker_board_failed_total", 0) == (way == "away")


def test_a_state_is_published_when_it_changes_and_now_and_then() -> None:
    site = Site()
    for _ in range(5):
        asyncio.run(site.news.once())
    assert site.board.published == 1

    fail(site.here, 5)
    asyncio.run(site.news.once())
    assert site.board.published == 2
    site.clock.move(30)
    for _ in range(5):
        asyncio.run(site.news.once())
    assert site.board.published == 3


def test_a_row_says_what_the_table_of_the_brief_holds() -> None:
    site = Site()
    fail(site.here, 5)
    asyncio.run(site.news.once())
    opened_s = int(site.clock.now().timestamp())
    site.clock.move(61)
    site.here.succeeded(site.here.enter())
    asyncio.run(site.news.once())

    assert site.board.rows == {
        "redis/api-1": BreakerRow(
            service_name="redis/api-1",
            state=BreakerState.HALF_OPEN,
            failure_count=5,
            success_count=1,
            last_failure_time=opened_s,
            updated=opened_s + 61,
        )
    }


def test_an_older_row_does_not_replace_a_newer_one() -> None:
    board = LocalBoard()
    rows = [
        BreakerRow(
            service_name="redis/api-1",
            state=BreakerState.OPEN,
            failure_count=5,
            success_count=0,
            last_failure_time=1,
            updated=updated,
        )
        for updated in (2, 1)
    ]
    for row in rows:
        asyncio.run(board.publish([row], Deadline(9.0)))

    assert asyncio.run(board.read(Deadline(9.0))) == rows[:1]


def test_news_are_exchanged_until_it_is_told_to_stop() -> None:
    site = Site()
    slept: list[float] = []

    class StoppedError(Exception):
        pass

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            raise StoppedError

    site.news.sleep = sleep
    with pytest.raises(StoppedError):
        asyncio.run(site.news.run())
    assert slept == [5.0] * 3


@pytest.mark.parametrize("ahead_s", [61, 10**12])
def test_a_row_from_far_ahead_is_not_believed_for_ever(ahead_s: int) -> None:
    site = Site()
    fail(site.there, 5)
    asyncio.run(site.other.once())
    ((name, row),) = site.board.rows.items()
    site.board.rows[name] = replace(row, updated=row.updated + ahead_s)
    asyncio.run(site.news.once())
    fail(site.here, 4)

    assert site.here.state is BreakerState.CLOSED
