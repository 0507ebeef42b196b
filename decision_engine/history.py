"""
A customer's history: recent facts from Keyspaces, everything else from truth.

Keyspaces holds a fact for thirty days from when it was first applied, and its rows never change:
that one was reversed is told by another row. So it answers only what it can know in full, the
first page of what happened in those days; all else, and what it cannot answer, truth does.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from decision_engine.archive import ListTransactions, StoredTransaction
from decision_engine.turns import in_time
from domain.errors import CreditError, PermanentError
from domain.instants import epoch_micros
from domain.ports.monitoring import Monitoring
from domain.ports.storage import DataReader, ProjectionRow
from domain.ports.time import Clock, Deadline
from domain.ports.truth import Truth
from domain.transaction import TransactionKind

PREFIX: Final = "TRANSACTION#"
#: A day less than rows live there, for producers whose clocks are ahead.
RECENT: Final = timedelta(days=29)
#: Keyspaces may use this share of what is left, and at most so many seconds.
SHARE: Final = 0.3
MOST_S: Final = 0.25
AWAY: Final = (CreditError, OSError)


@dataclass(frozen=True, slots=True)
class Facts:
    """Rows newest first, and the stores that were to answer and could not."""

    rows: Sequence[StoredTransaction]
    degraded: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class History:
    """Reads pages of facts; truth is the last resort, as for profiles."""

    truth: Truth
    recent: DataReader
    clock: Clock
    monitoring: Monitoring

    async def read(self, asked: ListTransactions, deadline: Deadline) -> Facts:
        """
        Return up to `asked.limit` rows.

        Raises:
            TransientError: truth was needed, and is away.
        """
        degraded: tuple[str, ...] = ()
        # Of later pages Keyspaces could not say what newer rows have reversed.
        if asked.before is None and asked.to_us is None:
            try:
                rows = await self._recent(asked, deadline)
            except AWAY as error:
                degraded = ("keyspaces",)
                code = error.code if isinstance(error, CreditError) else "unavailable"
                self.monitoring.count("history_tier_failed_total", tier="keyspaces", code=code)
            else:
                self._count("keyspaces", hit=rows is not None)
                if rows is not None:
                    return Facts(rows)
        (found,) = await self.truth.read([asked], deadline)
        self._count("aurora", hit=True)
        return Facts(found, degraded)

    async def _recent(
        self, asked: ListTransactions, deadline: Deadline
    ) -> Sequence[StoredTransaction] | None:
        """Return the rows, or None when older ones belong to the page that may have expired."""
        now = self.clock.now()
        seconds = min(deadline.remaining(self.clock) * SHARE, MOST_S)
        # Earlier than we leave: whoever guards the store is to see that it was late.
        within = Deadline.after(self.clock, seconds * 0.9)
        held = await in_time(
            self.recent.query(asked.customer_id, PREFIX, asked.limit, "", within), seconds
        )
        rows = _rows(held)
        since_us = epoch_micros(now - RECENT)
        if asked.from_us is not None and asked.from_us >= since_us:
            return [row for row in rows if row.occurred_us >= asked.from_us]
        full = len(rows) == asked.limit and rows[-1].occurred_us >= since_us
        return rows if full else None

    def _count(self, tier: str, *, hit: bool) -> None:
        self.monitoring.count("history_reads_total", tier=tier, hit="true" if hit else "false")


def _rows(held: Sequence[ProjectionRow]) -> list[StoredTransaction]:
    """
    Return the facts; one is reversed when another one here names it.

    Raises:
        PermanentError: a row is none of ours.
    """
    try:
        facts: list[tuple[ProjectionRow, Any]] = [(row, json.loads(row.payload)) for row in held]
        reversed_ids = {
            fact["reverses"] for _, fact in facts if fact["kind"] == TransactionKind.REVERSAL
        }
        return [
            StoredTransaction(
                event_id=fact["event_id"],
                kind=fact["kind"],
                occurred_us=_occurred_us(row),
                reversed=fact["event_id"] in reversed_ids,
                payload=row.payload,
            )
            for row, fact in facts
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise PermanentError("stored bytes are not a fact") from error


def _occurred_us(row: ProjectionRow) -> int:
    _, instant, _ = row.data_type.split("#")
    return epoch_micros(datetime.fromisoformat(instant))
