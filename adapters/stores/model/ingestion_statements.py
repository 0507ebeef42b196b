"""How the statements of a batch of events run on the model database."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import fields
from typing import Any

from adapters.stores.model.connection import Connection
from adapters.stores.model.errors import DuplicateKeyError
from adapters.stores.model.schema import columns_of
from adapters.stores.model.table import Row
from domain.transaction import Transaction
from ingestion.statements import (
    EnsurePersons,
    InboxRow,
    InsertInbox,
    InsertIngestionBatch,
    InsertParked,
    InsertTransactions,
    ListIndexed,
    LockProfiles,
    MarkReversed,
    MovePersons,
    PersonMove,
    ReadApplied,
    ReadInbox,
    ReadMonth,
    ReadTransactions,
    WriteProfiles,
)

Perform = Callable[[Connection, Any], Awaitable[list[Any]]]
FACTS = tuple(field.name for field in fields(Transaction))


def ingestion_statements() -> dict[type, Perform]:
    """Return how each statement runs."""
    return {
        ReadInbox: _read_inbox,
        ListIndexed: _list_indexed,
        LockProfiles: _lock_profiles,
        ReadTransactions: _read_transactions,
        ReadMonth: _read_month,
        ReadApplied: _read_applied,
        EnsurePersons: _ensure_persons,
        MovePersons: _move_persons,
        WriteProfiles: _write_profiles,
        InsertTransactions: _insert_transactions,
        MarkReversed: _mark_reversed,
        InsertInbox: _insert_inbox,
        InsertParked: _insert_parked,
        InsertIngestionBatch: _insert_ingestion_batch,
    }


async def _if_absent(connection: Connection, table: str, rows: Iterable[Row]) -> None:
    """Insert rows one by one, leaving those that are there: INSERT .. ON DUPLICATE KEY nothing."""
    for row in rows:
        try:
            await connection.insert(table, row)
        except DuplicateKeyError:
            continue


async def _read_inbox(connection: Connection, asked: ReadInbox) -> list[Any]:
    rows = await connection.select("inbox", {"event_id": asked.event_ids})
    if asked.stream_versions:
        wanted = frozenset(asked.stream_versions)
        streams, versions = zip(*sorted(wanted), strict=True)
        rows += await connection.select(
            "inbox",
            {
                "stream_id": tuple(dict.fromkeys(streams)),
                "source_version": tuple(dict.fromkeys(versions)),
            },
            and_where=lambda row: (row["stream_id"], row["source_version"]) in wanted,
        )
    return [InboxRow(**row) for row in {row["event_id"]: row for row in rows}.values()]


async def _list_indexed(connection: Connection, asked: ListIndexed) -> list[Any]:
    rows = await connection.select(
        "customers",
        {},
        and_where=lambda row: row["customer_id"] > asked.after and bool(row.get("cpf_index")),
        order_by="customer_id",
        limit=asked.limit,
    )
    return [(row["customer_id"], row["profile"]) for row in rows]


async def _lock_profiles(connection: Connection, asked: LockProfiles) -> list[Any]:
    names = tuple(sorted(set(asked.customer_ids)))
    there = await connection.select("customers", {"customer_id": names})
    missing = set(names) - {row["customer_id"] for row in there}
    await _if_absent(connection, "customers", map(_placeholder, sorted(missing)))
    rows = await connection.select("customers", {"customer_id": names}, for_update=True)
    return [(row["customer_id"], row["profile"]) for row in rows]


def _placeholder(customer_id: str) -> Row:
    # MySQL cannot lock a row that is not there; the transaction fills this one, or undoes it.
    return {"customer_id": customer_id, "person_id": "", "profile_version": 0, "profile": b""}


async def _read_transactions(connection: Connection, asked: ReadTransactions) -> list[Any]:
    rows = await connection.select("transactions", {"event_id": asked.event_ids})
    return [(_transaction(row), row["reversed"]) for row in rows]


async def _read_month(connection: Connection, asked: ReadMonth) -> list[Any]:
    rows = await connection.select(
        "transactions",
        {"customer_id": asked.customer_id},
        and_where=lambda row: row["month"] == asked.month and not row["reversed"],
    )
    return [_transaction(row) for row in rows]


async def _read_applied(connection: Connection, asked: ReadApplied) -> list[Any]:
    rows = await connection.select("transactions", {"event_id": asked.event_ids})
    return [(row["event_id"], row["applied_us"]) for row in rows]


def _transaction(row: Row) -> Transaction:
    return Transaction(*(row[name] for name in FACTS))


async def _ensure_persons(connection: Connection, asked: EnsurePersons) -> list[Any]:
    await _if_absent(connection, "persons", map(columns_of, asked.rows))
    return []


async def _move_persons(connection: Connection, asked: MovePersons) -> list[Any]:
    await connection.select("persons", {"person_id": asked.person_ids}, for_update=True)
    for move in asked.moves:
        await _move(connection, move)
    return []


async def _move(connection: Connection, move: PersonMove) -> None:
    made = await connection.select("credit_decisions", {"customer_id": move.customer_id})
    ids = tuple(row["decision_id"] for row in made)
    for table in ("reservations", "offers", "contracts"):
        held = {"person_id": move.before, "decision_id": ids}
        await connection.update(table, held, {"person_id": move.after})


async def _write_profiles(connection: Connection, asked: WriteProfiles) -> list[Any]:
    for row in asked.rows:
        profile = row.profile
        key = {"customer_id": profile.customer_id}
        written = {
            "person_id": profile.person_id,
            "profile_version": profile.profile_version,
            "cpf_index": row.cpf_index,
            "profile": row.payload,
        }
        await connection.upsert_if_newer("customers", key, written, "profile_version")
    return []


async def _insert_transactions(connection: Connection, asked: InsertTransactions) -> list[Any]:
    rows = [
        {
            **columns_of(write.row),
            "reversed": write.reversed,
            "applied_us": write.applied_us,
            "payload": write.payload,
        }
        for write in asked.rows
    ]
    await connection.insert("transactions", rows)
    return []


async def _mark_reversed(connection: Connection, asked: MarkReversed) -> list[Any]:
    await connection.update("transactions", {"event_id": asked.event_ids}, {"reversed": True})
    return []


async def _insert_inbox(connection: Connection, asked: InsertInbox) -> list[Any]:
    rows = [columns_of(row) for row in asked.rows]
    if rows:
        await connection.insert("inbox", rows)
    return []


async def _insert_parked(connection: Connection, asked: InsertParked) -> list[Any]:
    await _if_absent(connection, "parked_events", map(columns_of, asked.rows))
    return []


async def _insert_ingestion_batch(connection: Connection, asked: InsertIngestionBatch) -> list[Any]:
    await connection.insert("ingestion_batches", columns_of(asked.row))
    return []
