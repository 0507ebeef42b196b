"""
Do the stores of a data folder agree with truth? Compared in SQL, over stored bytes.

Written apart from what writes the projections, so that a fault there cannot hide itself here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import apsw

from adapters.stores.embedded.directory import DataFolder

#: For each comparison: rows of truth, and those without an equal row in the store.
COMPARISONS: Final = {
    "profiles in keyspaces": (
        "SELECT count(*) FROM customers",
        """
        SELECT count(*) FROM customers c LEFT JOIN keyspaces.creditdata d
        ON d.customer_id = c.customer_id AND d.data_type = 'CUSTOMER_PROFILE'
        WHERE d.payload IS NOT c.profile OR d.version IS NOT c.profile_version
        """,
    ),
    "profiles in dynamodb": (
        "SELECT count(*) FROM customers",
        """
        SELECT count(*) FROM customers c LEFT JOIN dynamodb.credit_hot_data d
        ON d.customerId = c.customer_id AND d.dataType = 'CUSTOMER_PROFILE'
        WHERE d.payload IS NOT c.profile OR d.version IS NOT c.profile_version
        """,
    ),
    "transactions in keyspaces": (
        "SELECT count(*) FROM transactions WHERE applied_us > :live_us",
        """
        SELECT count(*) FROM transactions t LEFT JOIN keyspaces.creditdata d
        ON d.customer_id = t.customer_id AND d.data_type = 'TRANSACTION#'
        || strftime('%Y-%m-%dT%H:%M:%S', t.occurred_us / 1000000, 'unixepoch')
        || printf('.%06dZ', t.occurred_us % 1000000) || '#' || t.event_id
        WHERE t.applied_us > :live_us AND d.payload IS NOT t.payload
        """,
    ),
    "decisions in keyspaces": (
        "SELECT count(*) FROM credit_decisions",
        """
        SELECT count(*) FROM credit_decisions t LEFT JOIN keyspaces.creditdata d
        ON d.customer_id = t.customer_id AND d.data_type = 'DECISION#'
        || strftime('%Y-%m-%dT%H:%M:%S', t.decided_us / 1000000, 'unixepoch')
        || printf('.%06dZ', t.decided_us % 1000000) || '#' || t.decision_id
        WHERE json_extract(d.payload, '$.outcome') IS NOT t.outcome
        """,
    ),
}
TTL_US: Final = 30 * 86_400 * 1_000_000


@dataclass(frozen=True, slots=True)
class Agreement:
    """One comparison: how many rows of truth, and how many the store has otherwise."""

    name: str
    compared: int
    differing: int


def compare(folder: DataFolder, now_us: int) -> Iterator[Agreement]:
    """Yield every comparison; rows whose time to live is over are not compared."""
    connection = apsw.Connection(str(folder.truth), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        for name, path in (("keyspaces", folder.keyspaces), ("dynamodb", folder.dynamodb)):
            connection.execute("ATTACH ? AS " + name, (str(path),))
        for name, texts in COMPARISONS.items():
            compared, differing = (_count(connection, text, now_us - TTL_US) for text in texts)
            yield Agreement(name, compared, differing)
    finally:
        connection.close()


def _count(connection: apsw.Connection, text: str, live_us: int) -> int:
    bindings = {"live_us": live_us} if ":live_us" in text else None
    return int(connection.execute(text, bindings).get)
