"""Events by HTTP, for producers that cannot write to the stream themselves."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from domain.canonical import encode
from domain.customer import JsonObject
from domain.errors import InvalidInputError
from domain.events import EventType
from domain.identifiers import UUID_TEXT
from domain.ports.keys import KeyVault
from domain.ports.stream import EventStream
from domain.ports.time import Deadline
from ingestion.identity import is_sealed
from ingestion.reading import fail
from ingestion.seal import sealed_event

EVENTS_MAX: Final = 500


@dataclass(frozen=True, slots=True)
class AcceptEvents:
    """
    Put valid events on the stream, each sealed; the others are refused one by one.

    What is reported as accepted is durable. Sending events again is harmless: their ids are the
    key. No value that was sent comes back, except an `event_id` that is one.
    """

    stream: EventStream
    vault: KeyVault

    async def __call__(self, documents: Sequence[object], deadline: Deadline) -> list[JsonObject]:
        """
        Return one answer an event, in the order given.

        Raises:
            InvalidInputError: there are none, or more than 500.
            TransientError, AmbiguousError: send all of them again.
        """
        if not 1 <= len(documents) <= EVENTS_MAX:
            fail("", "events-count", f"1 to {EVENTS_MAX} events")
        answers: list[JsonObject] = []
        records: list[tuple[str, bytes]] = []
        for document in documents:
            try:
                records.append(await self._record(document, deadline))
                answers.append({"event_id": _id_of(document), "status": "accepted"})
            except InvalidInputError as error:
                answers.append(_refusal(document, error))
        if records:
            await self.stream.put(records, deadline)
        return answers

    async def _record(self, document: object, deadline: Deadline) -> tuple[str, bytes]:
        _refuse_sealed(document)
        event, sealed = await sealed_event(document, self.vault, deadline)
        if event.type is EventType.CREDIT_DECIDED:
            fail("/type", "type-internal", "only the platform itself says what it decided")
        return event.customer_id, encode(sealed)


def _refuse_sealed(document: object) -> None:
    """Ciphertext from outside might belong to nobody, and nothing here could tell."""
    data = document.get("data") if isinstance(document, dict) else None
    identity = data.get("identity") if isinstance(data, dict) else None
    if isinstance(identity, dict) and is_sealed(identity):
        fail("/data/identity", "identity-sealed", "identities are sent in clear, and sealed here")


def _refusal(document: object, error: InvalidInputError) -> JsonObject:
    errors = [
        {"pointer": problem.pointer, "code": problem.code, "detail": problem.detail}
        for problem in error.problems
    ]
    return {
        "event_id": _id_of(document),
        "status": "refused",
        "reason": errors[0]["code"] if errors else error.code,
        "errors": errors,
    }


def _id_of(document: object) -> str | None:
    event_id = document.get("event_id") if isinstance(document, dict) else None
    return event_id if isinstance(event_id, str) and UUID_TEXT.fullmatch(event_id) else None
