"""How the statements of a ledger batch run on the model database."""

from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import fields
from typing import Any

from adapters.stores.model.connection import Connection
from adapters.stores.model.schema import columns_of
from adapters.stores.model.table import Row
from consistency.outbox.statements import DeleteOutbox, OutboxEvent, ReadOutbox
from decision_engine.archive import (
    ReadCustomerProfile,
    ReadDecision,
    ReadReview,
    StoredDecision,
    StoredReview,
)
from decision_engine.record.statements import (
    BatchRow,
    CloseReview,
    CustomerRow,
    ExposureRow,
    InsertBatch,
    InsertDecisions,
    InsertOffers,
    InsertOutbox,
    InsertReservations,
    InsertReviews,
    LockPersons,
    ReadBatch,
    ReadContracts,
    ReadCustomers,
    ReadKeys,
    ReadLaneHeads,
    ReadOpenReviews,
    ReadPersons,
    ReadProfiles,
    ReadRecent,
    ReadReservations,
    RecentRow,
    ReplyRow,
)

Perform = Callable[[Connection, Any], Awaitable[list[Any]]]
ALIVE = ("PENDING", "ACTIVE", "STUCK")
NOT_CLOSED = {"closed_by": "", "reviewer": "", "note": "", "closed_us": 0}


def ledger_statements(serial: Iterator[int]) -> dict[type, Perform]:
    """Return how each statement runs; `serial` numbers the rows of the outbox."""

    async def insert_outbox(connection: Connection, asked: InsertOutbox) -> list[Any]:
        await _insert(
            connection, "outbox", ({**columns_of(r), "id": next(serial)} for r in asked.rows)
        )
        return []

    return {**_reads(), **_writes(), InsertOutbox: insert_outbox}


def _reads() -> dict[type, Perform]:
    return {
        LockPersons: _lock_persons,
        ReadPersons: _read_persons,
        ReadCustomers: _read_customers,
        ReadReservations: _read_reservations,
        ReadContracts: _read_contracts,
        ReadKeys: _read_keys,
        ReadRecent: _read_recent,
        ReadProfiles: _read_profiles,
        ReadOpenReviews: _read_open_reviews,
        ReadBatch: _read_batch,
        ReadLaneHeads: _read_lane_heads,
        ReadCustomerProfile: _read_customer_profile,
        ReadDecision: _read_decision,
        ReadReview: _read_review,
        ReadOutbox: _read_outbox,
    }


def _writes() -> dict[type, Perform]:
    return {
        InsertBatch: _insert_batch,
        InsertDecisions: _inserting("credit_decisions"),
        InsertReservations: _inserting("reservations"),
        InsertOffers: _inserting("offers"),
        InsertReviews: _insert_reviews,
        CloseReview: _close_review,
        DeleteOutbox: _delete_outbox,
    }


async def _insert(connection: Connection, table: str, rows: Iterable[Row]) -> None:
    made = list(rows)
    if made:
        await connection.insert(table, made)


def _inserting(table: str) -> Perform:
    async def insert(connection: Connection, asked: Any) -> list[Any]:
        await _insert(connection, table, map(columns_of, asked.rows))
        return []

    return insert


def _made(kind: type, rows: Iterable[Row]) -> list[Any]:
    names = [field.name for field in fields(kind)]
    return [kind(*(row[name] for name in names)) for row in rows]


async def _lock_persons(connection: Connection, asked: LockPersons) -> list[Any]:
    if not asked.person_ids:
        return []
    rows = await connection.select(
        "persons", {"person_id": asked.person_ids}, for_update=True, skip_locked=True
    )
    return [row["person_id"] for row in rows]


async def _read_persons(connection: Connection, asked: ReadPersons) -> list[Any]:
    rows = await connection.select("persons", {"person_id": asked.person_ids})
    return [row["person_id"] for row in rows]


async def _read_customers(connection: Connection, asked: ReadCustomers) -> list[Any]:
    rows = await connection.select("customers", {"customer_id": asked.customer_ids})
    return _made(CustomerRow, (row for row in rows if row["profile"]))


async def _read_reservations(connection: Connection, asked: ReadReservations) -> list[Any]:
    rows = await connection.select(
        "reservations",
        {"person_id": asked.person_ids, "state": "OPEN"},
        and_where=lambda row: row["expires_us"] > asked.alive_at_us,
    )
    return [
        ExposureRow(row["person_id"], row["decision_id"], row["principal"], row["instalment"])
        for row in rows
    ]


async def _read_contracts(connection: Connection, asked: ReadContracts) -> list[Any]:
    rows = await connection.select("contracts", {"person_id": asked.person_ids, "state": ALIVE})
    return [
        ExposureRow(row["person_id"], row["contract_id"], row["outstanding"], row["instalment"])
        for row in rows
    ]


async def _read_keys(connection: Connection, asked: ReadKeys) -> list[Any]:
    if not asked.keys:
        return []
    wanted = frozenset(asked.keys)
    clients, keys = zip(*sorted(wanted), strict=True)
    rows = await connection.select(
        "credit_decisions",
        {"client_id": tuple(dict.fromkeys(clients)), "idem_key": tuple(dict.fromkeys(keys))},
        and_where=lambda row: (row["client_id"], row["idem_key"]) in wanted,
    )
    return _made(ReplyRow, rows)


async def _read_recent(connection: Connection, asked: ReadRecent) -> list[Any]:
    rows = await connection.select(
        "credit_decisions",
        {"person_id": asked.person_ids},
        and_where=lambda row: row["decided_us"] > asked.since_us,
        order_by=("decided_us", "decision_id"),
    )
    return _made(RecentRow, rows)


async def _read_profiles(connection: Connection, asked: ReadProfiles) -> list[Any]:
    rows = await connection.select("customers", {"customer_id": asked.customer_ids})
    return [(row["customer_id"], row["profile"]) for row in rows]


async def _read_open_reviews(connection: Connection, asked: ReadOpenReviews) -> list[Any]:
    if not asked.review_ids:
        return []
    rows = await connection.select(
        "reviews",
        {"review_id": asked.review_ids},
        and_where=lambda row: row["state"] == "OPEN",
        for_update=True,
    )
    return [row["review_id"] for row in rows]


async def _read_batch(connection: Connection, asked: ReadBatch) -> list[Any]:
    where = {"lane": asked.lane, "sequence": asked.sequence}
    return _made(BatchRow, await connection.select("ledger_batches", where))


async def _read_lane_heads(connection: Connection, _: ReadLaneHeads) -> list[Any]:
    rows = await connection.select("ledger_batches", lambda _: True)
    # In key order, so that the last of a lane stays.
    return _made(BatchRow, {row["lane"]: row for row in rows}.values())


async def _read_customer_profile(connection: Connection, asked: ReadCustomerProfile) -> list[Any]:
    rows = await connection.select("customers", {"customer_id": asked.customer_id})
    return [row["profile"] for row in rows if row["profile"]]


async def _read_decision(connection: Connection, asked: ReadDecision) -> list[Any]:
    where = {"decision_id": asked.decision_id}
    return _made(StoredDecision, await connection.select("credit_decisions", where))


async def _read_review(connection: Connection, asked: ReadReview) -> list[Any]:
    where = {"review_id": asked.review_id}
    return _made(StoredReview, await connection.select("reviews", where))


async def _read_outbox(connection: Connection, asked: ReadOutbox) -> list[Any]:
    rows = await connection.select("outbox", lambda _: True, order_by="id", limit=asked.limit)
    return _made(OutboxEvent, rows)


async def _insert_batch(connection: Connection, asked: InsertBatch) -> list[Any]:
    await connection.insert("ledger_batches", columns_of(asked.row))
    return []


async def _insert_reviews(connection: Connection, asked: InsertReviews) -> list[Any]:
    await _insert(connection, "reviews", ({**columns_of(row), **NOT_CLOSED} for row in asked.rows))
    return []


async def _close_review(connection: Connection, asked: CloseReview) -> list[Any]:
    where = {"review_id": asked.review_id}
    rows = await connection.select("reviews", where, for_update=True)
    if not rows or rows[0]["state"] != "OPEN":
        return []
    await connection.update("reviews", where, {**columns_of(asked), "state": "CLOSED"})
    return [asked.review_id]


async def _delete_outbox(connection: Connection, asked: DeleteOutbox) -> list[Any]:
    await connection.delete("outbox", {"id": asked.ids})
    return []
