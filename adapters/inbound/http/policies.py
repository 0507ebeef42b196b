"""Routes of policies: list them, show one, and what analysts ask before they publish."""

import asyncio
from dataclasses import dataclass

from adapters.inbound.http import examples
from adapters.inbound.http.messages import Call, Reply, to_json
from adapters.inbound.http.operation import (
    POLICY_BYTES_MAX,
    POLICY_DEADLINE_MS,
    Operation,
    Success,
)
from adapters.inbound.http.policy_bodies import PolicyDocumentBody, SimulateBody
from adapters.inbound.http.queries import FROM_VERSION, TO_VERSION, path_id
from adapters.inbound.http.replies import (
    PolicyCheckReply,
    PolicyDiffReply,
    PolicyList,
    PolicyReply,
    SimulationReply,
)
from adapters.inbound.http.use_cases import UseCases
from adapters.inbound.http.validation import read_model


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

    async def check(self, call: Call) -> Reply:
        """Check a document without publishing it."""
        policy_id = path_id(call.path)
        # Large JSON takes a while: a thread lets other requests in between.
        await asyncio.to_thread(read_model, PolicyDocumentBody, call.body)
        found = await self.use_cases.check_policy(policy_id, call.body, call.deadline)
        return Reply(200, to_json(found))

    async def simulate(self, call: Call) -> Reply:
        """Put cases through two policies without recording."""
        policy_id = path_id(call.path)
        body = await asyncio.to_thread(read_model, SimulateBody, call.body)
        given, cases = body.policy_given(), body.trial_cases()
        found = await self.use_cases.simulate_policy(policy_id, given, cases, call.deadline)
        return Reply(200, to_json(found))

    async def diff(self, call: Call) -> Reply:
        """Tell what changed between two versions."""
        before, after = (call.query.get(name) for name in ("from", "to"))
        policy_id = path_id(call.path)
        found = await self.use_cases.diff_policy(policy_id, before, after, call.deadline)
        return Reply(200, to_json(found))


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
        *_desk_operations(handlers),
    ]


def _desk_operations(handlers: PolicyHandlers) -> list[Operation]:
    """Return what analysts ask about policies; none of it publishes or records."""
    return [
        Operation(
            method="POST",
            path="/v1/policies/{id}/check",
            handler=handlers.check,
            tag="policies",
            summary="Check a policy document",
            description=(
                "Every finding with its place and what to do, as publishing would see it, with "
                "the scorecards and reason texts of the active version. Publishes nothing."
            ),
            scope="policies:write",
            deadline_ms=POLICY_DEADLINE_MS,
            body=PolicyDocumentBody,
            body_bytes_max=POLICY_BYTES_MAX,
            body_example=examples.POLICY_DOCUMENT,
            success=Success(model=PolicyCheckReply, example=examples.POLICY_CHECK),
            problems=("not-found",),
        ),
        Operation(
            method="POST",
            path="/v1/policies/{id}/simulate",
            handler=handlers.simulate,
            tag="policies",
            summary="Put cases through the active policy and another",
            description=(
                "Both answers to each case side by side, and how many change. The other policy is "
                "a document, a published version, or none: the active one. Records nothing."
            ),
            scope="policies:write",
            deadline_ms=POLICY_DEADLINE_MS,
            body=SimulateBody,
            body_bytes_max=POLICY_BYTES_MAX,
            body_example=examples.SIMULATE_BODY,
            success=Success(model=SimulationReply, example=examples.SIMULATION),
            problems=("not-found", "policy-invalid"),
        ),
        Operation(
            method="GET",
            path="/v1/policies/{id}/diff",
            handler=handlers.diff,
            tag="policies",
            summary="Tell what changed between two versions, in rules",
            scope="policies:read",
            deadline_ms=POLICY_DEADLINE_MS,
            query=(FROM_VERSION, TO_VERSION),
            success=Success(model=PolicyDiffReply, example=examples.POLICY_DIFF),
            problems=("not-found",),
        ),
    ]
