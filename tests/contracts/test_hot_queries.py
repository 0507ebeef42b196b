"""What `domain.ports.storage.HotQueries` promises, on every store that lists."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.stores.embedded.projection import DYNAMODB, SqliteProjection
from adapters.stores.embedded.sqlite_file import SqliteFile
from adapters.stores.model.hot_queries import ModelHotQueries
from adapters.stores.model.storage import ModelStorage
from adapters.stores.model.versioned import VersionedStore
from domain.errors import DeadlineExceededError
from domain.ports.storage import DataWriter, HotPlace, HotQueries, HotRow, ProjectionRow
from domain.ports.time import Deadline
from tests.contracts.model import _turns
from tests.contracts.opened import NEVER, START, Factory, HandClock, Opened

NOW_S: Final = int(START.timestamp())
TURNS = count()
PROFILE: Final = "CUSTOMER_PROFILE"


@dataclass(frozen=True, slots=True)
class Hot:
    """A store's two sides."""

    writer: DataWriter
    queries: HotQueries


Lists = Opened[Hot]


@contextmanager
def model_lists(_: Path) -> Iterator[Lists]:
    clock = HandClock()
    store: VersionedStore[tuple[str, str]] = VersionedStore("model")
    with _turns() as turns:
        yield Opened(Hot(ModelStorage(store, clock), ModelHotQueries(store, clock)), clock, turns)


@contextmanager
def sqlite_lists(folder: Path) -> Iterator[Lists]:
    clock = HandClock()
    file = SqliteFile(folder / "hot.sqlite", DYNAMODB.layout, clock)
    store = SqliteProjection(file, DYNAMODB, clock)
    try:
        yield Opened(Hot(store, store.queries()), clock)
    finally:
        store.close()


LISTS: Final[dict[str, Factory[Hot]]] = {"model": model_lists, "sqlite dynamodb": sqlite_lists}


@pytest.fixture(params=sorted(LISTS))
def lists(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Lists]:
    opening: AbstractContextManager[Lists] = LISTS[request.param](tmp_path)
    with opening as opened:
        yield opened


def a_row(number: int, instant: int | None = None, **changes: Any) -> ProjectionRow:
    us = number if instant is None else instant
    columns = {"status": "ACTIVE", "lastUpdated": us, "createdAt": us - 1}
    made = {"data_type": PROFILE, "version": 1, "payload": b"secret", "columns": columns}
    return ProjectionRow(f"c-{number:03d}", **{**made, **changes})


def put(lists: Lists, *rows: ProjectionRow) -> None:
    lists.run(lists.port.writer.put_if_newer(rows, NEVER))


def by_type(
    lists: Lists, family: str = PROFILE, limit: int = 99, after: HotPlace | None = None
) -> list[HotRow]:
    return list(lists.run(lists.port.queries.newest_of_type(family, limit, after, NEVER)))


def by_status(
    lists: Lists, status: str = "ACTIVE", limit: int = 99, after: HotPlace | None = None
) -> list[HotRow]:
    return list(lists.run(lists.port.queries.newest_of_status(status, limit, after, NEVER)))


def numbers(rows: list[HotRow]) -> list[int]:
    return [int(row.customer_id[2:]) for row in rows]


def test_a_list_shows_keys_and_readable_columns(lists: Lists) -> None:
    put(lists, a_row(7))

    expected = HotRow("c-007", PROFILE, 1, "ACTIVE", 6, 7)
    assert by_type(lists) == [expected]
    assert by_status(lists) == [expected]


def test_rows_of_all_customers_come_newest_first(lists: Lists) -> None:
    put(lists, *(a_row(number, number * 37 % 101) for number in range(100)))

    newest = sorted(range(100), key=lambda number: -(number * 37 % 101))
    assert numbers(by_type(lists, limit=100)) == newest
    assert numbers(by_status(lists, limit=100)) == newest
    assert numbers(by_type(lists, limit=5)) == newest[:5]
    assert by_type(lists, limit=1)[0].updated_us == 100


def test_a_list_has_rows_of_its_type_or_status_only(lists: Lists) -> None:
    blocked = {"status": "BLOCKED", "lastUpdated": 5, "createdAt": 5}
    put(lists, a_row(1), a_row(2, data_type="TRANSACTION#2026#e"), a_row(3, columns=blocked))
    put(lists, a_row(4, data_type="TRANSACTIONS#x"), a_row(5, columns=None))

    assert numbers(by_type(lists)) == [3, 1]
    assert numbers(by_type(lists, "TRANSACTION")) == [2]
    assert numbers(by_status(lists)) == [4, 2, 1]
    assert numbers(by_status(lists, "BLOCKED")) == [3]
    assert by_status(lists, "NONE") == by_type(lists, "NONE") == []


def test_a_newer_version_moves_a_row(lists: Lists) -> None:
    put(lists, a_row(1), a_row(2), a_row(3))
    changed = {"status": "BLOCKED", "lastUpdated": 9, "createdAt": 9}
    put(lists, a_row(1, version=2, columns=changed))

    assert numbers(by_type(lists)) == [1, 3, 2]
    assert numbers(by_status(lists)) == [3, 2]
    assert numbers(by_status(lists, "BLOCKED")) == [1]


def test_an_expired_row_is_in_no_list(lists: Lists) -> None:
    put(lists, a_row(1, expires_s=NOW_S + 10), a_row(2))
    assert numbers(by_type(lists)) == [2, 1]

    lists.clock.advance(10)
    assert numbers(by_type(lists)) == numbers(by_status(lists)) == [2]


def test_nothing_is_asked_after_the_deadline(lists: Lists) -> None:
    deadline = Deadline(lists.clock.monotonic() + 1)
    lists.clock.advance(2)
    with pytest.raises(DeadlineExceededError):
        lists.run(lists.port.queries.newest_of_type(PROFILE, 1, None, deadline))


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15, deadline=None
)
@given(
    instants=st.lists(st.integers(1, 4), min_size=1, max_size=40),
    limit=st.integers(1, 9),
)
def test_pages_meet_without_gap_or_repeat_also_within_an_instant(
    lists: Lists, instants: list[int], limit: int
) -> None:
    family = f"TYPE{next(TURNS)}"
    rows = [a_row(number, us, data_type=f"{family}#x") for number, us in enumerate(instants)]
    put(lists, *rows)
    seen: list[HotRow] = []
    after = None

    while page := by_type(lists, family, limit, after):
        seen += page
        assert page[-1].updated_us is not None
        after = HotPlace(page[-1].updated_us, page[-1].customer_id, page[-1].data_type)

    assert numbers(seen) == sorted(range(len(rows)), key=lambda n: (-instants[n], n))
