"""Routes of policies: list them, show one."""

from dataclasses import dataclass

from adapters.inbound.http import examples
from adapters.inbound.http.messages import Call, Reply, to_json
from adapters.inbound.http.operation import POLICY_DEADLINE_MS, Operation, Success
from adapters.inbound.http.queries import path_id
from adapters.inbound.http.replies import PolicyList, PolicyReply
from adapters.inbound.http.use_cases import UseCases


@dataclass(frozen=True, slots=True)
class PolicyHandlers:
    """From a question about policies to the use case, and back."""

    use_cases: UseCases

    async def list(self, call: Call) -> Reply:
        """List every policy version."""
        return Reply(200, to_json(await self.use_cases.list_policies(call.deadline)))

    async def show(self, call: Call) -> Reply:
        """Show the active version of a policy with its document."""
        shown = await self.use_cases.show_policy(path_id(call.path), call.deadline)
        return Reply(200, to_json(shown))


def policy_operations(handlers: PolicyHandlers) -> list[Operation]:
    """Return the routes of policies."""
    return [
        Operation(
            method="GET",
            path="/v1/policies",
            handler=handlers.list,
            tag="policies",
            summary="List every policy version",
            scope="policies:read",
            deadline_ms=POLICY_DEADLINE_MS,
            success=Success(model=PolicyList, example=examples.POLICY_LIST),
        ),
        Operation(
            method="GET",
            path="/v1/policies/{id}",
            handler=handlers.show,
            tag="policies",
            summary="Show the active version of a policy",
            scope="policies:read",
            deadline_ms=POLICY_DEADLINE_MS,
            success=Success(model=PolicyReply, example=examples.POLICY_SHOWN),
            problems=("not-found",),
        ),
    ]
