"""Routes of customers: the masked profile, and the history."""

from dataclasses import dataclass
from typing import Final

from adapters.inbound.http import examples
from adapters.inbound.http.cursors import Cursors
from adapters.inbound.http.messages import Call, Reply, to_json
from adapters.inbound.http.operation import Operation, Success
from adapters.inbound.http.pages import limit_of, page_reply, place_of
from adapters.inbound.http.queries import CURSOR, FROM, LIMIT, TO, path_id
from adapters.inbound.http.replies import CustomerReply, TransactionPage
from adapters.inbound.http.use_cases import UseCases
from decision_engine.customers import TransactionQuery

LIST_PARAMETERS: Final = (FROM, TO, LIMIT, CURSOR)


@dataclass(frozen=True, slots=True)
class CustomerHandlers:
    """From a question about a customer to the use case, and back."""

    use_cases: UseCases
    cursors: Cursors

    async def read(self, call: Call) -> Reply:
        """Read the masked profile, with where each attribute comes from."""
        return Reply(
            200, to_json(await self.use_cases.read_customer(path_id(call.path), call.deadline))
        )

    async def transactions(self, call: Call) -> Reply:
        """List the dated facts about a customer, newest first."""
        query = call.query
        customer_id = path_id(call.path)
        route = f"/v1/customers/{customer_id}/transactions"
        page = await self.use_cases.list_transactions(
            TransactionQuery(
                customer_id=customer_id,
                limit=limit_of(query),
                before=place_of(self.cursors, route, query),
                from_us=query.get("from"),
                to_us=query.get("to"),
                deadline=call.deadline,
            )
        )
        return page_reply(self.cursors, route, query, page)


def customer_operations(handlers: CustomerHandlers) -> list[Operation]:
    """Return the routes of customers."""
    return [
        Operation(
            method="GET",
            path="/v1/customers/{id}",
            handler=handlers.read,
            tag="customers",
            summary="Read a masked profile",
            description="Each attribute comes with the store, version and instant it is of.",
            scope="decisions:read",
            success=Success(model=CustomerReply, example=examples.CUSTOMER),
            problems=("not-found",),
        ),
        Operation(
            method="GET",
            path="/v1/customers/{id}/transactions",
            handler=handlers.transactions,
            tag="customers",
            summary="List a customer's history, newest first",
            scope="decisions:read",
            query=LIST_PARAMETERS,
            success=Success(model=TransactionPage, example=examples.TRANSACTION_PAGE),
            problems=("not-found",),
        ),
    ]
