"""Processes, faults and model stores together: who dies takes nothing along but what was open."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import pytest

from adapters.stores.model.database import Database, LostConnectionError, Table, ThrottledError
from adapters.stores.model.stream import Entry, Stream
from adapters.stores.model.versioned import VersionedStore
from tests.simulation.kernel.faults import Faults, Rates
from tests.simulation.kernel.loop import run
from tests.simulation.kernel.process import Process, ProcessDead
from tests.simulation.kernel.store_faults import StoreFaults

TABLES = (Table("t", ("id",)),)
SEEDS = range(20)


async def insert_and_wait(database: Database) -> None:
    connection = database.connect("inside")
    await connection.begin()
    await connection.insert("t", {"id": 1})
    await asyncio.Event().wait()


async def kill_and_insert(seed: int) -> float:
    """Kill a process with an open transaction; return how long its lock was in the way."""
    database = Database(TABLES, StoreFaults(Faults(seed), "db"))
    process = Process("p")
    process.spawn(insert_and_wait(database))
    await asyncio.sleep(1)
    assert database.rows("t") == []
    process.kill()
    started = asyncio.get_running_loop().time()
    connection = database.connect("outside")
    await connection.insert("t", {"id": 1})
    await connection.close()
    assert database.leftovers() == []
    return asyncio.get_running_loop().time() - started


def test_the_connections_of_a_killed_process_are_dropped() -> None:
    assert {run(seed, partial(kill_and_insert, seed)) for seed in SEEDS} == {0.0}


def test_the_server_may_notice_later() -> None:
    async def program(seed: int) -> None:
        faults = Faults(seed)
        database = Database(TABLES, StoreFaults(faults, "db"))
        process = Process("p")
        process.spawn(insert_and_wait(database))
        await asyncio.sleep(1)
        faults.override("db", Rates(half_open=1.0, late_s_max=0.9))
        process.kill()
        assert database.leftovers() != []
        await asyncio.sleep(1)
        assert database.leftovers() == []

    for seed in SEEDS:
        run(seed, partial(program, seed))


def test_a_dead_process_reaches_no_store() -> None:
    async def program() -> None:
        hooks = StoreFaults(Faults(1), "store")
        database = Database(TABLES, hooks)
        stream, store = Stream("s", 1, hooks), VersionedStore[str]("v", hooks)
        connection = database.connect("outside")

        async def connect() -> None:
            database.connect("inside")

        attempts: list[Callable[[], Awaitable[object]]] = [
            connect,
            lambda: connection.insert("t", {"id": 1}),
            lambda: stream.put([Entry("k", b"")]),
            lambda: store.put_if_newer("k", 1, b""),
        ]
        process = Process("p")
        process.spawn(try_all_when_cancelled(attempts, refused := list[str]()))
        await asyncio.sleep(1)
        process.kill()
        await asyncio.sleep(1)
        assert refused == ["ProcessDead"] * 4
        assert not database.rows("t")
        assert not stream.records()
        assert not store.rows()

    run(0, program)


async def try_all_when_cancelled(
    attempts: list[Callable[[], Awaitable[object]]], refused: list[str]
) -> None:
    try:
        await asyncio.Event().wait()
    finally:
        for attempt in attempts:
            try:
                await attempt()
            except ProcessDead as error:
                refused.append(type(error).__name__)


def test_a_commit_under_way_at_the_kill_may_land_or_not() -> None:
    async def insert(database: Database) -> None:
        connection = database.connect("inside")
        await connection.insert("t", {"id": 1})

    async def program(seed: int) -> tuple[int, int]:
        rates = Rates(delay=1.0, delay_s_max=2.0, late=0.3, landed=0.3, late_s_max=3.0)
        database = Database(TABLES, StoreFaults(Faults(seed, rates), "db"))
        process = Process("p")
        process.spawn(insert(database))
        await asyncio.sleep(0.01)
        process.kill()
        at_once = len(database.rows("t"))
        await asyncio.sleep(10)
        assert database.leftovers() == []
        return at_once, len(database.rows("t"))

    found = {run(seed, partial(program, seed)) for seed in range(100)}
    assert {(0, 0), (0, 1)} <= found


def test_points_of_stores_are_named_after_verb_and_target() -> None:
    async def program() -> Faults:
        faults = Faults(1)
        database = Database(TABLES, StoreFaults(faults, "db"))
        connection = database.connect("c")
        await connection.begin()
        await connection.insert("t", [{"id": 1}, {"id": 2}])
        await connection.commit()
        return faults

    assert set(run(0, program).counts) == {
        "db.begin", "db.begin.after", "db.commit", "db.commit.after",
        "db.insert.t", "db.insert.t.after", "db.insert.t.pause",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("rates", "error"),
    [
        (Rates(transient=1.0), ThrottledError),
        (Rates(lost=1.0), LostConnectionError),
        (Rates(landed=1.0), LostConnectionError),
        (Rates(late=1.0), LostConnectionError),
        (Rates(half_open=1.0), LostConnectionError),
    ],
)
def test_rates_choose_the_fate(rates: Rates, error: type[Exception]) -> None:
    async def program() -> None:
        faults = Faults(1, overrides={"db.insert": rates})
        connection = Database(TABLES, StoreFaults(faults, "db")).connect("c")
        await connection.begin()
        with pytest.raises(error):
            await connection.insert("t", {"id": 1})
        assert sum("!" in name for name in faults.counts) == 1

    run(0, program)
