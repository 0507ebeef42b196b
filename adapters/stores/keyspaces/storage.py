"""The wide store: a customer's profile, transactions and decisions in one partition."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

from adapters.stores.keyspaces import schema
from adapters.stores.keyspaces.address import Address
from adapters.stores.keyspaces.appended import Appended, is_appended
from adapters.stores.keyspaces.calls import Calls
from adapters.stores.keyspaces.encoding import int32, statement_of, texts
from adapters.stores.keyspaces.errors import SettingsError, StoreRefusedError
from adapters.stores.keyspaces.guarded import Guarded
from adapters.stores.keyspaces.link import Link
from adapters.stores.keyspaces.probe import Capabilities, probed
from adapters.stores.keyspaces.retrying import Patience
from adapters.stores.keyspaces.rows import row_of
from adapters.stores.keyspaces.session import Limits, Prepared, asking
from adapters.stores.keyspaces.statements import IN_MAX
from domain.ports.storage import Applied, ProjectionRow
from domain.ports.time import Chance, Clock, Deadline

LIMITS: Final = Limits()
#: Above every character that a `data_type` can hold.
LAST: Final = "\U0010ffff"
#: Parts of one call that are under way at a time.
WIDTH: Final = 64
ASCII_MAX: Final = "\x7f"

Part = tuple[Sequence[ProjectionRow], Callable[[], Awaitable[Sequence[Applied]]]]


class KeyspacesStorage:
    """
    Implements `domain.ports.storage.DataStorage` on Amazon Keyspaces or Apache Cassandra.

    It connects at first use, and again by itself. A row whose `expires_s` has come is not read any
    more; the server removes it about then. Event loops of several threads may share it.
    """

    def __init__(
        self, address: Address, *, clock: Clock, chance: Chance, limits: Limits = LIMITS
    ) -> None:
        self.name = "keyspaces"
        self._address, self._clock, self._limits = address, clock, limits
        self._chance = chance
        self._patience = Patience(limits.retries, clock, chance)
        self._link = Link(address, limits, clock)
        self._calls = Calls(self._link, self._patience, limits, clock)
        self._guarded = Guarded(self._calls)
        self._appended = Appended(self._calls, self._guarded)
        self._counts = dict.fromkeys(("reads", "queries", *Applied), 0.0)
        self._capabilities: Capabilities | None = None

    async def read_item(
        self, customer_id: str, data_type: str, deadline: Deadline
    ) -> ProjectionRow | None:
        """Return the row, or None."""
        self._counts["reads"] += 1
        key: list[bytes | None] = [customer_id.encode(), data_type.encode()]
        found = await self._calls.asked(lambda prepared: statement_of(prepared.read, key), deadline)
        return self._alive(row_of(found[0])) if found else None

    async def read_items(
        self, customer_ids: Sequence[str], data_type: str, deadline: Deadline
    ) -> Mapping[str, ProjectionRow]:
        """Return rows of one kind by customer; who has none is left out."""
        self._counts["reads"] += 1
        distinct = list(dict.fromkeys(customer_ids))
        parts = [distinct[at : at + IN_MAX] for at in range(0, len(distinct), IN_MAX)]
        found: dict[str, ProjectionRow] = {}

        async def read(ids: Sequence[str]) -> None:
            values: list[bytes | None] = [texts(ids), data_type.encode()]
            rows = await self._calls.asked(
                lambda prepared: statement_of(prepared.many, values), deadline
            )
            alive = (self._alive(row_of(each)) for each in rows)
            found.update({row.customer_id: row for row in alive if row is not None})

        await _spread([partial(read, part) for part in parts])
        return found

    async def query(
        self, customer_id: str, prefix: str, limit: int, before: str, deadline: Deadline
    ) -> Sequence[ProjectionRow]:
        """Return rows by prefix, newest first."""
        self._counts["queries"] += 1
        end = min(before or LAST, end_of(prefix))
        kept: list[ProjectionRow] = []
        while len(kept) < limit and prefix < end:
            asked = min(limit - len(kept), self._limits.page)
            values: list[bytes | None] = [
                customer_id.encode(), prefix.encode(), end.encode(), int32(asked),
            ]  # fmt: skip
            found = await self._calls.asked(_page_of(values), deadline)
            rows = [row_of(each) for each in found]
            kept += [row for row in rows if self._alive(row) is not None]
            if len(found) < asked:
                break
            end = rows[-1].data_type
        return kept

    async def put_if_newer(
        self, rows: Sequence[ProjectionRow], deadline: Deadline
    ) -> Sequence[Applied]:
        """Write the rows that are newer; after an error some of them are written."""
        deadline.check(self._clock)
        results: dict[tuple[str, str], Applied] = {}

        async def put(part: Part) -> None:
            written, write = part
            verdicts = await write()
            for row, verdict in zip(written, verdicts, strict=True):
                results[row.key] = verdict
                self._counts[verdict] += 1

        await _spread([partial(put, part) for part in self._parts(rows, deadline)])
        return [results[row.key] for row in rows]

    def metrics(self) -> Mapping[str, float]:
        """Return counters since start, and 1 or 0 for what the server was found to be able to."""
        found = self._capabilities
        able = {} if found is None else {f"can_{name}": float(can) for name, can in found.all()}
        return {
            **self._counts,
            "batches": float(self._appended.batches),
            "expired_unwritten": float(self._appended.expired),
            "writes_in_doubt": float(self._guarded.in_doubt),
            "retries": float(self._patience.retried),
            "retries_denied": float(self._patience.denied),
            "openings": float(self._link.openings),
            "openings_failed": float(self._link.failures),
            **able,
        }

    async def check(self, deadline: Deadline) -> Capabilities:
        """
        Look at settings, schema and what the server can, for a start or `creditctl doctor`.

        Raises:
            SettingsError: a PermanentError whose class and sentence say what to correct.
            TransientError: the server is away; a start may go on without it.
        """
        try:
            sessions = await self._link.opened(deadline)
            ask = asking(sessions.next())
            await asyncio.to_thread(
                schema.check, ask, self._address.flavour, self._address.keyspace
            )
            self._capabilities = await probed(self._calls, self._address, self._chance, deadline)
        except StoreRefusedError as error:
            raise (error.found or SettingsError(str(error))) from None
        return self._capabilities

    async def aclose(self) -> None:
        """End every connection."""
        await self._link.aclose()

    def _parts(self, rows: Sequence[ProjectionRow], deadline: Deadline) -> Iterator[Part]:
        """Yield what is written together: appended rows of a customer, or one guarded row."""
        appended: dict[str, list[ProjectionRow]] = {}
        for row in rows:
            if is_appended(row):
                appended.setdefault(row.customer_id, []).append(row)
            else:
                yield [row], partial(self._put_guarded, row, deadline)
        for together in appended.values():
            for at in range(0, len(together), IN_MAX):
                part = together[at : at + IN_MAX]
                yield part, partial(self._appended.put, part, deadline)

    async def _put_guarded(self, row: ProjectionRow, deadline: Deadline) -> Sequence[Applied]:
        return [await self._guarded.put(row, deadline)]

    def _alive(self, row: ProjectionRow) -> ProjectionRow | None:
        expires = row.expires_s
        return row if expires is None or expires > self._clock.now().timestamp() else None


def end_of(prefix: str) -> str:
    """Return what every text with this prefix is below: `TRANSACTION$` for `TRANSACTION#`."""
    if prefix and prefix[-1] < ASCII_MAX:
        return prefix[:-1] + chr(ord(prefix[-1]) + 1)
    return prefix + LAST


def _page_of(values: list[bytes | None]) -> Callable[[Prepared], Any]:
    return lambda prepared: statement_of(prepared.page, values)


async def _spread(parts: Sequence[Callable[[], Coroutine[Any, Any, None]]]) -> None:
    """Run the parts, `WIDTH` at a time; every one that began has ended, then raise what one met."""
    if len(parts) == 1:
        await parts[0]()
        return
    left = iter(parts)

    async def worker() -> None:
        for part in left:
            await part()

    workers = [worker() for _ in range(min(WIDTH, len(parts)))]
    for met in await asyncio.gather(*workers, return_exceptions=True):
        if met is not None:
            raise met
