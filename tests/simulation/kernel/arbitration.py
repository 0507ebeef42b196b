"""
What to do after a COMMIT without an answer, for testing the kernel.

A writer inserts a batch row and an effect in one transaction. When the connection is lost at
COMMIT, it must find out whether that landed, although it may still land later. `arbitrate` is the
way of the ledger; the others are the ways that look right and are not.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from adapters.stores.model.database import (
    Connection,
    Database,
    DuplicateKeyError,
    LostConnectionError,
    ModelStoreError,
    Table,
)
from tests.simulation.kernel.faults import Faults
from tests.simulation.kernel.store_faults import StoreFaults

TABLES: Final = (Table("batches", ("lane", "seq")), Table("effects", ("id",)))
LANE: Final = "lane:l"
BATCHES: Final = 4

#: Returns whether the batch with this sequence landed.
Recovery = Callable[[Database, int], Awaitable[bool]]


async def arbitrate(database: Database, seq: int) -> bool:
    """Make sure that the old session is gone, then let the primary key decide."""
    connection = await _connect_with_lane(database)
    try:
        await connection.insert("batches", {"lane": "l", "seq": seq, "root": ""})
    except DuplicateKeyError:
        (row,) = await connection.select("batches", {"lane": "l", "seq": seq})
        return bool(row["root"])
    finally:
        await connection.close()
    return False


async def read_back(database: Database, seq: int) -> bool:
    """Look whether it is there: wrong, because it can land after the look."""
    connection = database.connect("reader")
    rows = await connection.select("batches", {"lane": "l", "seq": seq})
    await connection.close()
    return bool(rows)


async def duplicate_means_landed(database: Database, seq: int) -> bool:
    """Insert the void row and trust the error: wrong, it may be our own earlier void row."""
    connection = await _connect_with_lane(database)
    try:
        await connection.insert("batches", {"lane": "l", "seq": seq, "root": ""})
    except DuplicateKeyError:
        return True
    finally:
        await connection.close()
    return False


@dataclass(slots=True)
class Believed:
    """What the writer believes of each of its batches."""

    landed: dict[int, bool]

    def violations(self, database: Database) -> list[str]:
        """Return where the writer is wrong, or a batch landed in part."""
        roots = {row["seq"]: row["root"] for row in database.rows("batches")}
        effects = {row["id"] for row in database.rows("effects")}
        return [
            f"batch {seq}: believed {landed}, root {roots.get(seq)!r}, effect {seq in effects}"
            for seq, landed in self.landed.items()
            if {landed, bool(roots.get(seq)), seq in effects} != {landed}
        ]


async def write_batches(faults: Faults, recover: Recovery) -> list[str]:
    """Write some batches, recover each that is in doubt, and judge when the dust has settled."""
    database = Database(TABLES, StoreFaults(faults, "db"))
    believed = Believed({})
    for seq in range(BATCHES):
        try:
            await _write(database, seq)
        except ModelStoreError:
            believed.landed[seq] = await _until_sure(database, seq, recover)
        else:
            believed.landed[seq] = True
    faults.heal()
    await asyncio.sleep(60)
    return believed.violations(database)


async def _write(database: Database, seq: int) -> None:
    connection = await _connect_with_lane(database)
    try:
        await connection.begin()
        await connection.insert("batches", {"lane": "l", "seq": seq, "root": "full"})
        await connection.insert("effects", {"id": seq})
        await connection.commit()
    finally:
        await connection.close()


async def _until_sure(database: Database, seq: int, recover: Recovery) -> bool:
    while True:
        try:
            return await recover(database, seq)
        except ModelStoreError:
            await asyncio.sleep(0.01)


async def _connect_with_lane(database: Database) -> Connection:
    """Return a connection that holds the lane's lock: proof that no other session does."""
    connection = database.connect("lane")
    try:
        while not await connection.get_lock(LANE, 1.0):
            await connection.kill_holder(LANE)
    except LostConnectionError:
        await connection.close()
        raise
    return connection
