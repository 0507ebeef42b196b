"""Sealing at the edge: the last place that sees a direct identifier in clear."""

from typing import Any, Final

from domain.canonical import encode
from domain.customer import JsonObject
from domain.errors import GoneError, InvalidInputError
from domain.events import Event, EventType
from domain.identifiers import own_person, person_of_index
from domain.ports.keys import KeyVault
from domain.ports.time import Deadline
from ingestion.identity import is_sealed
from ingestion.parse import parse_event
from ingestion.payloads import CLEAR_GROUPS

POINTER: Final = "/data/identity"


async def seal_identity(document: object, vault: KeyVault, deadline: Deadline) -> bytes:
    """
    Return the canonical bytes of an envelope without any identifier in clear.

    The same envelope gives the same bytes, however often it is sealed.

    Raises:
        InvalidInputError: anything in the envelope is wrong; no key was made for it.
        TransientError: the vault is away.
    """
    return encode((await sealed_event(document, vault, deadline))[1])


async def sealed_event(
    document: object, vault: KeyVault, deadline: Deadline
) -> tuple[Event, object]:
    """
    Return the event of an envelope, and the envelope with its identity sealed.

    Raises:
        InvalidInputError, TransientError: as `seal_identity`.
    """
    if holds_clear_identity(document):
        document = await _sealed(document, vault, deadline)
    return parse_event(document), document


def holds_clear_identity(document: object) -> bool:
    """Return whether this looks like a profile update with an identity that is not sealed."""
    if not isinstance(document, dict) or document.get("type") != EventType.PROFILE_UPDATED:
        return False
    data = document.get("data")
    identity = data.get("identity") if isinstance(data, dict) else None
    return isinstance(identity, dict) and not is_sealed(identity)


async def _sealed(document: Any, vault: KeyVault, deadline: Deadline) -> JsonObject:
    event = parse_event(document, CLEAR_GROUPS)
    sealed = await _seal(event, vault, deadline)
    return {**document, "data": {**document["data"], "identity": sealed}}


async def _seal(event: Event, vault: KeyVault, deadline: Deadline) -> JsonObject:
    identity: Any = event.data["identity"]
    sealed: JsonObject = {}
    person_id = own_person(event.customer_id)
    if "cpf" in identity:
        sealed["cpf_index"] = await vault.person_index(identity["cpf"], deadline)
        person_id = person_of_index(str(sealed["cpf_index"]))
    try:
        for field in sorted(identity):
            sealed[field] = await vault.seal(person_id, field, identity[field], deadline)
    except GoneError as error:
        raise InvalidInputError.at(POINTER, "person-erased", "this person was erased") from error
    return sealed
