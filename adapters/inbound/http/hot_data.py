"""Routes of the lists over the hot store."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from adapters.inbound.http import examples
from adapters.inbound.http.cursors import Cursors
from adapters.inbound.http.messages import Call, Reply
from adapters.inbound.http.operation import Operation, Success
from adapters.inbound.http.pages import limit_of, page_reply, place_of
from adapters.inbound.http.queries import CURSOR, LIMIT, path_id
from adapters.inbound.http.replies import HotRowPage
from adapters.inbound.http.use_cases import UseCases
from decision_engine.hot_lists import HotListQuery
from decision_engine.pages import Page

BY_TYPE: Final = "/v1/hot-data/types"
BY_STATUS: Final = "/v1/hot-data/statuses"


@dataclass(frozen=True, slots=True)
class HotDataHandlers:
    """From an operator's question to the use case, and back to bytes."""

    use_cases: UseCases
    cursors: Cursors

    async def by_type(self, call: Call) -> Reply:
        """List rows of a type, the one updated last first."""
        return await self._page(BY_TYPE, self.use_cases.list_hot_by_type, call)

    async def by_status(self, call: Call) -> Reply:
        """List rows of a status, the one created last first."""
        return await self._page(BY_STATUS, self.use_cases.list_hot_by_status, call)

    async def _page(
        self, path: str, read: Callable[[HotListQuery], Awaitable[Page]], call: Call
    ) -> Reply:
        value = path_id(call.path)
        route = f"{path}/{value}"
        page = await read(
            HotListQuery(
                value=value,
                limit=limit_of(call.query),
                before=place_of(self.cursors, route, call.query),
                deadline=call.deadline,
            )
        )
        return page_reply(self.cursors, route, call.query, page)


def hot_data_operations(handlers: HotDataHandlers) -> list[Operation]:
    """Return the routes of the hot store's lists."""
    return [
        Operation(
            method="GET",
            path=f"{BY_TYPE}/{{id}}",
            handler=handlers.by_type,
            tag="operations",
            summary="List rows of the hot store by type, the one updated last first",
            description=(
                "`id` is a type up to its first `#`: CUSTOMER_PROFILE, DECISION_LATEST. The hot "
                "store may lag behind the ledger; a type that it does not hold is an empty page."
            ),
            scope="operations",
            query=(LIMIT, CURSOR),
            success=Success(model=HotRowPage, example=examples.HOT_ROW_PAGE),
            problems=("not-found",),
        ),
        Operation(
            method="GET",
            path=f"{BY_STATUS}/{{id}}",
            handler=handlers.by_status,
            tag="operations",
            summary="List rows of the hot store by status, the one created last first",
            description=(
                "`id` is a profile's status (ACTIVE, INCOMPLETE) or the outcome of a customer's "
                "latest decision. The hot store may lag behind the ledger."
            ),
            scope="operations",
            query=(LIMIT, CURSOR),
            success=Success(model=HotRowPage, example=examples.HOT_ROW_PAGE),
            problems=("not-found",),
        ),
    ]
