"""A ledger's writer with both its connections on the model database, in virtual time."""

import asyncio
import itertools
import random
from collections.abc import Awaitable, Callable
from dataclasses import fields
from typing import Any

from adapters.stores.model.connection import Connection
from adapters.stores.model.database import Database
from adapters.stores.model.hooks import NO_FAULTS, Hooks
from adapters.stores.model.schema import TABLES
from adapters.stores.model.truth import ModelTruth
from decision_engine.record.statements import BatchRow, DecisionRow
from decision_engine.record.verify import verify_lane
from decision_engine.record.writer import LedgerWriter
from domain.ports.time import Deadline
from tests.simulation.kernel.agenda import Order
from tests.simulation.kernel.loop import run
from tests.simulation.platform.ports import SeededChance, SeededIds, Tally, VirtualClock
from tests.unit.record.toy import entry

PATIENCE_S = 5.0


def now() -> float:
    return asyncio.get_running_loop().time()


class Office:
    """One database, and as many processes with a writer each as a test asks for."""

    def __init__(
        self, hooks: Hooks = NO_FAULTS, *, has_second: bool = True, beside: int = 1
    ) -> None:
        self.database = Database(TABLES, hooks)
        self.clock = VirtualClock()
        self.tally = Tally()
        self.writers: list[LedgerWriter] = []
        self._has_second = has_second
        self._beside = beside
        self._truths: list[ModelTruth] = []
        self._serial = itertools.count(1)

    async def add_persons(self, count: int) -> None:
        connection = self.database.connect("seed")
        for person in (f"p{n}" for n in range(count)):
            await connection.insert("persons", {"person_id": person})
            customer = {"customer_id": f"c-{person}", "person_id": person, "profile_version": 1}
            await connection.insert("customers", {**customer, "profile": b"{}"})
        await connection.close()

    async def add_writer(self) -> LedgerWriter:
        number = len(self.writers)
        chance = random.Random(number)
        writer = LedgerWriter(
            self._truth(f"{number}"),
            self.clock,
            SeededIds(chance),
            SeededChance(chance),
            self.tally,
            f"writer {number}",
            second=self._truth(f"{number}-second") if self._has_second else None,
            beside=[self._truth(f"{number}-beside {n}") for n in range(self._beside)],
        )
        await writer.start()
        self.writers.append(writer)
        return writer

    def _truth(self, name: str) -> ModelTruth:
        truth = ModelTruth(self.database, name, self._serial, self.clock)
        self._truths.append(truth)
        return truth

    async def lock(self, *persons: str) -> Connection:
        """Lock persons in another process; its connection, once closed, lets them go."""
        connection = self.database.connect("elsewhere")
        await connection.begin()
        await connection.select("persons", {"person_id": persons}, for_update=True)
        return connection

    async def close(self) -> None:
        for writer in self.writers:
            await writer.stop()
        for truth in self._truths:
            await truth.close()

    def decisions(self) -> list[DecisionRow]:
        return [DecisionRow(**row) for row in self.database.rows("credit_decisions")]

    def batches(self) -> dict[str, list[BatchRow]]:
        lanes: dict[str, list[BatchRow]] = {}
        for row in self.database.rows("ledger_batches"):
            made = BatchRow(*(row[each.name] for each in fields(BatchRow)))
            lanes.setdefault(made.lane, []).append(made)
        return lanes

    def faults(self) -> list[Any]:
        """Return what does not verify in the ledger, and what somebody left open."""
        found: list[Any] = [*self.database.leftovers()]
        for lane, batches in self.batches().items():
            rows = [row for row in self.decisions() if row.lane == lane]
            rows.sort(key=lambda row: (row.lane_seq, row.decision_id))
            found.extend(verify_lane(lane, batches, rows))
        return found


def ask(writer: LedgerWriter, key: str, person: str, **case: int) -> Any:
    """Return a coroutine that records an entry and gives (when, what, or which error)."""

    async def recorded() -> tuple[float, Any]:
        try:
            made = entry(key, person=person, customer="", **case)
            result: Any = await writer.record(made, Deadline(now() + PATIENCE_S))
        except Exception as error:  # noqa: BLE001 - what was raised is what the test asks about
            result = error
        return now(), result

    return recorded()


def live(
    work: Callable[[Office], Awaitable[None]],
    office: Callable[[], Office] = Office,
    seed: int = 0,
    order: Order = "fifo",
) -> None:
    """Run work, close everything, and check that the ledger holds together."""

    async def main() -> None:
        made = office()
        await work(made)
        await made.close()
        assert made.faults() == []

    run(seed, main, order=order)
