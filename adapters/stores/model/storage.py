"""A projection store over a model: rows by customer and data type, guarded one by one."""

from collections.abc import Mapping, Sequence
from typing import Final

from adapters.stores.model.errors import ThrottledError, UnavailableError
from adapters.stores.model.versioned import Stored, VersionedStore
from domain import errors
from domain.errors import DeadlineExceededError, TransientError
from domain.ports.storage import Applied, ProjectionRow
from domain.ports.time import Clock, Deadline

Key = tuple[str, str]


class RowBytes(bytes):
    """The payload of a row, which is what the store compares, with the whole row beside it."""

    row: ProjectionRow

    @classmethod
    def of(cls, row: ProjectionRow) -> "RowBytes":
        """Return the bytes of a row."""
        made = cls(row.payload)
        made.row = row
        return made


class ModelStorage:
    """Implements `domain.ports.storage.DataStorage`; each row of a write is a call of its own."""

    def __init__(self, store: VersionedStore[Key], clock: Clock) -> None:
        self.name = store.name
        self._store: Final = store
        self._clock: Final = clock
        self._counts: Final = dict.fromkeys(("reads", "queries", *Applied), 0.0)

    async def read_item(
        self, customer_id: str, data_type: str, deadline: Deadline
    ) -> ProjectionRow | None:
        """Return the row, or None."""
        deadline.check(self._clock)
        self._counts["reads"] += 1
        try:
            stored = await self._store.get((customer_id, data_type))
        except (UnavailableError, ThrottledError) as error:
            raise translated(error) from error
        return None if stored is None else self._alive(stored)

    async def query(
        self, customer_id: str, prefix: str, limit: int, before: str, deadline: Deadline
    ) -> Sequence[ProjectionRow]:
        """Return rows by prefix, newest first."""
        deadline.check(self._clock)
        self._counts["queries"] += 1
        try:
            found = await self._store.scan()
        except (UnavailableError, ThrottledError) as error:
            raise translated(error) from error
        rows = (self._alive(stored) for key, stored in found if key[0] == customer_id)
        kept = [row for row in rows if row is not None and _is_on_page(row, prefix, before)]
        return sorted(kept, key=lambda row: row.data_type, reverse=True)[:limit]

    async def put_if_newer(
        self, rows: Sequence[ProjectionRow], deadline: Deadline
    ) -> Sequence[Applied]:
        """Write the rows that are newer; after an error some of them are written."""
        results: list[Applied] = []
        for row in rows:
            if self._clock.monotonic() >= deadline.at:
                raise DeadlineExceededError(f"{self.name}: out of time")
            results.append(await self._put(row))
        return results

    def metrics(self) -> Mapping[str, float]:
        """Return counters since start: reads, queries, and one of each result of a write."""
        return dict(self._counts)

    async def _put(self, row: ProjectionRow) -> Applied:
        try:
            verdict = await self._store.put_if_newer(row.key, row.version, RowBytes.of(row))
        except (UnavailableError, ThrottledError) as error:
            raise translated(error) from error
        self._counts[verdict] += 1
        return Applied(verdict)

    def _alive(self, stored: Stored) -> ProjectionRow | None:
        row = row_of(stored)
        expires = row.expires_s
        return row if expires is None or expires > self._clock.now().timestamp() else None


def row_of(stored: Stored) -> ProjectionRow:
    """Return the row that is stored."""
    if not isinstance(stored.row, RowBytes):
        raise TypeError("a row that this adapter did not write")
    return stored.row.row


def translated(error: UnavailableError | ThrottledError) -> TransientError:
    """Return the port's error: a write that is in doubt is safe to repeat, as is one refused."""
    if isinstance(error, ThrottledError):
        return errors.ThrottledError("the model store asks for less")
    return TransientError("the model store did not answer")


def _is_on_page(row: ProjectionRow, prefix: str, before: str) -> bool:
    return row.data_type.startswith(prefix) and (not before or row.data_type < before)
