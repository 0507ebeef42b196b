"""
The stored form of `CreditData`: the same bytes in every store, so that stores compare by bytes.

Facts are arrays in a fixed order (a profile is written for every event, names would triple it).
"""

import json
from functools import lru_cache
from typing import Final

from domain.canonical import encode
from domain.customer import (
    LAYOUT_VERSION,
    CreditData,
    Delinquency,
    JsonObject,
    Month,
    Slot,
    Statement,
)
from domain.errors import PermanentError

#: A customer who is asked about again within minutes is read once: the fold under the lock and a
#: retry get the same bytes. Few, so that what was erased elsewhere is soon gone from memory too.
PROFILES_KEPT: Final = 512


def profile_to_bytes(profile: CreditData) -> bytes:
    """Return the canonical bytes of a profile."""
    document: JsonObject = {
        "v": LAYOUT_VERSION,
        "id": profile.customer_id,
        "person": profile.person_id,
        "version": profile.profile_version,
        "incomplete": profile.incomplete,
        "slots": {name: _slot_out(slot) for name, slot in profile.slots.items()},
        "months": {str(number): _month_out(month) for number, month in profile.months.items()},
        "newest": [profile.newest_month, profile.newest_us],
        "reversals": list(profile.pending_reversals),
    }
    return encode(document)


def profile_from_bytes(data: bytes | bytearray) -> CreditData:
    """
    Return the profile of `profile_to_bytes`; equal bytes give the same object for a while.

    Raises:
        PermanentError: the bytes are not a profile of a known layout.
    """
    return _profile(bytes(data))


@lru_cache(maxsize=PROFILES_KEPT)
def _profile(data: bytes) -> CreditData:
    try:
        document = json.loads(data)
        if document["v"] != LAYOUT_VERSION:
            raise PermanentError("profile of an unknown layout")
        return CreditData(
            customer_id=document["id"],
            person_id=document["person"],
            profile_version=document["version"],
            incomplete=document["incomplete"],
            slots={name: Slot(*slot) for name, slot in document["slots"].items()},
            months={int(number): _month_in(month) for number, month in document["months"].items()},
            newest_month=document["newest"][0],
            newest_us=document["newest"][1],
            pending_reversals=tuple(document["reversals"]),
        )
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise PermanentError("stored bytes are not a profile") from error


def _slot_out(slot: Slot) -> list[object]:
    return [slot.incarnation, slot.source_version, slot.occurred_us, dict(slot.data)]


def _month_out(month: Month) -> list[object]:
    return [
        {
            source: [
                held.incarnation,
                held.source_version,
                held.occurred_us,
                held.balance,
                held.limit,
            ]
            for source, held in month.statements.items()
        },
        {
            source: [held.incarnation, held.source_version, held.late]
            for source, held in month.delinquencies.items()
        },
        month.payments,
        month.payment_count,
        month.purchases,
        month.inquiries,
    ]


def _month_in(month: list[object]) -> Month:
    statements, delinquencies, payments, count, purchases, inquiries = month
    return Month(
        {source: Statement(*held) for source, held in statements.items()},  # type: ignore[attr-defined]
        {source: Delinquency(*held) for source, held in delinquencies.items()},  # type: ignore[attr-defined]
        payments,  # type: ignore[arg-type]
        count,  # type: ignore[arg-type]
        purchases,  # type: ignore[arg-type]
        inquiries,  # type: ignore[arg-type]
    )
