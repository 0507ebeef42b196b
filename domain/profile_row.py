"""
The row of a customer's profile in the projection stores, whoever writes it.

Ingestion and the write-back of readers must write the same row: a store compares the version and
the bytes of the profile only, so what the first writer leaves out stays away.
"""

from typing import Final

from domain.customer import CreditData
from domain.ports.storage import ProjectionRow
from domain.readable import readable_columns

PROFILE: Final = "CUSTOMER_PROFILE"


def profile_row(profile: CreditData, payload: bytes) -> ProjectionRow:
    """Return the row of a profile and its stored bytes."""
    return ProjectionRow(
        profile.customer_id,
        PROFILE,
        profile.profile_version,
        payload,
        columns={**readable_columns(profile), **times(profile.newest_us)},
    )


def times(micros: int) -> dict[str, int]:
    """Return the instant of a row under the names of the brief's two tables."""
    return {"created_at": micros, "updated_at": micros, "createdAt": micros, "lastUpdated": micros}
