"""
Rows that a newer version replaces: each write is one light-weight transaction on the version.

The server compares and sets, so two processes may write at once. A write without an answer may
have happened and may still happen: the row is read back, and what is not there is written again;
should the lost one arrive after a newer version, its own condition turns it away.
"""

from dataclasses import dataclass
from typing import Any, Final

from adapters.stores.keyspaces.calls import Calls
from adapters.stores.keyspaces.encoding import int32, statement_of, texts
from adapters.stores.keyspaces.rows import key_of, ttl_of, values_of
from adapters.stores.keyspaces.session import SERIAL, Prepared
from domain.errors import TransientError
from domain.ports.storage import Applied, ProjectionRow
from domain.ports.time import Deadline

#: Each round somebody else's write went first.
ROUNDS_MAX: Final = 16
#: The version of a customer's first profile: probably there is no row yet.
FIRST: Final = 1


@dataclass(frozen=True, slots=True)
class Held:
    """What the store has of a row; `payload` is None where only the version matters."""

    version: int | None
    payload: bytes | None = None


def judged(row: ProjectionRow, held: Held | None) -> Applied:
    """Return what a write of the row would do: APPLIED when it is to be written."""
    if held is None:
        return Applied.APPLIED
    if held.version is None:
        # Not written by us: whatever it is, it is not ours to replace.
        return Applied.CONFLICT
    if row.version != held.version:
        return Applied.APPLIED if row.version > held.version else Applied.STALE
    return Applied.SAME if row.payload == held.payload else Applied.CONFLICT


class Guarded:
    """Writes single rows; `in_doubt` counts the writes whose answer was lost."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self.in_doubt = 0

    async def put(self, row: ProjectionRow, deadline: Deadline) -> Applied:
        """Write the row unless one at least as new is there; raises as `Calls.asked`."""
        async with self._calls.turn(row.customer_id, deadline):
            return await self._put(row, deadline)

    async def _put(self, row: ProjectionRow, deadline: Deadline) -> Applied:
        patience = self._calls.patience
        patience.called()
        there = row.version != FIRST
        attempt = 1
        for _ in range(ROUNDS_MAX):
            try:
                applied, held = await self._swap(row, deadline, there=there)
            except TransientError as error:
                await patience.before_again(attempt, error, deadline)
                attempt += 1
                self.in_doubt += 1
                held = await self._held(row, deadline, SERIAL)
                # An equal row may be another writer's: what counts is that it is there.
                applied = held == Held(row.version, row.payload)
            if applied:
                return Applied.APPLIED
            verdict = judged(row, held)
            if verdict is not Applied.APPLIED:
                return verdict
            there = held is not None
        raise TransientError("the row is being written all the time")

    async def _swap(
        self, row: ProjectionRow, deadline: Deadline, *, there: bool
    ) -> tuple[bool, Held | None]:
        """Try to write; return whether it was, and else what is there."""
        now = self._calls.clock.now()

        def make(prepared: Prepared) -> Any:
            return _replace(prepared, row, now) if there else _add(prepared, row, now)

        result = await self._calls.once(make, deadline)
        applied, *rest = result[0]
        if applied:
            return True, None
        version = rest[0] if there and rest else None
        if there and version is None:
            return False, None
        if there and version != row.version:
            return False, Held(version)
        return False, await self._held(row, deadline)

    async def _held(self, row: ProjectionRow, deadline: Deadline, *profile: object) -> Held | None:
        key: list[bytes | None] = [row.customer_id.encode(), texts([row.data_type])]
        found = await self._calls.asked(
            lambda prepared: statement_of(prepared.held, key), deadline, *profile
        )
        return held_of(found[0]) if found else None


def held_of(found: tuple[Any, ...]) -> Held:
    """Return what is there, of a row of the statement `held`."""
    _, version, payload = found
    return Held(version, None if payload is None else payload.encode())


def _replace(prepared: Prepared, row: ProjectionRow, now: Any) -> Any:
    values = values_of(row)
    values += (*key_of(row), values[0])
    ttl = ttl_of(row, now)
    if ttl is None:
        return statement_of(prepared.replace[0], values)
    # Also a row whose time is over replaces the one before it, and is gone a second later.
    return statement_of(prepared.replace[1], [int32(max(ttl, 1)), *values])


def _add(prepared: Prepared, row: ProjectionRow, now: Any) -> Any:
    values = key_of(row) + values_of(row)
    ttl = ttl_of(row, now)
    if ttl is None:
        return statement_of(prepared.add[0], values)
    return statement_of(prepared.add[1], [*values, int32(max(ttl, 1))])
