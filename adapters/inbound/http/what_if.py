"""The route that evaluates an application and records nothing."""

from dataclasses import dataclass

from adapters.inbound.http import examples
from adapters.inbound.http.bodies import WhatIfBody
from adapters.inbound.http.messages import Call, Reply, to_json
from adapters.inbound.http.operation import Operation, Success
from adapters.inbound.http.replies import WhatIfReply
from adapters.inbound.http.use_cases import WhatIf
from adapters.inbound.http.validation import read_model
from decision_engine.commands import WhatIfCommand


@dataclass(frozen=True, slots=True)
class WhatIfHandlers:
    """From a question to the use case, and back."""

    what_if: WhatIf

    async def evaluate(self, call: Call) -> Reply:
        """Evaluate without recording."""
        body = read_model(WhatIfBody, call.body)
        answer = await self.what_if(
            WhatIfCommand(
                application=body.application(),
                overrides=body.overrides,
                policy=body.policy,
                language=call.language,
                deadline=call.deadline,
            )
        )
        return Reply(200, to_json(answer))


def what_if_operations(handlers: WhatIfHandlers) -> list[Operation]:
    """Return the route of what-if."""
    return [
        Operation(
            method="POST",
            path="/v1/credit-decisions/what-if",
            handler=handlers.evaluate,
            tag="decisions",
            summary="Evaluate an application without recording",
            description=(
                "The body of an application, with attributes to replace and another policy if "
                "wanted. Open commitments of the person are left out of the account."
            ),
            scope="decisions:read",
            body=WhatIfBody,
            body_example=examples.WHAT_IF_BODY,
            success=Success(model=WhatIfReply, example=examples.WHAT_IF),
        )
    ]
