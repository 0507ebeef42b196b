"""
A small program in the shape of the ledger, for testing the kernel: one limit, many requests.

Requests of one person are approved while the sum of reservations stays within the limit. Each
request has a key of its own, so that a client may repeat it. `Guards` removes one guard at a time:
the simulation must notice each.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Final

from adapters.stores.model.database import (
    Connection,
    Database,
    DuplicateKeyError,
    ModelStoreError,
    Row,
    Table,
)
from tests.simulation.kernel.faults import Faults
from tests.simulation.kernel.process import Process, ProcessDownError
from tests.simulation.kernel.store_faults import StoreFaults

LIMIT: Final = 100
PRINCIPAL: Final = 40
CLIENTS: Final = 5
#: Longer than any late landing, lock wait and lingering session.
SETTLE_S: Final = 10.0
TABLES: Final = (
    Table("persons", ("person_id",)),
    Table("decisions", ("key",), indexes=(("person_id",),)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Guards:
    """What keeps the sum within the limit and the answers true."""

    locks_person: bool = True
    looks_after_locking: bool = True
    answers_after_commit: bool = True


@dataclass(frozen=True, slots=True)
class Ledger:
    """Decides requests against the model database; a failure leaves the outcome unknown."""

    database: Database
    guards: Guards

    async def decide(self, key: str) -> bool:
        """Return whether the request with this key is approved; the same key, the same answer."""
        connection = self.database.connect("ledger")
        try:
            return await self._decide(connection, key)
        finally:
            await connection.close()

    async def _decide(self, connection: Connection, key: str) -> bool:
        await connection.begin()
        early = await self._exposure(connection)
        if self.guards.locks_person:
            await connection.select("persons", {"person_id": "p"}, for_update=True)
        late = await self._exposure(connection)
        exposure = late if self.guards.looks_after_locking else early
        principal = PRINCIPAL if exposure + PRINCIPAL <= LIMIT else 0
        try:
            await connection.insert(
                "decisions", {"key": key, "person_id": "p", "principal": principal}
            )
        except DuplicateKeyError:
            await connection.rollback()
            (row,) = await connection.select("decisions", {"key": key})
            return bool(row["principal"])
        return await self._conclude(connection, approved=principal > 0)

    async def _conclude(self, connection: Connection, *, approved: bool) -> bool:
        try:
            await connection.commit()
        except ModelStoreError:
            if self.guards.answers_after_commit:
                raise
        return approved

    async def _exposure(self, connection: Connection) -> int:
        rows = await connection.select("decisions", {"person_id": "p"})
        return sum(row["principal"] for row in rows)


@dataclass(slots=True)
class History:
    """What the clients heard and, in the end, what the database holds."""

    answers: dict[str, list[bool]] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    leftovers: list[str] = field(default_factory=list)

    def violations(self) -> list[str]:
        """Return every promise that was broken."""
        stored = {row["key"]: row["principal"] > 0 for row in self.rows}
        approved = sum(stored.values())
        return [
            *([f"{approved} approvals exceed {LIMIT}"] if approved * PRINCIPAL > LIMIT else []),
            # The twin of safety: a ledger that refuses everybody is broken too.
            *([f"only {approved} approvals"] if approved < LIMIT // PRINCIPAL else []),
            *(
                f"{key}: answered {heard}, stored {stored.get(key)}"
                for key, heard in self.answers.items()
                if set(heard) != {stored.get(key)}
            ),
            *self.leftovers,
        ]


async def exposure(faults: Faults, guards: Guards, kills: int = 2) -> History:
    """Let clients ask, and repeat what failed, while the process is killed and restarted."""
    database = Database(TABLES, StoreFaults(faults, "db"))
    await _prepare(database)
    process, ledger, history = Process("ledger"), Ledger(database, guards), History()
    chaos = asyncio.create_task(_kill(process, faults, kills))
    supervisor = asyncio.create_task(_supervise(process))
    keys = [f"k{number}" for number in range(CLIENTS)]
    # Each key is asked for twice at the same time, as an impatient client does.
    heard = await asyncio.gather(*(_ask(process, ledger, key) for key in keys * 2))
    for key, answer in zip(keys * 2, heard, strict=True):
        history.answers.setdefault(key, []).append(answer)
    await chaos
    supervisor.cancel()
    faults.heal()
    await asyncio.sleep(SETTLE_S)
    history.rows = database.rows("decisions")
    history.leftovers = database.leftovers()
    return history


async def _prepare(database: Database) -> None:
    while not database.rows("persons"):
        connection = database.connect("setup")
        try:
            await connection.insert("persons", {"person_id": "p"})
        except ModelStoreError:
            await asyncio.sleep(1)
        finally:
            await connection.close()


async def _ask(process: Process, ledger: Ledger, key: str) -> bool:
    while True:
        try:
            return await process.call(ledger.decide(key))
        except (ModelStoreError, ProcessDownError):
            await asyncio.sleep(0.01)


async def _kill(process: Process, faults: Faults, kills: int) -> None:
    for _ in range(kills):
        await asyncio.sleep(faults.seconds(0.1))
        process.kill()


async def _supervise(process: Process) -> None:
    """Start the process again whenever it is down, as whatever runs it in production does."""
    while True:
        await asyncio.sleep(0.02)
        if not process.alive:
            process.restart()
