"""Lists over all customers of a projection store over a model."""

from collections.abc import Callable, Sequence
from typing import Final

from adapters.stores.model.errors import ThrottledError, UnavailableError
from adapters.stores.model.storage import row_of, translated
from adapters.stores.model.versioned import VersionedStore
from domain.ports.storage import HotPlace, HotRow, ProjectionRow
from domain.ports.time import Clock, Deadline


class ModelHotQueries:
    """Implements `domain.ports.storage.HotQueries` by looking at every row."""

    def __init__(self, store: VersionedStore[tuple[str, str]], clock: Clock) -> None:
        self._store: Final = store
        self._clock: Final = clock

    async def newest_of_type(
        self, family: str, limit: int, after: HotPlace | None, deadline: Deadline
    ) -> Sequence[HotRow]:
        """Return rows of a type, the one updated last first."""
        rows = await self._rows(lambda row: row.data_type.partition("#")[0] == family, deadline)
        return _page([(row.updated_us, row) for row in rows], limit, after)

    async def newest_of_status(
        self, status: str, limit: int, after: HotPlace | None, deadline: Deadline
    ) -> Sequence[HotRow]:
        """Return rows of a status, the one created last first."""
        rows = await self._rows(lambda row: (row.columns or {}).get("status") == status, deadline)
        return _page([(row.created_us, row) for row in rows], limit, after)

    async def _rows(
        self, wanted: Callable[[ProjectionRow], bool], deadline: Deadline
    ) -> list[HotRow]:
        deadline.check(self._clock)
        try:
            found = await self._store.scan()
        except (UnavailableError, ThrottledError) as error:
            raise translated(error) from error
        now_s = self._clock.now().timestamp()
        rows = (row_of(stored) for _, stored in found)
        return [
            _listed(row) for row in rows if wanted(row) and (row.expires_s or now_s + 1) > now_s
        ]


def _listed(row: ProjectionRow) -> HotRow:
    columns = row.columns or {}
    status = columns.get("status")
    return HotRow(
        row.customer_id, row.data_type, row.version, None if status is None else str(status),
        _whole(columns.get("createdAt")), _whole(columns.get("lastUpdated")),
    )  # fmt: skip


def _whole(value: str | int | None) -> int | None:
    return None if value is None else int(value)


def _page(
    timed: Sequence[tuple[int | None, HotRow]], limit: int, after: HotPlace | None
) -> list[HotRow]:
    placed = sorted(
        ((-instant, row.customer_id, row.data_type), row)
        for instant, row in timed
        if instant is not None
    )
    begin = (-after.instant_us, after.customer_id, after.data_type) if after else None
    return [row for place, row in placed if begin is None or place > begin][:limit]
