"""Lists over all customers of the hot store, from the two indices of its table."""

from collections.abc import Sequence
from typing import Any, Final

import apsw

from adapters.stores.embedded.sqlite_file import SqliteFile
from domain.ports.storage import HotPlace, HotRow
from domain.ports.time import Clock, Deadline

#: Parts that a value of an index is cut into, for it has few values and many rows.
INDEX_PARTS: Final = 16
#: Later than every instant, in microseconds.
NEWEST: Final = HotPlace(2**63 - 1, "", "")


class SqliteHotQueries:
    """Implements `domain.ports.storage.HotQueries` on the file of the hot store."""

    def __init__(self, file: SqliteFile, clock: Clock) -> None:
        self._file, self._clock = file, clock

    async def newest_of_type(
        self, family: str, limit: int, after: HotPlace | None, deadline: Deadline
    ) -> Sequence[HotRow]:
        """Return rows of a type, the one updated last first."""
        return await self._read(_BY_TYPE, (family, limit, after), deadline)

    async def newest_of_status(
        self, status: str, limit: int, after: HotPlace | None, deadline: Deadline
    ) -> Sequence[HotRow]:
        """Return rows of a status, the one created last first."""
        return await self._read(_BY_STATUS, (status, limit, after), deadline)

    async def _read(
        self, text: str, asked: tuple[str, int, HotPlace | None], deadline: Deadline
    ) -> Sequence[HotRow]:
        value, limit, after = asked
        place = after or NEWEST
        params = {
            "now": int(self._clock.now().timestamp()),
            "limit": limit,
            "instant": place.instant_us,
            "customer": place.customer_id,
            "kind": place.data_type,
            **{f"part{part}": f"{value}#{part:02d}" for part in range(INDEX_PARTS)},
        }

        def rows(connection: apsw.Connection) -> list[Any]:
            return connection.execute(text, params).fetchall()

        return [HotRow(*row) for row in await self._file.read(rows, deadline)]


def _text(partition: str, sort: str) -> str:
    """Return the merge of an index's parts; each is read in its order, and not to its end."""
    order = f"{sort} DESC, customerId, dataType LIMIT :limit"
    behind = f"({sort} < :instant OR (customerId, dataType) > (:customer, :kind))"
    parts = (
        "SELECT * FROM (SELECT customerId, dataType, version, status, createdAt, lastUpdated"  # noqa: S608  only names of this file
        f" FROM credit_hot_data WHERE {partition} = :part{part} AND {sort} <= :instant"
        f" AND {behind} AND (ttl IS NULL OR ttl > :now) ORDER BY {order})"
        for part in range(INDEX_PARTS)
    )
    return f"SELECT * FROM ({' UNION ALL '.join(parts)}) ORDER BY {order}"  # noqa: S608  as above


_BY_TYPE: Final = _text("gsi1pk", "lastUpdated")
_BY_STATUS: Final = _text("gsi2pk", "createdAt")
