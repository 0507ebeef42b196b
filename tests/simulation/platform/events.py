"""Envelopes as producers send them, identities sealed already."""

import json
import random
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from typing import Any, Final

from domain.customer import CreditData
from domain.events import Event
from domain.identifiers import uuid7
from domain.instants import instant_micros
from ingestion.fold import fold
from ingestion.parse import parse_event
from tests.simulation.platform.ports import START, index_of, sealed_text

#: A record: its partition key, which is the customer, and its bytes.
Record = tuple[str, bytes]

CPF: Final = "52998224725"


def reais(centavos: int) -> str:
    return f"{centavos // 100}.{centavos % 100:02d}"


def income(centavos: int) -> dict[str, Any]:
    return {"income": {"monthly": reais(centavos), "basis": "verified"}}


def identity(cpf: str = CPF) -> dict[str, Any]:
    return {"identity": {"cpf": sealed_text(f"cpf {cpf}"), "cpf_index": index_of(cpf)}}


@dataclass(slots=True)
class Producer:
    """Makes envelopes with gapless versions per stream; all envelopes of a seed differ."""

    chance: random.Random
    versions: dict[str, int] = field(default_factory=dict)

    def envelope(self, customer_id: str, kind: str, data: dict[str, Any]) -> dict[str, Any]:
        """Return the next event of a customer from the source of its kind."""
        source = kind.partition(".")[0]
        stream = f"{source}/{customer_id}/1"
        version = self.versions[stream] = self.versions.get(stream, 0) + 1
        occurred = START - timedelta(days=20) + timedelta(seconds=sum(self.versions.values()))
        return {
            "event_id": uuid7(occurred, self.chance.getrandbits(74)),
            "source": source,
            "stream_id": stream,
            "source_version": version,
            "customer_id": customer_id,
            "type": kind,
            "schema_version": 1,
            "occurred_at": instant_micros(occurred),
            "data": data,
        }


def record(envelope: dict[str, Any]) -> Record:
    """Return the record of an envelope."""
    return (envelope["customer_id"], json.dumps(envelope, separators=(",", ":")).encode())


@lru_cache(maxsize=64)
def event_of(made: Record) -> Event:
    """Return the event that a valid record holds."""
    return parse_event(json.loads(made[1]))


def folded(customer_id: str, records: list[Record]) -> CreditData:
    """Return the profile after these distinct records, each applied once, in this order."""
    return fold(CreditData.empty(customer_id), [event_of(each) for each in records]).profile


def text_of(made: Record) -> str:
    """Return a record in one line, for traces."""
    try:
        envelope = json.loads(made[1])
    except ValueError:
        return f"{made[0]}: not JSON"
    return (
        f"{made[0]}: {envelope['type']} {envelope['source_version']} ..{envelope['event_id'][-6:]}"
    )
