"""The model server: crashes, restarts, kills, counts, conditions, and what it refuses."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

import pytest

from adapters.stores.model.database import (
    CheckViolationError,
    Database,
    LockWaitError,
    LostConnectionError,
    Row,
    Table,
)
from tests.simulation.kernel.loop import run
from tests.unit.simulation.hooks import Scripted

TABLES = (
    Table("t", ("id",), checks={"positive": lambda row: row["n"] >= 0}),
    Table("pairs", ("a", "b"), {"uq": ("x", "y")}, indexes=(("y", "x"),)),
)


def played(
    scenario: Callable[[Database], Awaitable[None]], database: Database | None = None
) -> None:
    async def program() -> None:
        await scenario(Database(TABLES) if database is None else database)

    run(0, program)


def row(number: int, n: int = 0) -> dict[str, int]:
    return {"id": number, "n": n}


def test_a_crash_keeps_what_is_committed_and_nothing_else() -> None:
    async def scenario(database: Database) -> None:
        a, b = database.connect("a"), database.connect("b")
        await a.insert("t", row(1))
        await a.get_lock("lane")
        await a.begin()
        await a.update("t", {"id": 1}, {"n": 7})
        waiting = asyncio.create_task(b.update("t", {"id": 1}, {"n": 8}))
        await asyncio.sleep(0.1)
        database.crash()
        for lost in (waiting, a.commit()):
            with pytest.raises(LostConnectionError):
                await lost
        with pytest.raises(LostConnectionError):
            database.connect("c")
        assert database.leftovers() == []
        database.restart()
        assert await database.connect("c").select("t", {}) == [row(1)]

    played(scenario)


def test_after_a_restart_old_numbers_are_strangers() -> None:
    async def scenario(database: Database) -> None:
        old = database.connect("old").number
        database.crash()
        database.restart()
        stranger, killer = database.connect("stranger"), database.connect("killer")
        assert await killer.kill(old)
        with pytest.raises(LostConnectionError):
            await stranger.select("t", {})
        assert not await killer.kill(99)

    played(scenario)


def test_a_killed_session_may_live_on_for_a_while() -> None:
    async def scenario(database: Database) -> None:
        victim, killer = database.connect("victim"), database.connect("killer")
        await victim.get_lock("lane")
        await victim.begin()
        await victim.insert("t", row(1))
        assert await killer.used_lock("lane") == victim.number
        assert await killer.kill_holder("lane")
        assert not await killer.get_lock("lane", 1.0)
        await victim.commit()
        assert await killer.get_lock("lane", 2.0)
        assert await killer.select("t", {}) == [row(1)]

    played(scenario, Database(TABLES, kill_lag_s=lambda: 2.0))


@pytest.mark.parametrize("timeout_s", [1.0, 0.25])
def test_a_lock_is_waited_for_as_long_as_set(timeout_s: float) -> None:
    async def scenario(database: Database) -> None:
        a, b = database.connect("a"), database.connect("b")
        await a.begin()
        await a.insert("t", row(1))
        with pytest.raises(LockWaitError):
            await b.insert("t", row(1))
        assert asyncio.get_running_loop().time() == timeout_s

    played(scenario, Database(TABLES, lock_wait_timeout_s=timeout_s))


def test_a_named_lock_is_counted() -> None:
    async def scenario(database: Database) -> None:
        a, b = database.connect("a"), database.connect("b")
        assert await a.get_lock("lane")
        assert await a.get_lock("lane")
        assert await a.release_lock("lane")
        assert not await b.get_lock("lane")
        assert not await b.release_lock("lane")
        assert await a.release_lock("lane")
        assert await b.get_lock("lane")
        assert not await a.kill_holder("other")
        assert await a.used_lock("other") is None

    played(scenario)


@pytest.mark.parametrize(("found_rows", "expected"), [(False, [1, 2, 0, 1]), (True, [1, 2, 1, 2])])
def test_affected_rows_are_counted_as_the_client_flag_says(
    found_rows: bool,  # noqa: FBT001 - a parameter of the test
    expected: list[int],
) -> None:
    async def scenario(database: Database) -> None:
        a = database.connect("a")
        counts = [await a.upsert_if_newer("t", {"id": 1}, {"n": n}, "n") for n in (1, 2, 2)]
        await a.insert("t", row(2, 5))
        counts.append(await a.update("t", {"id": (1, 2)}, {"n": 5}))
        assert counts == expected

    played(scenario, Database(TABLES, count_found_rows=found_rows))


def test_a_check_undoes_the_statement() -> None:
    async def scenario(database: Database) -> None:
        a = database.connect("a")
        with pytest.raises(CheckViolationError, match="positive"):
            await a.insert("t", [row(1), row(2, -1)])
        await database.connect("b").insert("t", [row(1), row(2)])

    played(scenario)


def test_conditions_orders_and_limits() -> None:
    async def scenario(database: Database) -> None:
        a = database.connect("a")
        await a.insert("t", [row(number, number % 3) for number in (5, 3, 1, 4, 2)])
        assert [each["id"] for each in await a.select("t", {"n": (1, 2)})] == [1, 2, 4, 5]
        found = await a.select("t", lambda each: each["id"] > 2, order_by=("n", "id"), limit=2)
        assert found == [row(3, 0), row(4, 1)]
        assert await a.delete("t", {"n": 1}, and_where=lambda each: each["id"] > 1) == 1
        assert await a.update("t", {"n": 2}, lambda each: {"n": each["n"] + each["id"]}) == 2
        assert await a.select("t", {}, order_by="n") == [row(3), row(1, 1), row(2, 4), row(5, 7)]

    played(scenario)


def test_a_limit_locks_no_more_rows_than_it_returns() -> None:
    async def scenario(database: Database) -> None:
        a, b = database.connect("a"), database.connect("b")
        await a.insert("t", [row(number) for number in range(1, 5)])
        await a.begin()
        await a.select("t", {}, for_update=True, limit=2)
        taken = await b.select("t", {}, for_update=True, skip_locked=True, limit=1)
        assert taken == [row(3)]
        await a.select("t", {}, for_update=True, limit=1, order_by="n")
        assert await b.select("t", {}, for_update=True, skip_locked=True) == []

    played(scenario)


def test_every_index_finds_the_same_rows() -> None:
    async def scenario(database: Database) -> None:
        a = database.connect("a")
        rows = [{"a": n % 2, "b": n, "x": n % 3, "y": n} for n in range(6)]
        await a.insert("pairs", rows)
        await a.update("pairs", {"b": 5}, {"y": 9})
        await a.delete("pairs", {"b": 0})
        for where in ({"a": 1}, {"x": 1}, {"y": 3}, {"y": 9}, {"y": 5}, {"x": (0, 2), "y": (2, 3)}):
            scanned = await a.select("pairs", partial(_meets, where))
            assert await a.select("pairs", where) == scanned

    played(scenario)


def _meets(where: Mapping[str, object], each: Row) -> bool:
    return all(
        each[key] in value if isinstance(value, tuple) else each[key] == value
        for key, value in where.items()
    )


def test_rows_are_copies() -> None:
    async def scenario(database: Database) -> None:
        a, given = database.connect("a"), row(1)
        await a.insert("t", given)
        given["n"] = 7
        (found,) = await a.select("t", {})
        found["n"] = 8
        database.rows("t")[0]["n"] = 9
        assert await a.select("t", {}) == [row(1)]

    played(scenario)


def test_what_is_written_wrongly_is_refused() -> None:
    async def scenario(database: Database) -> None:
        await database.connect("a").insert("t", row(1))
        for wrong in ({"idd": 1}, {"id": 1, "m": 2}):
            with pytest.raises(KeyError):
                await database.connect("a").select("t", wrong)
        with pytest.raises(ValueError, match="unknown columns"):
            await database.connect("b").update("t", {"id": 1}, {"m": 2})
        with pytest.raises(ValueError, match="primary key"):
            await database.connect("c").update("t", {"id": 1}, {"id": 2})

    played(scenario)


def test_every_statement_passes_the_hooks() -> None:
    async def scenario(database: Database) -> None:
        a = database.connect("a")
        await a.begin()
        await a.insert("t", row(1))
        await a.upsert_if_newer("t", {"id": 1}, {"n": 1}, "n")
        await a.update("t", {"id": 1}, {"n": 2})
        await a.select("t", {})
        await a.delete("t", {})
        await a.rollback()
        await a.commit()
        await a.get_lock("lane")
        await a.release_lock("lane")
        await a.used_lock("lane")
        await a.kill_holder("lane")
        await a.kill(9)

    hooks = Scripted()
    played(scenario, Database(TABLES, hooks))
    tables = [(kind, "t") for kind in ("insert", "upsert", "update", "select", "delete")]
    locks = [(f"{kind}", "lane") for kind in ("get_lock", "release_lock", "used_lock")]
    assert hooks.seen == [
        ("begin", ""), *tables, ("rollback", ""), ("commit", ""), *locks,
        ("kill_holder", "lane"), ("kill", ""),
    ]  # fmt: skip
