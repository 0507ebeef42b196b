"""
The guards of the platform, each taken out where it stands: every history must miss it soon.

`within` bounds the seeds that it may take. What is left in place is real code.
"""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

from adapters.stores.model import ingestion_statements, ledger_statements, schema, truth
from adapters.stores.model.connection import Connection
from adapters.stores.model.table import Table
from adapters.stores.model.versioned import Stored, Verdict, VersionedStore
from adapters.streams.event_source_mapping import EventSourceMapping
from consistency.outbox import relay
from consistency.outbox.relay import OutboxRelay
from consistency.outbox.statements import ReadOutbox
from decision_engine.exposure import NO_EXPOSURE, Exposure
from decision_engine.record.batch import BatchProgram
from decision_engine.record.prepare import Prepared
from decision_engine.record.statements import InsertBatch, LockPersons, ReadBatch
from decision_engine.record.view import View
from domain.instants import epoch_micros
from domain.ports.time import Deadline
from domain.ports.truth import Begin, Commit, DuplicateKeyError, Rollback, Rows, Trip
from ingestion import program
from ingestion.program import Settled
from ingestion.statements import InsertInbox
from tests.simulation.platform.campaign import Draw, Trouble, simulate
from tests.simulation.platform.history import crowded, harsh, rough
from tests.simulation.platform.moving import moving_plan
from tests.simulation.platform.plan import plan
from tests.simulation.platform.swap import swapped

Swap = tuple[Any, str, Any]


@dataclass(frozen=True, slots=True)
class Guard:
    """A guard: what takes its place, the checks that must find that, and in how many seeds."""

    swaps: Callable[[], Sequence[Swap]]
    found_by: tuple[str, ...]
    within: int = 150
    trouble: Trouble = rough
    draw: Draw = plan


@dataclass(frozen=True, slots=True)
class Missed:
    """After how many seeds a guard was missed, and by what; nothing is shown when it was not."""

    seeds: int
    shown: str


class GuardNotMissedError(AssertionError):
    """A guard was taken out and no promise broke."""


def seeds_to_find(guard: Guard, first_seed: int = 0) -> Missed:
    """Take the guard out until a promise breaks, within its bound."""
    with removed(guard):
        for number in range(guard.within):
            result = simulate(first_seed + number, guard.draw, guard.trouble)
            for shown in result.violations:
                if shown.partition(":")[0] in guard.found_by:
                    return Missed(number + 1, shown)
    return Missed(guard.within, "")


def prove(seed: int) -> Mapping[str, int]:
    """
    Take out each guard in turn and return how many seeds it took to miss it.

    Raises:
        GuardNotMissedError: one was not missed.
    """
    found = {name: seeds_to_find(guard, seed) for name, guard in GUARDS.items()}
    unmissed = [name for name, missed in found.items() if not missed.shown]
    if unmissed:
        raise GuardNotMissedError(", ".join(unmissed))
    return {name: missed.seeds for name, missed in found.items()}


@contextmanager
def removed(guard: Guard) -> Iterator[None]:
    """Run without the guard."""
    with ExitStack() as stack:
        for swap in guard.swaps():
            stack.enter_context(swapped(*swap))
        yield


# --- idempotency


def _tables_without(unique_key: str) -> tuple[Table, ...]:
    return tuple(
        replace(table, unique={k: v for k, v in table.unique.items() if k != unique_key})
        for table in schema.TABLES
    )


async def _finds_nothing(_connection: Connection, _asked: Any) -> list[Any]:
    return []


def _no_idempotency() -> list[Swap]:
    return [*_no_unique_key(), (ledger_statements, "_read_keys", _finds_nothing)]


def _no_unique_key() -> list[Swap]:
    return [(schema, "TABLES", _tables_without("uq_decision_key"))]


# --- exposure


def _sees_no_exposure(_view: View, _person_id: str) -> Exposure:
    return NO_EXPOSURE


async def _lock_nobody(connection: Connection, asked: LockPersons) -> list[Any]:
    rows = await connection.select("persons", {"person_id": asked.person_ids})
    return [row["person_id"] for row in rows]


# --- lanes


def _duplicate_means_landed(
    batch: BatchProgram, sent: Prepared
) -> Generator[Trip, list[Rows], bool]:
    void = batch.lane.batch_row((), "void", epoch_micros(batch.clock.now()))
    try:
        yield (Begin(), InsertBatch(void), Commit())
    except DuplicateKeyError:
        yield (Rollback(),)
        batch.lane.advance(sent.batch.root, sent.batch.n)
        return True
    batch.lane.advance(void.root, void.n)
    return False


def _reads_back(batch: BatchProgram, _: Prepared) -> Generator[Trip, list[Rows], bool]:
    (rows,) = yield (ReadBatch(batch.lane.lane_id, batch.lane.sequence),)
    for row in rows:
        batch.lane.advance(row.root, row.n)
    return bool(rows)


async def _take_nothing(_connection: Connection, _lane: str) -> None:
    return


# --- versions and the inbox


def _put_anything(store: VersionedStore[Any], key: Any, new: Stored) -> Verdict:
    store._rows[key] = new
    return "APPLIED"


async def _insert_if_absent(connection: Connection, asked: InsertInbox) -> list[Any]:
    rows = map(schema.columns_of, asked.rows)
    await ingestion_statements._if_absent(connection, "inbox", rows)
    return []


# --- the relay, and projections


async def _delete_first(outbox: OutboxRelay) -> int:
    deadline = Deadline.after(outbox.clock, outbox.timeout_s)
    (events,) = await outbox.truth.read((ReadOutbox(outbox.events_max),), deadline)
    ids = tuple(event.id for event in events)
    await outbox.truth.transact(lambda: relay._delete(ids), deadline)
    await outbox.stream.put([(event.partition_key, event.payload) for event in events], deadline)
    return len(events)


_settled: Final = program._settled


def _only_what_is_new(found: Any, stored: Any, changes: Any, applied: Any) -> Settled:
    del stored, applied
    return _settled(found, {}, changes, [])


_step: Final = EventSourceMapping._step


async def _checkpoint_first(mapping: EventSourceMapping, shard_id: str, part: Any) -> Any:
    await mapping._advance(shard_id, part.records)
    return await _step(mapping, shard_id, part)


GUARDS: Final[dict[str, Guard]] = {
    "idempotency": Guard(_no_idempotency, ("once",)),
    "unique key of a decision": Guard(_no_unique_key, ("once",)),
    "exposure": Guard(lambda: [(View, "exposure", _sees_no_exposure)], ("exposure",)),
    "person lock": Guard(
        lambda: [(ledger_statements, "_lock_persons", _lock_nobody)],
        ("exposure",),
        trouble=crowded,
    ),
    "lane: root of a landed batch": Guard(
        lambda: [(BatchProgram, "_landed", _duplicate_means_landed)],
        ("once", "ledger"),
        trouble=harsh,
    ),
    "lane: lock and void batch": Guard(
        lambda: [(BatchProgram, "_landed", _reads_back), (truth, "_take_lane", _take_nothing)],
        ("once", "ledger"),
        trouble=harsh,
    ),
    "lane: a fresh one after an unknown batch": Guard(
        lambda: [(BatchProgram, "uncertain", property(lambda _: False, lambda _, __: None))],
        ("answered",),
        trouble=harsh,
    ),
    "exposure of a customer that joins a person": Guard(
        lambda: [(ingestion_statements, "_move_persons", _finds_nothing)],
        ("exposure",),
        draw=moving_plan,
    ),
    "version of a projection": Guard(
        lambda: [(VersionedStore, "_put", _put_anything)],
        ("version", "outbox"),
        trouble=harsh,
    ),
    "inbox": Guard(
        lambda: [
            (ingestion_statements, "_read_inbox", _finds_nothing),
            (ingestion_statements, "_insert_inbox", _insert_if_absent),
        ],
        ("fold",),
    ),
    "delete after acknowledgement": Guard(
        lambda: [(OutboxRelay, "run_once", _delete_first)], ("outbox",)
    ),
    "projection of duplicates": Guard(
        lambda: [(program, "_settled", _only_what_is_new)], ("version",)
    ),
    "checkpoint after the batch": Guard(
        lambda: [(EventSourceMapping, "_step", _checkpoint_first)],
        ("fold", "version", "outbox"),
    ),
}
