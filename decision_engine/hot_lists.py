"""Lists over the hot store for operators: what was updated last, and who is in a status."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from decision_engine.pages import Page, page_of
from domain.instants import from_epoch_micros, instant_millis
from domain.ports.storage import HotPlace, HotQueries, HotRow
from domain.ports.time import Deadline

Read = Callable[[str, int, HotPlace | None, Deadline], Awaitable[Sequence[HotRow]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class HotListQuery:
    """A page of rows of a type or a status, newest first."""

    value: str
    limit: int
    before: tuple[int, str] | None
    deadline: Deadline


@dataclass(frozen=True, slots=True)
class HotLists:
    """Answers from the hot store alone: what it does not hold is in no list."""

    queries: HotQueries

    async def of_type(self, query: HotListQuery) -> Page:
        """Return rows of a type by the instant of their last update."""
        return await _page(self.queries.newest_of_type, query, lambda row: row.updated_us)

    async def of_status(self, query: HotListQuery) -> Page:
        """Return rows of a status by the instant of their creation."""
        return await _page(self.queries.newest_of_status, query, lambda row: row.created_us)


async def _page(
    read: Read, query: HotListQuery, instant_of: Callable[[HotRow], int | None]
) -> Page:
    rows = await read(query.value, query.limit + 1, _place(query.before), query.deadline)

    def place(row: HotRow) -> tuple[int, str]:
        # Neither a customer's id nor a type has a line feed.
        return (instant_of(row) or 0, f"{row.customer_id}\n{row.data_type}")

    return page_of(rows, query.limit, place, _shown)


def _place(before: tuple[int, str] | None) -> HotPlace | None:
    if before is None:
        return None
    instant, identity = before
    customer_id, _, data_type = identity.partition("\n")
    return HotPlace(instant, customer_id, data_type)


def _shown(row: HotRow) -> dict[str, object]:
    return {
        "customer_id": row.customer_id,
        "data_type": row.data_type,
        "version": row.version,
        "status": row.status,
        "created_at": _instant(row.created_us),
        "updated_at": _instant(row.updated_us),
    }


def _instant(micros: int | None) -> str | None:
    return None if micros is None else instant_millis(from_epoch_micros(micros))
