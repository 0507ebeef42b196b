"""Events about customers: the envelope, and what each type may carry."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from domain.identifiers import own_person


class EventType(StrEnum):
    """Every event type of the public contract."""

    PROFILE_UPDATED = "customer.profile_updated"
    TRANSACTION_RECORDED = "transaction.recorded"
    TRANSACTION_REVERSED = "transaction.reversed"
    STATEMENT_CLOSED = "statement.closed"
    DELINQUENCY_REPORTED = "delinquency.reported"
    BUREAU_SCORE_UPDATED = "bureau.score_updated"
    CREDIT_DECIDED = "credit.decided"
    LOAN_PERFORMANCE_REPORTED = "loan.performance_reported"


#: Facts that the platform itself wrote: truth holds them already, so they never touch a profile.
OWN_EVENTS: Final = frozenset({EventType.CREDIT_DECIDED, EventType.LOAN_PERFORMANCE_REPORTED})
#: Events that replace what a slot (attribute group, source) holds.
STATE_EVENTS: Final = frozenset({EventType.PROFILE_UPDATED, EventType.BUREAU_SCORE_UPDATED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """
    One event in its parsed, valid form; no clear direct identifier is left in `data`.

    `stream_id` is source / entity / incarnation; `source_version` is gapless within it.
    `body_hash` covers everything that two copies of one event must share.
    """

    event_id: str
    source: str
    stream_id: str
    incarnation: int
    source_version: int
    customer_id: str
    type: EventType
    schema_version: int
    occurred_us: int
    data: Mapping[str, object]
    body_hash: bytes
    trace: str = ""

    @property
    def default_person(self) -> str:
        """The person this customer is until a CPF is known."""
        return own_person(self.customer_id)
