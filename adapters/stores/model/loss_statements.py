"""How the statements of the loss window run on the model database."""

from collections.abc import Awaitable, Callable
from typing import Any

from adapters.stores.model.connection import Connection
from adapters.stores.model.schema import columns_of
from adapters.stores.model.table import Row
from decision_engine.loss_statements import (
    CAUSE,
    CountWaiting,
    CountWindows,
    InsertAudit,
    InsertWindow,
    ListWindows,
    ReadCustomersOf,
    ReadOpenWindows,
    ReadWindow,
    ReleaseWindow,
    StoredWindow,
)
from decision_engine.record.loss import ReadLoss, loss_row

Perform = Callable[[Connection, Any], Awaitable[list[Any]]]


def loss_statements() -> dict[type, Perform]:
    """Return how each statement runs."""
    return {
        ReadLoss: _read_loss,
        ReadOpenWindows: _read_open,
        ReadWindow: _read_window,
        ListWindows: _list_windows,
        CountWindows: _count_windows,
        CountWaiting: _count_waiting,
        ReadCustomersOf: _read_customers_of,
        InsertWindow: _insert_window,
        InsertAudit: _insert_audit,
        ReleaseWindow: _release_window,
    }


async def _open_rows(connection: Connection) -> list[Row]:
    return await connection.select("loss_windows", lambda row: row["released_us"] == 0)


async def _read_loss(connection: Connection, asked: ReadLoss) -> list[Any]:
    windows = await _open_rows(connection)
    present: list[Row] = []
    if asked.decision_ids:
        where = {"decision_id": asked.decision_ids}
        present = await connection.select("credit_decisions", where)
    return [
        *loss_row([row["window_id"] for row in windows], [row["decision_id"] for row in present])
    ]


async def _read_open(connection: Connection, _: ReadOpenWindows) -> list[Any]:
    return [StoredWindow(**row) for row in await _open_rows(connection)]


async def _read_window(connection: Connection, asked: ReadWindow) -> list[Any]:
    rows = await connection.select("loss_windows", {"window_id": asked.window_id})
    return [StoredWindow(**row) for row in rows]


async def _list_windows(connection: Connection, asked: ListWindows) -> list[Any]:
    rows = await connection.select("loss_windows", lambda _: True)
    windows = sorted((StoredWindow(**row) for row in rows), key=_place, reverse=True)
    before = asked.before
    return [each for each in windows if before is None or _place(each) < before][: asked.limit]


def _place(window: StoredWindow) -> tuple[int, str]:
    return (window.opened_us, window.window_id)


async def _count_windows(connection: Connection, _: CountWindows) -> list[Any]:
    return [len(await connection.select("loss_windows", lambda _: True))]


async def _count_waiting(connection: Connection, asked: CountWaiting) -> list[Any]:
    cases = await connection.select(
        "reviews",
        lambda row: (
            row["state"] == "OPEN" and row["cause"] == CAUSE and row["opened_us"] >= asked.since_us
        ),
    )
    where = {"decision_id": tuple(row["decision_id"] for row in cases)}
    decisions = await connection.select("credit_decisions", where)
    return [len({row["person_id"] for row in decisions})]


async def _read_customers_of(connection: Connection, asked: ReadCustomersOf) -> list[Any]:
    where = {"person_id": asked.person_id}
    rows = await connection.select("customers", where, order_by="customer_id", limit=asked.limit)
    return [row["customer_id"] for row in rows]


async def _insert_window(connection: Connection, asked: InsertWindow) -> list[Any]:
    await connection.insert("loss_windows", columns_of(asked.row))
    return []


async def _insert_audit(connection: Connection, asked: InsertAudit) -> list[Any]:
    await connection.insert("audit_log", columns_of(asked.row))
    return []


async def _release_window(connection: Connection, asked: ReleaseWindow) -> list[Any]:
    where = {"window_id": asked.window_id}
    rows = await connection.select("loss_windows", where, for_update=True)
    if not rows or rows[0]["released_us"]:
        return []
    await connection.update("loss_windows", where, columns_of(asked))
    return [asked.window_id]
