"""The route that prices a loan without a customer."""

from dataclasses import dataclass

from adapters.inbound.http import examples
from adapters.inbound.http.bodies import QuoteBody
from adapters.inbound.http.messages import Call, Reply, to_json
from adapters.inbound.http.operation import Operation, Success
from adapters.inbound.http.replies import QuoteReply
from adapters.inbound.http.use_cases import Quote
from adapters.inbound.http.validation import read_model


@dataclass(frozen=True, slots=True)
class QuoteHandlers:
    """From the terms of a loan to its plan."""

    quote: Quote

    async def price(self, call: Call) -> Reply:
        """Price a loan."""
        return Reply(200, to_json(self.quote(read_model(QuoteBody, call.body).plain())))


def quote_operations(handlers: QuoteHandlers) -> list[Operation]:
    """Return the route of quotes."""
    return [
        Operation(
            method="POST",
            path="/v1/quotes",
            handler=handlers.price,
            tag="quotes",
            summary="Price a loan without a customer",
            description=(
                "The plan with every instalment, the tax (IOF) and the total effective cost "
                "(CET), all to the centavo. Rates are fractions, half-even to 4 decimals."
            ),
            scope="decisions:read",
            body=QuoteBody,
            body_example=examples.QUOTE_BODY,
            success=Success(model=QuoteReply, example=examples.QUOTE),
        )
    ]
