"""The route for producers of events that cannot write to the stream themselves."""

from dataclasses import dataclass

from adapters.inbound.http import examples
from adapters.inbound.http.bodies import EventsBody
from adapters.inbound.http.messages import Call, Reply, to_json
from adapters.inbound.http.operation import EVENTS_BYTES_MAX, Operation, Success
from adapters.inbound.http.replies import EventsReply
from adapters.inbound.http.use_cases import AcceptEvents
from adapters.inbound.http.validation import read_model


@dataclass(frozen=True, slots=True)
class EventHandlers:
    """From a batch of events to their results."""

    accept_events: AcceptEvents

    async def accept(self, call: Call) -> Reply:
        """Put events on the stream; what is reported as accepted is durable."""
        events = read_model(EventsBody, call.body).events
        results = await self.accept_events(events, call.deadline)
        return Reply(200, to_json({"results": list(results)}))


def event_operations(handlers: EventHandlers) -> list[Operation]:
    """Return the route of events."""
    return [
        Operation(
            method="POST",
            path="/v1/events",
            handler=handlers.accept,
            tag="events",
            summary="Put up to 500 events on the stream",
            description=(
                "For producers that cannot write to the stream themselves. What is reported as "
                "accepted is durable; `event_id` is the key, so sending it again is harmless."
            ),
            scope="events:write",
            body=EventsBody,
            body_example=examples.EVENTS_BODY,
            body_bytes_max=EVENTS_BYTES_MAX,
            success=Success(model=EventsReply, example=examples.EVENTS),
        )
    ]
