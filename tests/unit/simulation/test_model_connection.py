"""What a client knows, and what the server does, when the line drops."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import pytest

from adapters.stores.model.control import Begin, Commit
from adapters.stores.model.database import (
    Connection,
    Database,
    DuplicateKeyError,
    LostConnectionError,
    Table,
    ThrottledError,
)
from adapters.stores.model.hooks import LANDED, LOST, REFUSED, Fate, FateKind
from adapters.stores.model.statements import Insert
from tests.simulation.kernel.loop import run
from tests.unit.simulation.hooks import Scripted

TABLES = (Table("t", ("id",)),)
LATE = Fate(FateKind.LATE, 5.0)
HALF_OPEN = Fate(FateKind.HALF_OPEN, 5.0)


def played(scenario: Callable[[Database], Awaitable[None]], hooks: Scripted) -> None:
    async def program() -> None:
        await scenario(Database(TABLES, hooks))

    run(0, program)


def ids(database: Database) -> list[int]:
    return [row["id"] for row in database.rows("t")]


async def insert_and_lose_the_commit(database: Database) -> Connection:
    connection = database.connect("client")
    await connection.begin()
    await connection.insert("t", {"id": 1})
    with pytest.raises(LostConnectionError):
        await connection.commit()
    with pytest.raises(LostConnectionError):
        await connection.select("t", {})
    return connection


async def commit_is_lost(database: Database) -> None:
    await insert_and_lose_the_commit(database)
    await database.connect("next").insert("t", {"id": 1})
    await asyncio.sleep(10)
    assert ids(database) == [1]


async def commit_landed_but_its_reply_is_lost(database: Database) -> None:
    await insert_and_lose_the_commit(database)
    assert ids(database) == [1]
    with pytest.raises(DuplicateKeyError):
        await database.connect("next").insert("t", {"id": 1})


async def commit_lands_late(database: Database) -> None:
    await insert_and_lose_the_commit(database)
    assert ids(database) == []
    await asyncio.sleep(4.9)
    assert ids(database) == []
    await asyncio.sleep(0.2)
    assert ids(database) == [1]
    assert database.leftovers() == []


async def half_open_session_keeps_its_locks(database: Database) -> None:
    await insert_and_lose_the_commit(database)
    await asyncio.sleep(4.5)
    waiting = asyncio.create_task(database.connect("next").insert("t", {"id": 1}))
    await asyncio.sleep(0.4)
    assert not waiting.done()
    assert await waiting == 1


@pytest.mark.parametrize(
    ("fate", "scenario"),
    [
        (LOST, commit_is_lost),
        (LANDED, commit_landed_but_its_reply_is_lost),
        (LATE, commit_lands_late),
        (HALF_OPEN, half_open_session_keeps_its_locks),
    ],
    ids=lambda each: getattr(each, "__name__", ""),
)
def test_fates_of_a_commit(fate: Fate, scenario: Callable[[Database], Awaitable[None]]) -> None:
    played(scenario, Scripted("commit", fate))


async def killed_before_it_lands(database: Database) -> None:
    connection = database.connect("client")
    await connection.get_lock("lane")
    await connection.begin()
    await connection.insert("t", {"id": 1})
    with pytest.raises(LostConnectionError):
        await connection.commit()
    rescuer = database.connect("rescuer")
    assert not await rescuer.get_lock("lane")
    assert await rescuer.kill_holder("lane")
    assert await rescuer.get_lock("lane", 1.0)
    await asyncio.sleep(10)
    assert ids(database) == []


def test_a_late_commit_of_a_killed_session_never_lands() -> None:
    played(killed_before_it_lands, Scripted("commit", LATE))


@pytest.mark.parametrize("seed", range(20))
def test_of_a_late_commit_and_the_void_row_exactly_one_wins(seed: int) -> None:
    async def void_row_races(after_s: float) -> None:
        hooks = Scripted("commit", Fate(FateKind.LATE, after_s))
        database = Database((Table("batches", ("lane", "seq")),), hooks)
        old, new = database.connect("old"), database.connect("new")
        await old.begin()
        await old.insert("batches", {"lane": "l", "seq": 1, "root": "full"})
        with pytest.raises(LostConnectionError):
            await old.commit()
        void = {"lane": "l", "seq": 1, "root": ""}
        # Without a kill the void row must wait; it wins only if the old session goes first.
        with pytest.raises(DuplicateKeyError):
            await new.insert("batches", void)
        assert [row["root"] for row in database.rows("batches")] == ["full"]

    run(seed, partial(void_row_races, 0.04 * seed))


def test_a_lost_statement_of_autocommit_never_happened() -> None:
    async def scenario(database: Database) -> None:
        with pytest.raises(LostConnectionError):
            await database.connect("client").insert("t", {"id": 1})
        assert ids(database) == []

    played(scenario, Scripted("insert", LOST))


def test_the_loss_of_an_error_is_a_loss() -> None:
    async def scenario(database: Database) -> None:
        with pytest.raises(LostConnectionError):
            await database.connect("a").insert("t", {"id": 1})
        assert ids(database) == [1]
        with pytest.raises(LostConnectionError):
            await database.connect("b").insert("t", {"id": 1})

    played(scenario, Scripted("insert", LANDED))


def test_a_refused_statement_leaves_the_transaction_open() -> None:
    async def scenario(database: Database) -> None:
        connection = database.connect("client")
        await connection.begin()
        await connection.insert("t", {"id": 1})
        with pytest.raises(ThrottledError):
            await connection.delete("t", {"id": 1})
        await connection.commit()
        assert ids(database) == [1]

    played(scenario, Scripted("delete", REFUSED))


# --- callers that go away


@pytest.mark.parametrize(
    ("abandoned", "expected"),
    [(LOST, []), (LANDED, [1]), (Fate(FateKind.LATE, 3.0), [1]), (HALF_OPEN, [])],
    ids=["lost", "landed", "late", "half open"],
)
def test_a_commit_whose_caller_is_cancelled(abandoned: Fate, expected: list[int]) -> None:
    async def scenario(database: Database) -> None:
        connection = database.connect("client")
        await connection.begin()
        await connection.insert("t", {"id": 1})
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(connection.commit(), 0.5)
        with pytest.raises(LostConnectionError):
            await connection.commit()
        await asyncio.sleep(10)
        assert ids(database) == expected
        assert database.leftovers() == []

    played(scenario, Scripted("commit", before_s=1.0, abandoned=abandoned))


def test_who_stops_waiting_for_a_lock_loses_the_connection() -> None:
    async def scenario(database: Database) -> None:
        a, b, c = (database.connect(name) for name in "abc")
        await a.begin()
        await a.insert("t", {"id": 1})
        await b.begin()
        await b.insert("t", {"id": 2})
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(b.insert("t", {"id": 1}), 0.5)
        assert await c.insert("t", {"id": 2}) == 1
        await a.commit()
        assert ids(database) == [1, 2]
        await a.close()
        await c.close()
        assert database.leftovers() == []

    played(scenario, Scripted())


def test_a_cancelled_caller_leaves_a_committed_row() -> None:
    async def scenario(database: Database) -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(database.connect("a").insert("t", {"id": 1}), 0.5)
        assert ids(database) == [1]

    played(scenario, Scripted("insert", after_s=1.0))


def test_an_aborted_idle_connection_is_rolled_back() -> None:
    async def scenario(database: Database) -> None:
        connection = database.connect("client")
        await connection.begin()
        await connection.insert("t", {"id": 1})
        hooks.aborts[0](2.0)
        with pytest.raises(LostConnectionError):
            await connection.commit()
        assert database.leftovers() != []
        await asyncio.sleep(2.1)
        assert database.leftovers() == []

    hooks = Scripted()
    played(scenario, hooks)


def test_one_statement_at_a_time() -> None:
    async def scenario(database: Database) -> None:
        connection = database.connect("client")
        first = asyncio.create_task(connection.insert("t", {"id": 1}))
        await asyncio.sleep(0.5)
        with pytest.raises(RuntimeError, match="one statement at a time"):
            await connection.select("t", {})
        assert await first == 1

    played(scenario, Scripted("insert", before_s=1.0))


# --- packets of several statements

PACKET = (Begin(), Insert("t", ({"id": 2},)), Insert("t", ({"id": 1},)), Commit())


def test_a_packet_stops_at_its_error_and_leaves_the_transaction_open() -> None:
    async def scenario(database: Database) -> None:
        connection = database.connect("client")
        await connection.insert("t", {"id": 1})
        with pytest.raises(DuplicateKeyError):
            await connection.script(PACKET)
        assert ids(database) == [1]
        # The next packet joins what is still open.
        await connection.script((Insert("t", ({"id": 3},)), Commit()))
        assert ids(database) == [1, 2, 3]

    played(scenario, Scripted())


@pytest.mark.parametrize(
    ("fate", "at_once", "later"),
    [(LOST, [], []), (LANDED, [1, 2], [1, 2]), (LATE, [], [1, 2])],
    ids=["lost", "landed", "late"],
)
def test_a_packet_arrives_whole_or_not_at_all(
    fate: Fate, at_once: list[int], later: list[int]
) -> None:
    async def scenario(database: Database) -> None:
        with pytest.raises(LostConnectionError):
            await database.connect("client").script(PACKET)
        assert ids(database) == at_once
        await asyncio.sleep(10)
        assert ids(database) == later

    played(scenario, Scripted("script", fate))


def test_a_late_packet_stops_at_the_void_row() -> None:
    async def scenario(database: Database) -> None:
        with pytest.raises(LostConnectionError):
            await database.connect("old").script(PACKET)
        await database.connect("new").insert("t", {"id": 1})
        await asyncio.sleep(10)
        assert ids(database) == [1]
        assert database.leftovers() == ["session 2 of new"]

    played(scenario, Scripted("script", LATE))
