"""
From a decoded envelope to a valid `Event`; whatever is refused here is poison.

Only the time of an event within 1990-2100 is checked: the clock of this machine decides nothing.
"""

import hashlib
import json
import re
from typing import Final

from domain.customer import JsonObject
from domain.events import Event, EventType
from domain.identifiers import parse_name, parse_uuid7
from domain.instants import epoch_micros
from ingestion.payloads import READERS, SEALED_GROUPS, WHOLE_MAX, DataReader, Groups
from ingestion.reading import fail, instant_of, object_of, text_of, whole_of

SCHEMA_VERSION: Final = 1
STREAM_TEXT: Final = re.compile(
    r"([A-Za-z0-9._:-]{1,64})/[A-Za-z0-9._:-]{1,64}/(0|[1-9][0-9]{0,8})", re.ASCII
)
TRACE_TEXT: Final = re.compile(r"[!-~]{0,256}", re.ASCII)

_REQUIRED: Final = frozenset({
    "event_id", "source", "stream_id", "source_version", "customer_id", "type", "schema_version",
    "occurred_at", "data",
})  # fmt: skip
_OPTIONAL: Final = frozenset({"trace"})
_encode: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode


def parse_event(document: object, groups: Groups = SEALED_GROUPS) -> Event:
    """
    Read an envelope and what its type carries.

    `groups` are the readers of a profile's attribute groups: behind the edge only the sealed form
    of an identity is valid.

    Raises:
        InvalidInputError: the first fault found, with its pointer; no value is echoed.
    """
    envelope = object_of(document, "", _REQUIRED, _OPTIONAL)
    source = parse_name(envelope["source"], "/source")
    customer_id = parse_name(envelope["customer_id"], "/customer_id")
    event_type, reader = _type_of(envelope["type"])
    whole_of(envelope["schema_version"], "/schema_version", SCHEMA_VERSION, SCHEMA_VERSION)
    occurred = instant_of(envelope["occurred_at"], "/occurred_at")
    data = envelope["data"]
    if type(data) is not dict:
        fail("/data", "object-expected", "a JSON object is expected")
    event = Event(
        event_id=parse_uuid7(envelope["event_id"], "/event_id"),
        source=source,
        stream_id=str(envelope["stream_id"]),
        incarnation=_incarnation(envelope["stream_id"], source),
        source_version=whole_of(envelope["source_version"], "/source_version", 1, WHOLE_MAX),
        customer_id=customer_id,
        type=event_type,
        schema_version=SCHEMA_VERSION,
        occurred_us=epoch_micros(occurred),
        data=reader(data, occurred, groups),
        body_hash=hashlib.sha256(body_bytes(envelope)).digest(),
        trace=text_of(envelope.get("trace", ""), "/trace", TRACE_TEXT, "trace-format"),
    )
    if event.data.get("customer_id", customer_id) != customer_id:
        fail("/data/customer_id", "customer-differs", "not the customer of the envelope")
    return event


def body_bytes(envelope: JsonObject) -> bytes:
    """
    Return the canonical bytes of a valid envelope without its trace.

    Two copies of one event may differ in their trace only.
    """
    # Valid ids, names and instants hold nothing that JSON would escape, so only data is encoded.
    return (
        f'{{"customer_id":"{envelope["customer_id"]}","data":{_encode(envelope["data"])},'
        f'"event_id":"{envelope["event_id"]}","occurred_at":"{envelope["occurred_at"]}",'
        f'"schema_version":{SCHEMA_VERSION},"source":"{envelope["source"]}",'
        f'"source_version":{envelope["source_version"]},"stream_id":"{envelope["stream_id"]}",'
        f'"type":"{envelope["type"]}"}}'
    ).encode()


def _type_of(value: object) -> tuple[EventType, DataReader]:
    known = READERS.get(value) if type(value) is str else None
    if known is None:
        fail("/type", "type-unknown", "no event type of the contract")
    return known


def _incarnation(value: object, source: str) -> int:
    match = STREAM_TEXT.fullmatch(value) if type(value) is str else None
    if match is None or match[1] != source:
        fail("/stream_id", "stream-format", "source, entity and incarnation between slashes")
    return int(match[2])
