"""
What a call of the wide store costs its process, beside the bare driver on the same Cassandra.

Run: `.venv/bin/python -m bench wide`. CPU microseconds of this process a call (user + system, the
driver's thread included), on uvloop as the service runs, one caller and 64 at once. The contenders
take turns; shown are medians over the rounds, of the ratios too. The bare driver executes the very
same prepared statements by `execute_async` and callbacks, with the same protocol, consistency and
plain tuples, and values that were made before; ours includes deadline, retry budget, the line of
calls, rows made and taken apart, and of a batch the look at what is there. A bar that is missed is
printed as MISSED, and the bench fails. It starts a Cassandra of its own.
"""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import median
from typing import Any, Final

import uvloop
from cassandra.query import BatchStatement, BatchType

from adapters.stores.keyspaces import schema
from adapters.stores.keyspaces.address import Address
from adapters.stores.keyspaces.rows import shape_of
from adapters.stores.keyspaces.session import Limits, asking, connected, new_cluster
from adapters.stores.keyspaces.statements import texts
from adapters.stores.keyspaces.storage import KeyspacesStorage
from adapters.system import SystemChance, SystemClock
from domain.ports.storage import Applied, ProjectionRow
from domain.ports.time import Deadline
from tests.services.fleet import running

CUSTOMERS: Final = 300
LISTED: Final = 20
BATCH: Final = 10
PAYLOAD: Final = b"p" * 617
CALLS: Final = {1: 100, 64: 1_000}
WARM: Final = 1_000
ROUNDS: Final = 9
DEADLINE_S: Final = 30.0
BARRED: Final = 64
LAST: Final = "TRANSACTION$"
READABLE: Final[dict[str, str | int]] = {
    "status": "ACTIVE", "credit_score": 700, "monthly_income": 412_345, "existing_debts": 90_000,
    "created_at": 1_764_000_000_123_456, "updated_at": 1_764_000_000_123_456,
}  # fmt: skip
PROFILE: Final = "CUSTOMER_PROFILE"
CLOCK: Final = SystemClock()

Ours = Callable[[int], Awaitable[object]]
Bare = Callable[[int], Any]
#: By contest and callers, the bare driver's and our CPU microseconds of each round.
Spent = dict[tuple[str, int], tuple[list[float], list[float]]]


@dataclass(frozen=True, slots=True)
class Contest:
    """One kind of call: ours, a statement for the bare driver, and how much of that we may cost."""

    name: str
    ours: Ours
    bare: Bare
    bar: float


def profile(number: int, version: int) -> ProjectionRow:
    """Return a customer's profile."""
    return ProjectionRow(f"c-{number}", PROFILE, version, PAYLOAD, columns=READABLE)


def transaction(customer: str, number: int) -> ProjectionRow:
    """Return a transaction of a customer."""
    columns: dict[str, str | int] = {
        "transaction_id": f"e-{number}", "amount": 1_999,
        "created_at": READABLE["created_at"], "updated_at": READABLE["updated_at"],
    }  # fmt: skip
    name = f"TRANSACTION#2026-11-24T00:00:00.{number:06d}Z#e-{number}"
    return ProjectionRow(customer, name, 1, PAYLOAD[:300], f"e-{number}", columns)


class Load:
    """The calls, on a table of its own; numbers of writes never come twice."""

    def __init__(self, store: KeyspacesStorage, session: Any, keyspace: str) -> None:
        self.store, self.session = store, session
        wanted = texts(keyspace)
        self._read = session.prepare(wanted.read)
        self._page = session.prepare(wanted.page)
        self._replace = session.prepare(wanted.replace[0])
        shape = shape_of(transaction("", 0))
        self._append = session.prepare(wanted.append[shape][0])
        self._values = (
            PAYLOAD.decode(), "", None, None, None, "ACTIVE", 700, Decimal("4123.45"),
            Decimal("900.00"), 1_764_000_000_123, 1_764_000_000_123,
        )  # fmt: skip
        self._appended = (
            1, PAYLOAD[:300].decode(), "e-1", None, "e-1", Decimal("19.99"), 1_764_000_000_123,
            1_764_000_000_123,
        )  # fmt: skip
        self._versions = iter(range(2, 10**9))
        self._names = iter(range(10**9))

    def contests(self) -> Sequence[Contest]:
        """Return what is compared."""
        return [
            Contest("profile read", self._our_read, self._bare_read, 1.2),
            Contest("profile put", self._our_put, self._bare_put, 1.2),
            Contest(f"list of {LISTED}", self._our_list, self._bare_list, 4.0),
            Contest(f"batch of {BATCH} put", self._our_batch, self._bare_batch, 4.0),
        ]

    async def fill(self) -> None:
        """Write what is read."""
        rows = [profile(number, 1) for number in range(CUSTOMERS)]
        rows += [transaction(f"c-{each}", n) for each in range(CUSTOMERS) for n in range(LISTED)]
        for at in range(0, len(rows), 500):
            await self.store.put_if_newer(rows[at : at + 500], soon())

    async def _our_read(self, number: int) -> None:
        if await self.store.read_item(f"c-{number % CUSTOMERS}", PROFILE, soon()) is None:
            raise RuntimeError("a row is not there: the figures are void")

    def _bare_read(self, number: int) -> Any:
        return self._read.bind((f"c-{number % CUSTOMERS}", PROFILE))

    async def _our_list(self, number: int) -> None:
        found = await self.store.query(
            f"c-{number % CUSTOMERS}", "TRANSACTION#", LISTED, "", soon()
        )
        if len(found) != LISTED:
            raise RuntimeError("rows are missing: the figures are void")

    def _bare_list(self, number: int) -> Any:
        return self._page.bind((f"c-{number % CUSTOMERS}", "TRANSACTION#", LAST, LISTED))

    async def _our_put(self, number: int) -> None:
        row = profile(number % CUSTOMERS, next(self._versions))
        if await self.store.put_if_newer([row], soon()) == [Applied.CONFLICT]:
            raise RuntimeError("a version came twice: the figures are void")

    def _bare_put(self, number: int) -> Any:
        version = next(self._versions)
        values = [version, *self._values, f"c-{number % CUSTOMERS}", PROFILE, version]
        return self._replace.bind(values)

    async def _our_batch(self, _number: int) -> None:
        customer = f"b-{next(self._names)}"
        rows = [transaction(customer, each) for each in range(BATCH)]
        if set(await self.store.put_if_newer(rows, soon())) != {Applied.APPLIED}:
            raise RuntimeError("a row was there: the figures are void")

    def _bare_batch(self, _number: int) -> Any:
        customer = f"b-{next(self._names)}"
        batch = BatchStatement(batch_type=BatchType.UNLOGGED)
        for each in range(BATCH):
            batch.add(self._append.bind((customer, f"TRANSACTION#{each}", *self._appended)))
        return batch


def soon() -> Deadline:
    """Return a deadline that nothing should meet."""
    return Deadline.after(CLOCK, DEADLINE_S)


async def our_cpu_us(call: Ours, callers: int, count: int) -> float:
    """Return the CPU microseconds of our call, by so many callers at once."""
    numbers = iter(range(count))

    async def caller() -> None:
        for number in numbers:
            await call(number)

    began = time.process_time()
    await asyncio.gather(*(caller() for _ in range(callers)))
    return (time.process_time() - began) / count * 1e6


def bare_cpu_us(session: Any, make: Bare, callers: int, count: int) -> float:
    """Return the same for the driver: each answer sends the next statement."""
    numbers: Iterator[int] = iter(range(count))
    left, done = [callers], threading.Event()
    errors: list[BaseException] = []

    def following(_rows: object = None) -> None:
        number = next(numbers, None)
        if number is None or errors:
            left[0] -= 1
            if left[0] <= 0:
                done.set()
            return
        session.execute_async(make(number)).add_callbacks(following, failed)

    def failed(error: BaseException) -> None:
        errors.append(error)
        done.set()

    began = time.process_time()
    for _ in range(callers):
        following()
    done.wait(DEADLINE_S)
    used = (time.process_time() - began) / count * 1e6
    if errors or not done.is_set():
        raise RuntimeError("the driver failed: the figures are void")
    return used


async def measure(address: Address) -> bool:
    """Print the table; return whether every bar holds."""
    cluster = new_cluster(address, Limits(), CLOCK)
    (session,) = connected(cluster, address, 1)
    await asyncio.to_thread(
        schema.create, asking(session), address.flavour, address.keyspace, time.sleep
    )
    store = KeyspacesStorage(address, clock=CLOCK, chance=SystemChance())
    try:
        load = Load(store, session, address.keyspace)
        await load.fill()
        contests = load.contests()
        for contest in contests:
            # The server's compiler needs some thousand calls of a kind before it is done.
            await asyncio.to_thread(bare_cpu_us, session, contest.bare, BARRED, WARM)
        found = await _rounds(session, contests)
        if store.metrics()["retries"]:
            raise RuntimeError("something was tried again: the figures are void")
    finally:
        await store.aclose()
        cluster.shutdown()
    return _shown(contests, found)


async def _rounds(session: Any, contests: Sequence[Contest]) -> Spent:
    spent: Spent = {}
    for _ in range(ROUNDS):
        for callers, count in CALLS.items():
            for contest in contests:
                bare, ours = spent.setdefault((contest.name, callers), ([], []))
                work = (session, contest.bare, callers, count)
                bare.append(await asyncio.to_thread(bare_cpu_us, *work))
                ours.append(await our_cpu_us(contest.ours, callers, count))
    return spent


def _shown(contests: Sequence[Contest], found: Spent) -> bool:
    print(f"{'CPU µs a call':<20}{'callers':>8}{'bare':>10}{'ours':>10}{'ratio':>8}{'bar':>8}")
    holds = True
    for contest in contests:
        for callers in CALLS:
            bare, ours = found[contest.name, callers]
            ratio = median(our / one for one, our in zip(bare, ours, strict=True))
            verdict = ""
            if callers == BARRED:
                verdict = "ok" if ratio <= contest.bar else "MISSED"
                holds = holds and ratio <= contest.bar
            bar = f"{contest.bar:>8.1f} {verdict}" if verdict else ""
            print(
                f"{contest.name:<20}{callers:>8}{median(bare):>10.1f}{median(ours):>10.1f}{ratio:>8.2f}{bar}"
            )
    return holds


def main() -> None:
    """Run the bench; raise SystemExit when a bar was missed."""
    with running("cassandra") as servers:
        settings = servers["cassandra"].settings
        address = Address.cassandra(settings["CASSANDRA_ADDRESS"], settings["CASSANDRA_DATACENTER"])
        if not uvloop.run(measure(address)):
            raise SystemExit("MISSED: the cost of a call")


if __name__ == "__main__":
    main()
