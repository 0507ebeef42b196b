"""Routes for load balancers: is the process alive, can it work."""

from dataclasses import dataclass
from typing import Final

from adapters.inbound.http import examples
from adapters.inbound.http.messages import Call, Reply, to_json
from adapters.inbound.http.operation import Operation, Success
from adapters.inbound.http.refusals import ProblemError
from adapters.inbound.http.replies import LiveReply, ReadyReply
from adapters.inbound.http.use_cases import Health

LIVE: Final = to_json({"status": "live"})
UNAVAILABLE: Final = "unavailable"


@dataclass(frozen=True, slots=True)
class HealthHandlers:
    """Answers without a token, so it says nothing about customers."""

    health: Health

    async def live(self, _: Call) -> Reply:
        """Say that the process answers."""
        return Reply(200, LIVE)

    async def ready(self, _: Call) -> Reply:
        """
        Say whether requests should come here, with the state of each tier.

        Raises:
            ProblemError: `unavailable`, with the tiers; a needed store is away.
        """
        state = await self.health()
        if state["status"] == UNAVAILABLE:
            raise ProblemError("unavailable", extra={"tiers": state["tiers"]})
        return Reply(200, to_json(state))


def health_operations(handlers: HealthHandlers) -> list[Operation]:
    """Return the routes of health."""
    return [
        Operation(
            method="GET",
            path="/health/live",
            handler=handlers.live,
            tag="health",
            summary="Tell whether the process answers",
            success=Success(model=LiveReply, example=examples.LIVE),
        ),
        Operation(
            method="GET",
            path="/health/ready",
            handler=handlers.ready,
            tag="health",
            summary="Tell whether requests should come here",
            description="Each tier with the state of its breaker; 503 when a needed one is away.",
            success=Success(model=ReadyReply, example=examples.READY),
        ),
    ]
