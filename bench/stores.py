"""
What the embedded stores cost, alone and beside a thread that never rests.

Run: `.venv/bin/python -m bench.stores`. Medians of some rounds: wall milliseconds of one call,
"busy" with another Python thread that computes all the time, as the event loop of a loaded process
does. Flushes of the disk are included: compare machines with their disks in mind.
"""

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import Any, Final

from adapters.stores.embedded.opening import Layout
from adapters.stores.embedded.projection import KEYSPACES, SqliteProjection
from adapters.stores.embedded.sqlite_file import SqliteFile
from adapters.stores.sql.sqlite_truth import SCHEMA_VERSION, SqliteTruth, schema_ddl
from adapters.streams.embedded import VERSION, EmbeddedStream, stream_ddl
from adapters.system import SystemClock
from decision_engine.record import statements as ledger
from domain.customer import CreditData, Slot
from domain.ports.storage import ProjectionRow
from domain.ports.time import Deadline
from domain.ports.truth import Begin, Commit, Program, Trip
from domain.transaction import Transaction, TransactionKind
from ingestion import statements as events

CUSTOMERS: Final = 500
EVENTS: Final = 1_000
DECISIONS: Final = 64
RECORDS: Final = 500
ROUNDS: Final = 15
NEVER: Final = Deadline(float("inf"))


@dataclass(frozen=True, slots=True)
class Case:
    """What to measure: `call` with what `prepare` made beforehand, and the rows it stands for."""

    name: str
    rows: int
    prepare: Callable[[int], Any]
    call: Callable[[Any], Awaitable[object]]


def main() -> None:
    """Measure every case and print the table."""
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_measure_all(Path(folder)))


async def _measure_all(folder: Path) -> None:
    clock = SystemClock()
    truth_layout = Layout("truth", SCHEMA_VERSION, schema_ddl())
    stream_layout = Layout("stream", VERSION, stream_ddl())
    truth = SqliteTruth(SqliteFile(folder / "truth", truth_layout, clock))
    stream = EmbeddedStream(SqliteFile(folder / "stream", stream_layout, clock), clock)
    keyspaces = SqliteFile(folder / "keyspaces", KEYSPACES.layout, clock)
    projection = SqliteProjection(keyspaces, KEYSPACES, clock)
    try:
        cases = [*_truth_cases(truth), *_projection_cases(projection), *_stream_cases(stream)]
        await _print_table(cases)
    finally:
        for store in (truth, stream, projection):
            store.close()


async def _print_table(cases: list[Case]) -> None:
    print(f"{'case':34}{'rows':>6}{'alone ms':>10}{'busy ms':>10}{'alone us/row':>14}")
    rounds = 0
    for case in cases:
        alone = await _median_ms(case, rounds)
        with _busy_thread():
            busy = await _median_ms(case, rounds + ROUNDS)
        row_us = alone / case.rows * 1e3
        print(f"{case.name:34}{case.rows:6}{alone:10.2f}{busy:10.2f}{row_us:14.1f}")
        rounds += 2 * ROUNDS


async def _median_ms(case: Case, first: int) -> float:
    spent = []
    for number in range(first, first + ROUNDS):
        prepared = case.prepare(number)
        begin = time.perf_counter()
        await case.call(prepared)
        spent.append(time.perf_counter() - begin)
    return statistics.median(spent) * 1e3


@contextmanager
def _busy_thread() -> Iterator[None]:
    stop = Event()

    def work() -> None:
        while not stop.is_set():
            sorted(map(hash, range(100)))

    thread = Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


# --- truth -------------------------------------------------------------------------------------


def _truth_cases(truth: SqliteTruth) -> list[Case]:
    def transact(trips: list[Trip]) -> Awaitable[None]:
        return truth.transact(lambda: _play(trips), NEVER)

    return [
        Case("truth: 500 customers, 1000 events", EVENTS, _ingest, transact),
        Case("truth: ledger batch of 64", DECISIONS, _ledger, transact),
        Case(
            "truth: look-up of 64 keys",
            DECISIONS,
            lambda number: [ledger.ReadKeys(_keys(number - 1))],
            lambda statements: truth.read(statements, NEVER),
        ),
    ]


def _play(trips: list[Trip]) -> Program[None]:
    for trip in trips:  # noqa: UP028  a list cannot be sent results
        yield trip


def _ingest(number: int) -> list[Trip]:
    customers = tuple(f"c-{index:06d}" for index in range(CUSTOMERS))
    inbox = tuple(_inbox_row(number, index) for index in range(EVENTS))
    places = tuple((row.stream_id, row.source_version) for row in inbox)
    return [
        (
            Begin(),
            events.ReadInbox(tuple(row.event_id for row in inbox), places),
            events.LockProfiles(customers),
        ),
        (
            events.EnsurePersons(tuple(events.PersonRow(f"c.{name}", "") for name in customers)),
            events.InsertTransactions(tuple(_transaction(row, number) for row in inbox)),
            events.WriteProfiles(tuple(_profile(name, number + 1) for name in customers)),
            events.InsertInbox(inbox),
            Commit(),
        ),
    ]


def _inbox_row(number: int, index: int) -> events.InboxRow:
    customer = f"c-{index % CUSTOMERS:06d}"
    version = number * 2 + index // CUSTOMERS
    return events.InboxRow(_id(number, index), f"card/{customer}/1", version, b"h" * 32, customer)


def _transaction(row: events.InboxRow, number: int) -> events.TransactionWrite:
    fact = Transaction(
        row.event_id, row.customer_id, TransactionKind.PURCHASE, "card", 1, row.source_version,
        1_700_000_000_000_000 + number, 24_300, amount=12_345,
    )  # fmt: skip
    return events.TransactionWrite(fact, reversed=False, applied_us=number, payload=b"p" * 200)


def _profile(name: str, version: int) -> events.ProfileWrite:
    slots = {"income/payroll": Slot(1, version, version, {"basis": "verified", "monthly": 500_000})}
    profile = CreditData(
        customer_id=name, person_id=f"c.{name}", profile_version=version, slots=slots
    )
    return events.ProfileWrite(profile, os.urandom(1_000), "", version)


def _ledger(number: int) -> list[Trip]:
    persons = tuple(f"c.c-{index:06d}" for index in range(DECISIONS))
    customers = tuple(f"c-{index:06d}" for index in range(DECISIONS))
    batch = ledger.BatchRow("lane", number, b"p" * 32, b"r" * 32, b"l" * 2048, 64, "", 1)
    decisions = tuple(_decision(number, index) for index in range(DECISIONS))
    return [
        (
            Begin(),
            ledger.LockPersons(persons),
            ledger.ReadPersons(persons),
            ledger.ReadCustomers(customers),
            ledger.ReadReservations(persons, number),
            ledger.ReadContracts(persons),
            ledger.ReadKeys(_keys(number)),
            ledger.ReadRecent(persons, number),
        ),
        (
            ledger.InsertBatch(batch),
            ledger.InsertDecisions(decisions),
            ledger.InsertReservations(tuple(_reservation(row) for row in decisions[::2])),
            ledger.InsertOffers(tuple(_offer(row) for row in decisions[::2])),
            ledger.InsertOutbox(tuple(_event(row) for row in decisions)),
            Commit(),
        ),
    ]


def _keys(number: int) -> tuple[tuple[str, str], ...]:
    return tuple(("client", f"key {number} {index}") for index in range(DECISIONS))


def _decision(number: int, index: int) -> ledger.DecisionRow:
    return ledger.DecisionRow(
        decision_id=_id(number, index), client_id="client",
        idem_key=f"key {number} {index}", command_hash="h" * 71, customer_id=f"c-{index:06d}",
        person_id=f"c.c-{index:06d}", product="personal_loan", amount=2_000_000, term_months=36,
        outcome="APPROVED", policy_id="personal-loan", policy_version=3, score=563, band="C",
        decided_us=-number, decision_date="2026-12-10", duplicate_of="", reviewed_decision="",
        lane="lane", lane_seq=number, salt=b"s" * 16, content_hash=b"c" * 32,
        evidence=os.urandom(2_500), reply=os.urandom(1_500),
    )  # fmt: skip


def _reservation(row: ledger.DecisionRow) -> ledger.ReservationRow:
    # Expired, as most are.
    return ledger.ReservationRow(row.decision_id, row.person_id, "OPEN", 2_000_000, 70_000, -1)


def _offer(row: ledger.DecisionRow) -> ledger.OfferRow:
    return ledger.OfferRow(
        row.decision_id, row.decision_id, row.person_id, 2_000_000, 1, b"t" * 400
    )


def _event(row: ledger.DecisionRow) -> ledger.OutboxRow:
    return ledger.OutboxRow(
        row.decision_id, "decision", row.decision_id, 1, "credit.decided", row.customer_id,
        b"e" * 800, row.decided_us,
    )  # fmt: skip


def _id(number: int, index: int) -> str:
    """Return an id that sorts by time, as a UUIDv7 does: random ones would touch more pages."""
    return f"{number:012x}-{index:08x}-{index * 7919 % 10**14:014d}"


# --- projections and the stream ----------------------------------------------------------------


def _projection_cases(projection: SqliteProjection) -> list[Case]:
    async def put(rows: list[ProjectionRow]) -> None:
        await projection.put_if_newer(rows, NEVER)

    async def put_8(parts: list[list[ProjectionRow]]) -> None:
        await asyncio.gather(*map(put, parts))

    async def read(rows: list[ProjectionRow]) -> None:
        for row in rows:
            await projection.read_item(*row.key, NEVER)

    def parts(number: int) -> list[list[ProjectionRow]]:
        return [_projected(number, str(caller)) for caller in range(8)]

    return [
        Case("projection: put 500 profiles", RECORDS, _projected, put),
        Case("projection: 8 callers put 500", 8 * RECORDS, parts, put_8),
        Case("projection: read 500, one by one", RECORDS, _projected, read),
    ]


def _projected(number: int, group: str = "c") -> list[ProjectionRow]:
    return [
        ProjectionRow(f"{group}-{index:06d}", "CUSTOMER_PROFILE", number + 1, os.urandom(1_000))
        for index in range(RECORDS)
    ]


def _stream_cases(stream: EmbeddedStream) -> list[Case]:
    async def put(records: list[tuple[str, bytes]]) -> None:
        await stream.put(records, NEVER)

    async def put_8(records: list[tuple[str, bytes]]) -> None:
        await asyncio.gather(*(put(records) for _ in range(8)))

    async def read(_: object) -> None:
        for shard in await stream.shards():
            await stream.read(shard, 0, RECORDS)

    return [
        Case("stream: put 500 records", RECORDS, _records, put),
        Case("stream: 8 callers put 500", 8 * RECORDS, _records, put_8),
        Case("stream: read 500 of each shard", 4 * RECORDS, _records, read),
    ]


def _records(_: int) -> list[tuple[str, bytes]]:
    return [(f"c-{index % 100:06d}", os.urandom(400)) for index in range(RECORDS)]


if __name__ == "__main__":
    main()
