"""Seeds by the hundred: promises hold under faults, and every missing guard is noticed."""

import asyncio
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import pytest

from adapters.stores.model.database import Database, DeadlockError, DuplicateKeyError, Table
from adapters.stores.model.errors import ThrottledError, UnavailableError
from adapters.stores.model.stream import Entry, Stream
from adapters.stores.model.versioned import VersionedStore
from tests.simulation.kernel.arbitration import (
    Recovery,
    arbitrate,
    duplicate_means_landed,
    read_back,
    write_batches,
)
from tests.simulation.kernel.exposure import Guards, exposure
from tests.simulation.kernel.faults import CALM, Faults, Rates
from tests.simulation.kernel.loop import new_loop, run
from tests.simulation.kernel.store_faults import StoreFaults

SEEDS = range(int(os.environ.get("SIMULATION_SEEDS", "200")))
ROOT = Path(__file__).parents[3]

ROUGH = Rates(
    delay=0.2, lost=0.02, landed=0.02, late=0.02, half_open=0.02, crash=0.002, transient=0.01
)
ROUGH_COMMIT = Rates(delay=0.2, lost=0.1, landed=0.2, late=0.2, half_open=0.1, late_s_max=2.0)


def rough(seed: int) -> Faults:
    return Faults(seed, ROUGH, {"db.commit": ROUGH_COMMIT})


# --- exposure under one limit


def broken_promises(seed: int, guards: Guards) -> list[str]:
    faults = rough(seed)
    return run(seed, partial(_violations, faults, guards))


async def _violations(faults: Faults, guards: Guards) -> list[str]:
    return (await exposure(faults, guards)).violations()


def test_the_limit_holds_under_faults() -> None:
    assert {seed: found for seed in SEEDS if (found := broken_promises(seed, Guards()))} == {}


@pytest.mark.parametrize(
    "guards",
    [
        Guards(locks_person=False),
        Guards(looks_after_locking=False),
        Guards(answers_after_commit=False),
    ],
    ids=["no person lock", "a view from before the lock", "answer without commit"],
)
def test_a_missing_guard_is_noticed(guards: Guards) -> None:
    assert any(broken_promises(seed, guards) for seed in SEEDS)


def test_the_campaign_reaches_every_kind_of_fault() -> None:
    counts: Counter[str] = Counter()
    for seed in SEEDS:
        faults = rough(seed)
        run(seed, partial(_violations, faults, Guards()))
        counts.update(name.partition("!")[2] for name in faults.counts.elements() if "!" in name)
    assert counts.keys() >= {"lost", "landed", "late", "half_open", "crash", "refused"}


# --- a COMMIT without an answer


def wrong_beliefs(seed: int, recover: Recovery) -> list[str]:
    return run(seed, partial(write_batches, rough(seed), recover))


def test_exactly_one_of_commit_and_void_row_wins() -> None:
    assert {seed: found for seed in SEEDS if (found := wrong_beliefs(seed, arbitrate))} == {}


@pytest.mark.parametrize("recover", [read_back, duplicate_means_landed])
def test_a_wrong_recovery_is_noticed(recover: Recovery) -> None:
    assert any(wrong_beliefs(seed, recover) for seed in SEEDS)


# --- the order of locks


async def _deadlocks(faults: Faults, *, sort: bool) -> int:
    database = Database((Table("t", ("id",)),), StoreFaults(faults, "db"))

    async def write(numbers: list[int]) -> int:
        connection = database.connect("writer")
        await connection.begin()
        rows = [{"id": number} for number in (sorted(numbers) if sort else numbers)]
        try:
            await connection.insert("t", rows)
            await connection.commit()
        except DeadlockError:
            return 1
        except DuplicateKeyError:
            return 0
        finally:
            await connection.close()
        return 0

    return sum(await asyncio.gather(write([1, 2, 3]), write([3, 1, 2]), write([2, 3, 1])))


@pytest.mark.parametrize(("sort", "expected"), [(True, False), (False, True)])
def test_only_unsorted_batches_deadlock(
    sort: bool,  # noqa: FBT001 - a parameter of the test
    expected: bool,  # noqa: FBT001
) -> None:
    found = [run(seed, partial(_deadlocks, Faults(seed, CALM), sort=sort)) for seed in SEEDS]

    assert any(found) is expected


# --- stream to projection


async def _project(faults: Faults) -> None:
    hooks = StoreFaults(faults, "projection")
    stream = Stream("events", 2, hooks)
    store = VersionedStore[str]("profiles", hooks)
    for version in range(1, 6):
        for customer in "abc":
            await _until_done(partial(stream.put, [Entry(customer, str(version).encode())]))
    await asyncio.sleep(10)
    for record in stream.records():
        put = partial(store.put_if_newer, record.partition_key, int(record.data), record.data)
        await _until_done(put)
    await asyncio.sleep(10)
    assert {key: row.version for key, row in store.rows().items()} == dict.fromkeys("abc", 5)


async def _until_done(call: Callable[[], Awaitable[object]]) -> None:
    while True:
        try:
            await call()
        except (UnavailableError, ThrottledError):
            await asyncio.sleep(0.01)
        else:
            return


def test_projections_converge_although_puts_land_late_and_twice() -> None:
    rates = Rates(delay=0.2, transient=0.1, lost=0.1, landed=0.1, late=0.2, late_s_max=1.0)
    for seed in SEEDS:
        run(seed, partial(_project, Faults(seed, rates)))


# --- the same seed, the same history


def fingerprint(seed: int) -> str:
    loop = new_loop(seed)
    faults = rough(seed)
    loop.run_until_complete(exposure(faults, Guards()))
    return f"{loop.fingerprint} {loop.steps} {loop.time()} {sorted(faults.counts.items())}"


def test_a_history_does_not_depend_on_the_hash_seed() -> None:
    program = (
        "from tests.simulation.kernel.test_campaigns import fingerprint; print(fingerprint(17))"
    )
    lines = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2", "3")
    }

    assert lines == {f"{fingerprint(17)}\n"}
