"""
Two or three programs at once on one store of truth, and what must hold of it whoever is first.

A `Ring` is an empty store with a connection for each program. Where programs run in threads, they
`meet`: each waits there for the other, so that both are in the middle at the same time. On the
model they interleave by chance, a seed a ring; on SQLite one waits for the other by itself.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count, cycle
from typing import Any, Final, TypeVar

from adapters.stores.model.database import Database
from adapters.stores.model.schema import TABLES
from adapters.stores.model.truth import ModelTruth
from decision_engine.record.statements import (
    CloseReview,
    InsertBatch,
    InsertDecisions,
    InsertReservations,
    InsertReviews,
    LockPersons,
    ReadBatch,
    ReadKeys,
    ReadLaneHeads,
    ReadOpenReviews,
    ReadPersons,
    ReadReservations,
)
from domain.ports.truth import (
    Begin,
    Commit,
    DeadlockError,
    DuplicateKeyError,
    Program,
    Rollback,
    Rows,
    Statement,
    Truth,
)
from ingestion.statements import EnsurePersons, LockProfiles, PersonRow, WriteProfiles
from tests.contracts.opened import NEVER, HandClock, Runner
from tests.contracts.rows import (
    a_batch,
    a_decision,
    a_profile,
    a_reservation,
    a_review,
    committing,
)
from tests.simulation.kernel.faults import Faults
from tests.simulation.kernel.loop import new_loop
from tests.simulation.kernel.store_faults import StoreFaults

T = TypeVar("T")

PERSON: Final = "p"
LIMIT: Final = 100
WANTED: Final = 60
HELD: Final = ReadReservations((PERSON,), alive_at_us=0)
KEYS: Final = ReadKeys((("app", "k-1"), ("app", "k-2")))
WRITERS: Final = 3
SEEDS: Final = 25


@dataclass(frozen=True, slots=True)
class Ring:
    stores: Sequence[Truth]
    run: Runner = asyncio.run
    meet: Callable[[], None] = lambda: None

    def commit(self, *statements: Statement) -> list[Rows]:
        """Run statements in one transaction, alone."""
        return self.run(self.stores[0].transact(lambda: committing(*statements), NEVER))

    def race(self, *programs: Callable[[], Program[T]]) -> list[T]:
        """Run programs at once and return what each gives."""

        async def all_of_them() -> list[T]:
            pairs = zip(cycle(self.stores), programs, strict=False)
            return await asyncio.gather(*(store.transact(each, NEVER) for store, each in pairs))

        return self.run(all_of_them())


Rings = Callable[[], Iterator[Ring]]


class LocklessModelTruth(ModelTruth):
    """Reads persons where it should lock them."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._perform[LockPersons] = self._perform[ReadPersons]


@contextmanager
def model_ring(seed: int, kind: type[ModelTruth] = ModelTruth) -> Iterator[Ring]:
    """Have an empty model database on which statements interleave as the seed says."""
    database = Database(TABLES, StoreFaults(Faults(seed), "db"))
    serial = count(1)
    stores = [kind(database, f"w-{each}", serial, HandClock()) for each in range(WRITERS)]
    loop = new_loop(seed)
    try:
        yield Ring(stores, loop.run_until_complete)
        for store in stores:
            loop.run_until_complete(store.close())
        assert database.leftovers() == []
    finally:
        loop.close()


def model_rings(kind: type[ModelTruth] = ModelTruth) -> Iterator[Ring]:
    """Have rings in many orders."""
    for seed in range(SEEDS):
        with model_ring(seed, kind) as ring:
            yield ring


# --- phantom reservation -----------------------------------------------------------------------


def reserving(ring: Ring, number: int) -> Callable[[], Program[str]]:
    """Reserve for the person what the limit leaves, as a batch of one decision does."""

    def program() -> Program[str]:
        _, locked, held = yield (Begin(), LockPersons((PERSON,)), HELD)
        ring.meet()
        if not locked:
            yield (Rollback(),)
            return "busy"
        if sum(row.principal for row in held) + WANTED > LIMIT:
            yield (Rollback(),)
            return "over the limit"
        row = a_reservation(number, person_id=PERSON, principal=WANTED)
        yield (InsertReservations((row,)), Commit())
        return "reserved"

    return program


def two_batches_reserve(ring: Ring) -> tuple[list[str], int]:
    """Let two batches want more than the person's limit -> what each did, what is reserved."""
    ring.commit(EnsurePersons((PersonRow(PERSON, ""),)))
    outcomes = ring.race(reserving(ring, 1), reserving(ring, 2))
    (rows,) = ring.commit(HELD)
    return sorted(outcomes), sum(row.principal for row in rows)


# --- write skew --------------------------------------------------------------------------------


def closing_one_of_two(name: str) -> Callable[[], Program[int]]:
    """Close a review unless the other one is closed: one of them is to stay open."""

    def program() -> Program[int]:
        _, still_open = yield (Begin(), ReadOpenReviews(("r-0001", "r-0002")))
        if len(still_open) > 1:
            yield (CloseReview(name, "d-0009", "reviewer", "", 9),)
        yield (Commit(),)
        return len(still_open)

    return program


def two_close_one_of_two(ring: Ring) -> tuple[list[int], list[str]]:
    """Let each of two programs close its own review -> how many each saw, those open at last."""
    ring.commit(InsertReviews((a_review(1), a_review(2))))
    seen = ring.race(closing_one_of_two("r-0001"), closing_one_of_two("r-0002"))
    (still_open,) = ring.commit(ReadOpenReviews(("r-0001", "r-0002")))
    return sorted(seen), still_open


# --- lost update -------------------------------------------------------------------------------


def adding_one() -> Program[None]:
    """Raise a profile's version by one."""
    _, ((_, payload),) = yield (Begin(), LockProfiles(("c-1",)))
    version = int(payload) + 1
    yield (WriteProfiles((a_profile(version, str(version).encode()),)), Commit())


def three_add_one(ring: Ring) -> bytes:
    """Let three programs add one to the same 1 -> the sum."""
    ring.commit(WriteProfiles((a_profile(1, b"1"),)))
    ring.race(adding_one, adding_one, adding_one)
    (((_, payload),),) = ring.commit(LockProfiles(("c-1",)))
    assert isinstance(payload, bytes)
    return payload


# --- batch order -------------------------------------------------------------------------------


def writing_batch_one(ring: Ring, number: int) -> Callable[[], Program[str]]:
    """Write the first batch of the lane, with one decision."""

    def program() -> Program[str]:
        yield (Begin(), ReadBatch("l-1", 1))
        ring.meet()
        row = a_batch(1, root=bytes([number]) * 32)
        try:
            yield (InsertBatch(row), InsertDecisions((a_decision(number),)), Commit())
        except DuplicateKeyError as error:
            yield (Rollback(),)
            return error.key
        return f"k-{number}"

    return program


def two_write_batch_one(ring: Ring) -> tuple[list[str], list[str]]:
    """Let two sessions write the same batch -> what each got, the decisions that are there."""
    outcomes = ring.race(writing_batch_one(ring, 1), writing_batch_one(ring, 2))
    (rows,) = ring.commit(KEYS)
    return sorted(outcomes), sorted(row.idem_key for row in rows)


def appending_batch(number: int) -> Callable[[], Program[int]]:
    """Write the batch after the last one, and again when another was first."""

    def program() -> Program[int]:
        while True:
            _, heads = yield (Begin(), ReadLaneHeads())
            sequence, previous = (heads[0].sequence, heads[0].root) if heads else (0, bytes(32))
            row = a_batch(sequence + 1, previous_hash=previous, root=bytes([number]) * 32)
            try:
                yield (InsertBatch(row), Commit())
            except DuplicateKeyError:
                yield (Rollback(),)
            else:
                return row.sequence

    return program


def three_append_batches(ring: Ring) -> tuple[list[int], bool]:
    """Let three sessions append to a lane -> the sequences, whether each knew the one before."""
    sequences = ring.race(*(appending_batch(each + 1) for each in range(WRITERS)))
    found = ring.commit(*(ReadBatch("l-1", each + 1) for each in range(WRITERS)))
    rows = [row for (row,) in found]
    roots = [bytes(32), *(row.root for row in rows)]
    return sorted(sequences), [row.previous_hash for row in rows] == roots[:-1]


# --- deadlock ----------------------------------------------------------------------------------


def closing_both(ring: Ring, first: str, second: str) -> Callable[[], Program[tuple[int, int]]]:
    """Close two reviews in this order, once more after a deadlock -> those closed, deadlocks."""

    def program() -> Program[tuple[int, int]]:
        for deadlocks in (0, 1):
            try:
                _, one = yield (Begin(), CloseReview(first, "d-0009", first, "", 9))
                if not deadlocks:
                    ring.meet()
                other, _ = yield (CloseReview(second, "d-0009", first, "", 9), Commit())
            except DeadlockError:
                continue
            return len(one) + len(other), deadlocks
        raise AssertionError("a second deadlock with nobody left")

    return program


def two_close_both(ring: Ring) -> tuple[list[int], int]:
    """Let two programs close two reviews in opposite order -> how many each, deadlocks."""
    ring.commit(InsertReviews((a_review(1), a_review(2))))
    outcomes = ring.race(
        closing_both(ring, "r-0001", "r-0002"), closing_both(ring, "r-0002", "r-0001")
    )
    return sorted(closed for closed, _ in outcomes), sum(deadlocks for _, deadlocks in outcomes)
