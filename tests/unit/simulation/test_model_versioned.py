"""The model projection store lets only higher versions through, whenever they arrive."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.stores.model.errors import UnavailableError
from adapters.stores.model.hooks import LANDED, LOST, Fate, FateKind
from adapters.stores.model.versioned import Stored, VersionedStore
from tests.simulation.kernel.loop import run
from tests.unit.simulation.hooks import Scripted


def test_the_four_verdicts() -> None:
    async def program() -> None:
        store = VersionedStore[str]("profiles")
        assert await store.put_if_newer("c", 2, b"two") == "APPLIED"
        assert await store.put_if_newer("c", 2, b"two") == "SAME"
        assert await store.put_if_newer("c", 2, b"other") == "CONFLICT"
        assert await store.put_if_newer("c", 1, b"one") == "STALE"
        assert await store.put_if_newer("c", 3, b"three") == "APPLIED"
        assert await store.get("c") == Stored(3, b"three")
        assert await store.get("d") is None

    run(0, program)


@given(st.permutations(range(1, 7)), st.integers(0, 1000))
def test_any_order_ends_in_the_highest_version(versions: list[int], seed: int) -> None:
    async def program() -> None:
        store = VersionedStore[str]("profiles")
        puts = (store.put_if_newer("c", each, str(each).encode()) for each in versions)
        await asyncio.gather(*puts)
        assert store.rows() == {"c": Stored(6, b"6")}

    run(seed, program)


@pytest.mark.parametrize(
    ("fate", "at_once", "later"),
    [(LOST, None, None), (LANDED, 1, 1), (Fate(FateKind.LATE, 5.0), None, 1)],
    ids=["lost", "landed", "late"],
)
def test_a_failed_put_is_ambiguous(fate: Fate, at_once: int | None, later: int | None) -> None:
    def version(store: VersionedStore[str]) -> int | None:
        stored = store.rows().get("c")
        return None if stored is None else stored.version

    async def program() -> None:
        store = VersionedStore[str]("profiles", Scripted("put_if_newer", fate))
        with pytest.raises(UnavailableError):
            await store.put_if_newer("c", 1, b"one")
        assert version(store) == at_once
        await asyncio.sleep(10)
        assert version(store) == later

    run(0, program)


def test_a_late_write_is_judged_when_it_lands() -> None:
    async def program() -> None:
        hooks = Scripted("put_if_newer", Fate(FateKind.LATE, 5.0))
        store = VersionedStore[str]("profiles", hooks)
        with pytest.raises(UnavailableError):
            await store.put_if_newer("c", 1, b"one")
        hooks.kind = ""
        await store.put_if_newer("c", 2, b"two")
        await asyncio.sleep(10)
        assert store.rows() == {"c": Stored(2, b"two")}

    run(0, program)


def test_scan_and_delete() -> None:
    async def program() -> None:
        store = VersionedStore[tuple[str, int]]("profiles")
        for number in range(3):
            await store.put_if_newer(("c", number), 1, b"row")
        await store.delete(("c", 1))
        await store.delete(("c", 9))
        assert [key for key, _ in await store.scan()] == [("c", 0), ("c", 2)]
        # Nothing remembers the deleted version: who deletes must fence in another way.
        assert await store.put_if_newer(("c", 1), 0, b"old") == "APPLIED"

    run(0, program)
