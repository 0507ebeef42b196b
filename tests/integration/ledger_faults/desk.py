"""A ledger's writer on a real server, with clients that ask it as the HTTP edge does."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from adapters.mysql_address import MysqlAddress
from adapters.stores.sql.mysql_truth import MysqlTruth
from adapters.stores.sql.pymysql_truth import PymysqlTruth
from adapters.system import SystemChance, SystemClock, SystemIds
from decision_engine.record.entry import Done, Entry, Failed, Known, Result
from decision_engine.record.lookup import KeyLookup
from decision_engine.record.statements import IdempotencyKey
from decision_engine.record.writer import LedgerWriter
from decision_engine.turns import Flights
from domain.errors import AmbiguousError, ConflictError, CreditError, TransientError
from domain.ports.time import Deadline

DRIVERS: Final[Mapping[str, Any]] = {"asyncmy": MysqlTruth, "pymysql": PymysqlTruth}
#: What the HTTP edge gives a handler beyond its deadline (adapters/inbound/http/gate.py).
GRACE_S: Final = 1.0
#: Whatever a client is told must be one of these, or a reply.
HONEST: Final = (TransientError, AmbiguousError, ConflictError)


class Counts:
    """Monitoring that counts, and keeps the largest batch that there was."""

    def __init__(self) -> None:
        self.counts: Final[Counter[str]] = Counter()
        self.largest = 0.0

    def count(self, name: str, amount: int = 1, **labels: str) -> None:
        self.counts["/".join((name, *labels.values()))] += amount

    def observe(self, name: str, value: float, **labels: str) -> None:
        if name == "ledger_batch_size":
            self.largest = max(self.largest, value)

    def gauge(self, name: str, value: float, **labels: str) -> None:
        """Show nothing."""

    def event(self, name: str, *, level: str = "info", **fields: str | float | bool) -> None:
        """Say nothing."""


@dataclass(slots=True)
class Desk:
    """One process: a writer with both its connections, and what it has answered."""

    writer: LedgerWriter
    lookup: KeyLookup
    clock: SystemClock
    seen: Counts
    #: Every reply that a client got, by its key.
    answers: dict[str, set[tuple[str, bytes | None]]] = field(default_factory=dict)
    errors: Counter[str] = field(default_factory=Counter)
    _flights: Flights[IdempotencyKey, Result] = field(default_factory=Flights)

    async def ask(self, entry: Entry, seconds: float = 10.0) -> Result | CreditError:
        """Ask once, with a deadline; return the reply or the error that the client is told."""
        deadline = Deadline.after(self.clock, seconds)
        try:
            async with asyncio.timeout_at(deadline.at + GRACE_S):
                result = await self._flights.fly(
                    entry.key,
                    lambda: self._run(entry, deadline),
                    lambda: deadline.remaining(self.clock),
                )
        except TimeoutError:
            self.errors["left at the edge"] += 1
            return TransientError("the handler did not keep its deadline")
        except HONEST as error:
            self.errors[type(error).__name__] += 1
            return error
        assert isinstance(result, Done | Known), result
        self.answers.setdefault(entry.idem_key, set()).add((result.decision_id, result.reply))
        return result

    async def settle(self, entry: Entry, seconds: float = 10.0) -> Done | Known:
        """Ask with the same key until there is a reply."""
        async with asyncio.timeout(120.0):
            while not isinstance(result := await self.ask(entry, seconds), Done | Known):  # noqa: ASYNC110
                # A client that is told 503 does not come back in the same instant.
                await asyncio.sleep(0.01)
        return result

    async def _run(self, entry: Entry, deadline: Deadline) -> Result:
        known = await self.lookup.find(entry.key, deadline)
        if known is not None:
            return Known(known.decision_id, known.command_hash, known.reply)
        result = await self.writer.record(entry, deadline)
        if isinstance(result, Failed):
            raise result.error
        return result


@asynccontextmanager
async def desk(
    address: MysqlAddress,
    *,
    lookups: MysqlAddress | None = None,
    driver: str = "asyncmy",
    lanes: int = 2,
    **options: Any,
) -> AsyncIterator[Desk]:
    """
    Have a process with so many equal lanes; at the end nothing of it may be left.

    lookups: an address of their own, if given.
    """
    before = asyncio.all_tasks()
    make, clock, seen = DRIVERS[driver], SystemClock(), Counts()
    second, *equal = (make(address, clock, connections=1, **options) for _ in range(1 + lanes))
    api = make(lookups or address, clock, connections=4)
    writer = LedgerWriter(
        truth=equal[0],
        clock=clock,
        ids=SystemIds(),
        chance=SystemChance(),
        monitoring=seen,
        note="faults",
        second=second,
        beside=equal[1:],
    )
    await writer.start()
    try:
        yield Desk(writer, KeyLookup(api, clock), clock, seen)
    finally:
        await writer.stop()
        for truth in (*equal, second, api):
            await truth.close()
    # What has just ended is gone after one more turn of the loop.
    await asyncio.sleep(0)
    assert asyncio.all_tasks() <= before, "a task is left"
    assert not [name for name in seen.counts if "fault" in name], seen.counts
