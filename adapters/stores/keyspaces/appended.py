"""
Rows that are written once: transactions and decisions, in unlogged batches a customer.

The event's id is in their key and their bytes never change, so they need no light-weight
transaction: what is there is read first, and only what is missing is written. Two writers at once
may both find nothing and write the same bytes, which changes nothing. A key that is held at an
older version is not of that kind; it goes the guarded way.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from cassandra.query import BatchStatement, BatchType

from adapters.stores.keyspaces.calls import Calls
from adapters.stores.keyspaces.encoding import int32, statement_of, texts
from adapters.stores.keyspaces.guarded import Guarded, Held, held_of, judged
from adapters.stores.keyspaces.rows import key_of, shape_of, ttl_of, values_of
from adapters.stores.keyspaces.session import Prepared
from adapters.stores.keyspaces.statements import BATCH_MAX
from domain.ports.storage import Applied, ProjectionRow
from domain.ports.time import Deadline

PREFIXES: Final = ("TRANSACTION#", "DECISION#")
#: Payloads of one batch; a row by itself may be larger.
BATCH_BYTES: Final = 256 << 10


def is_appended(row: ProjectionRow) -> bool:
    """Return whether the row is of a kind that is written once."""
    return row.data_type.startswith(PREFIXES)


class Appended:
    """Writes rows of one customer; `expired` counts those whose time was over before."""

    def __init__(self, calls: Calls, guarded: Guarded) -> None:
        self._calls, self._guarded = calls, guarded
        self.expired = 0
        self.batches = 0

    async def put(self, rows: Sequence[ProjectionRow], deadline: Deadline) -> list[Applied]:
        """
        Write rows of one customer, at most `IN_MAX`; raises as `Calls.asked`.

        After an error some of them are written.
        """
        held = await self._held(rows, deadline)
        verdicts = [judged(row, held.get(row.data_type)) for row in rows]
        now = self._calls.clock.now()
        fresh: list[tuple[ProjectionRow, int | None]] = []
        for row, verdict in zip(rows, verdicts, strict=True):
            if verdict is not Applied.APPLIED:
                continue
            ttl = ttl_of(row, now)
            if row.data_type in held:
                await self._guarded.put(row, deadline)
            elif ttl is not None and ttl <= 0:
                # As if it had been written and had gone.
                self.expired += 1
            else:
                fresh.append((row, ttl))
        for batch in _batches(fresh):
            await self._write(batch, deadline)
        return verdicts

    async def _held(self, rows: Sequence[ProjectionRow], deadline: Deadline) -> dict[str, Held]:
        names = texts([row.data_type for row in rows])
        key: list[bytes | None] = [rows[0].customer_id.encode(), names]
        found = await self._calls.asked(lambda prepared: statement_of(prepared.held, key), deadline)
        return {each[0]: held_of(each) for each in found}

    async def _write(
        self, batch: Sequence[tuple[ProjectionRow, int | None]], deadline: Deadline
    ) -> None:
        self.batches += 1

        def make(prepared: Prepared) -> Any:
            if len(batch) == 1:
                return _bound(prepared, *batch[0])
            made = BatchStatement(batch_type=BatchType.UNLOGGED)
            for row, ttl in batch:
                made.add(_bound(prepared, row, ttl))
            return made

        await self._calls.asked(make, deadline)


def _bound(prepared: Prepared, row: ProjectionRow, ttl: int | None) -> Any:
    shape = shape_of(row)
    values = key_of(row) + values_of(row, shape)
    if ttl is None:
        return statement_of(prepared.append[shape][0], values)
    return statement_of(prepared.append[shape][1], [*values, int32(ttl)])


def _batches(
    rows: Sequence[tuple[ProjectionRow, int | None]],
) -> Iterator[Sequence[tuple[ProjectionRow, int | None]]]:
    batch: list[tuple[ProjectionRow, int | None]] = []
    size = 0
    for each in rows:
        length = len(each[0].payload)
        if batch and (len(batch) == BATCH_MAX or size + length > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(each)
        size += length
    if batch:
        yield batch
