"""What `domain.ports.storage.DataStorage` promises, on every projection store."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.stores.embedded.projection import DYNAMODB, KEYSPACES
from domain.errors import DeadlineExceededError
from domain.ports.storage import Applied, DataStorage, ProjectionRow
from domain.ports.time import Deadline
from tests.contracts.embedded import sqlite_projection
from tests.contracts.guarded import guarded_storage
from tests.contracts.model import model_storage
from tests.contracts.opened import NEVER, START, Factory, Opened

Storage = Opened[DataStorage]

STORAGES: Final[dict[str, Factory[DataStorage]]] = {
    "model": model_storage,
    "sqlite keyspaces": partial(sqlite_projection, table=KEYSPACES),
    "sqlite dynamodb": partial(sqlite_projection, table=DYNAMODB),
    "guarded model": partial(guarded_storage, model_storage),
    "guarded sqlite": partial(guarded_storage, partial(sqlite_projection, table=DYNAMODB)),
}
NOW_S: Final = int(START.timestamp())
APPLIED, SAME, STALE, CONFLICT = Applied.APPLIED, Applied.SAME, Applied.STALE, Applied.CONFLICT


@pytest.fixture(params=sorted(STORAGES))
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Storage]:
    with STORAGES[request.param](tmp_path) as opened:
        yield opened


def a_row(version: int = 1, payload: bytes = b"", **changes: Any) -> ProjectionRow:
    row = ProjectionRow("c-1", "CUSTOMER_PROFILE", version, payload or b"payload %d" % version)
    return replace(row, **changes)


def put(storage: Storage, *rows: ProjectionRow) -> list[Applied]:
    return list(storage.run(storage.port.put_if_newer(rows, NEVER)))


def read(storage: Storage, data_type: str = "CUSTOMER_PROFILE") -> ProjectionRow | None:
    return storage.run(storage.port.read_item("c-1", data_type, NEVER))


def held(storage: Storage) -> tuple[int, bytes] | None:
    row = read(storage)
    return None if row is None else (row.version, row.payload)


def transaction(number: int, **changes: Any) -> ProjectionRow:
    data_type = f"TRANSACTION#2026-12-{number:02d}T00:00:00.000000Z#e-{number}"
    return a_row(data_type=data_type, payload=b"%d" % number, **changes)


def query(
    storage: Storage, prefix: str = "TRANSACTION#", limit: int = 99, before: str = ""
) -> list[int]:
    rows = storage.run(storage.port.query("c-1", prefix, limit, before, NEVER))
    return [int(row.payload) for row in rows]


def test_a_new_row_is_written(storage: Storage) -> None:
    assert held(storage) is None
    assert put(storage, a_row(3)) == [APPLIED]
    assert held(storage) == (3, b"payload 3")


@pytest.mark.parametrize(
    ("second", "result", "left"),
    [
        (a_row(6), APPLIED, (6, b"payload 6")),
        (a_row(5), SAME, (5, b"payload 5")),
        (a_row(4), STALE, (5, b"payload 5")),
        (a_row(5, b"other"), CONFLICT, (5, b"payload 5")),
        (a_row(4, b"payload 5"), STALE, (5, b"payload 5")),
    ],
)
def test_the_version_decides(
    storage: Storage, second: ProjectionRow, result: Applied, left: tuple[int, bytes]
) -> None:
    put(storage, a_row(5))

    assert put(storage, second) == [result]
    assert held(storage) == left


def test_each_row_of_a_call_is_judged_by_itself(storage: Storage) -> None:
    names = ("new", "older", "equal", "unequal")
    put(storage, *(a_row(5, data_type=f"DECISION#{name}") for name in names[1:]))

    results = put(
        storage,
        a_row(5, data_type="DECISION#new"),
        a_row(4, data_type="DECISION#older"),
        a_row(5, data_type="DECISION#equal"),
        a_row(5, b"other", data_type="DECISION#unequal"),
    )

    assert results == [APPLIED, STALE, SAME, CONFLICT]


def test_a_call_of_a_thousand_rows(storage: Storage) -> None:
    rows = [a_row(2, data_type=f"DECISION#{number:04d}") for number in range(1_000)]

    assert put(storage, *rows) == [APPLIED] * 1_000
    assert put(storage, *rows) == [SAME] * 1_000
    assert put(storage) == []


def test_readable_columns_and_expiry_come_back(storage: Storage) -> None:
    row = a_row(columns={"status": "ACTIVE"}, expires_s=NOW_S + 60)
    put(storage, row)

    back = read(storage)

    assert back is not None
    assert (back.columns, back.expires_s) == ({"status": "ACTIVE"}, NOW_S + 60)


def test_a_newer_row_replaces_every_column(storage: Storage) -> None:
    put(storage, a_row(1, columns={"status": "ACTIVE"}, expires_s=NOW_S + 60))
    put(storage, a_row(2))

    assert read(storage) == a_row(2)


def test_customers_do_not_see_one_another(storage: Storage) -> None:
    put(storage, a_row(1), a_row(9, customer_id="c-2"), transaction(1, customer_id="c-2"))

    assert held(storage) == (1, b"payload 1")
    assert query(storage) == []


def test_rows_of_a_prefix_come_newest_first(storage: Storage) -> None:
    put(storage, a_row(), *(transaction(number) for number in (2, 5, 1, 4, 3)))
    put(storage, a_row(data_type="DECISION#x"), a_row(data_type="TRANSACTION"))

    assert query(storage) == [5, 4, 3, 2, 1]
    assert query(storage, limit=2) == [5, 4]
    assert query(storage, before=transaction(4).data_type) == [3, 2, 1]
    assert query(storage, "TRANSACTION#2026-12-03") == [3]
    assert query(storage, "TRANSACTION#2027") == []


def test_pages_meet_without_gap_or_repeat(storage: Storage) -> None:
    put(storage, *(transaction(number) for number in range(1, 8)))
    seen: list[int] = []
    before = ""

    while page := query(storage, limit=3, before=before):
        seen += page
        before = transaction(page[-1]).data_type

    assert seen == [7, 6, 5, 4, 3, 2, 1]


def test_an_expired_row_is_not_read(storage: Storage) -> None:
    put(storage, a_row(expires_s=NOW_S + 10), transaction(1, expires_s=NOW_S + 10), transaction(2))

    storage.clock.advance(9)
    assert (held(storage) is not None, query(storage)) == (True, [2, 1])

    storage.clock.advance(1)
    assert (held(storage), query(storage)) == (None, [2])


def test_nothing_is_written_after_the_deadline(storage: Storage) -> None:
    deadline = Deadline(storage.clock.monotonic() + 1)
    storage.clock.advance(2)

    with pytest.raises(DeadlineExceededError):
        storage.run(storage.port.put_if_newer([a_row()], deadline))
    assert held(storage) is None


def test_metrics_count_what_was_done(storage: Storage) -> None:
    put(storage, a_row(2))
    put(storage, a_row(1))
    read(storage)

    counted = storage.port.metrics()

    assert (counted["APPLIED"], counted["STALE"], counted["reads"]) == (1, 1, 1)


def test_of_racing_writers_each_version_is_applied_once_and_the_highest_stays(
    storage: Storage,
) -> None:
    async def write(number: int) -> list[Applied]:
        # Everybody's bytes differ, so equal versions conflict and only one of them is written.
        rows = [a_row(version, b"%d by %d" % (version, number)) for version in range(1, 21)]
        calls = (storage.port.put_if_newer([row], NEVER) for row in rows)
        return [result for results in await asyncio.gather(*calls) for result in results]

    with ThreadPoolExecutor(3) as pool:
        results = list(pool.map(lambda number: storage.run(write(number)), range(3)))

    for version in range(20):
        assert [each[version] for each in results].count(APPLIED) <= 1
    assert [each[19] for each in results].count(APPLIED) == 1
    winner = next(number for number, each in enumerate(results) if each[19] is APPLIED)
    assert held(storage) == (20, b"20 by %d" % winner)


CUSTOMERS = (f"c-{number}" for number in count())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(versions=st.lists(st.integers(1, 6), min_size=1, max_size=12))
def test_any_order_and_repetition_ends_at_the_highest_version(
    storage: Storage, versions: list[int]
) -> None:
    customer = next(CUSTOMERS)
    for version in versions:
        put(storage, a_row(version, customer_id=customer))

    row = storage.run(storage.port.read_item(customer, "CUSTOMER_PROFILE", NEVER))

    assert row == a_row(max(versions), customer_id=customer)
