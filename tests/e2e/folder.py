"""What a data folder holds after its process has ended, read without the platform."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import apsw

from adapters.bootstrap.evidence import verify_ledger
from adapters.bootstrap.shipped import personal_loan
from decision_engine.archive import StoredDecision
from decision_engine.replay import replay_stored
from decision_engine.rulebook import Rulebook, build_rulebook

OFFERING: Final = (
    "SELECT decision_id FROM credit_decisions WHERE outcome IN ('APPROVED', 'COUNTER_OFFER')"
)
#: Of the two offers that a decision may have, one is counted.
OFFERED: Final = "SELECT DISTINCT decision_id FROM {}"
STORED: Final = tuple(field.name for field in fields(StoredDecision))


@dataclass(frozen=True, slots=True)
class Folder:
    """A data folder at rest."""

    root: Path

    def rows(self, text: str, file: str = "truth.sqlite") -> list[Any]:
        """Return the rows of a query."""
        connection = apsw.Connection(str(self.root / file), flags=apsw.SQLITE_OPEN_READONLY)
        try:
            return connection.execute(text).fetchall()
        finally:
            connection.close()

    def decisions(self) -> list[StoredDecision]:
        """Return every decision, oldest first."""
        columns = ", ".join(STORED)
        # Only names of this file are put into any of these texts.
        text = f"SELECT {columns} FROM credit_decisions ORDER BY decided_us, decision_id"  # noqa: S608
        return [StoredDecision(*row) for row in self.rows(text)]

    def replies(self) -> Counter[tuple[str, bytes]]:
        """Return key and reply of every decision and of every other creating request."""
        decided = self.rows("SELECT idem_key, reply FROM credit_decisions")
        created = self.rows("SELECT idem_key, reply FROM idempotency_keys")
        # A decision's key is stored with its route before it.
        return Counter((key.rpartition(":")[2], bytes(reply)) for key, reply in decided + created)

    def events(self) -> set[str]:
        """Return the ids of the events that were taken in."""
        return {row[0] for row in self.rows("SELECT event_id FROM inbox")}

    def parked(self) -> Counter[str]:
        """Return how many records of each customer were set aside."""
        return Counter(row[0] for row in self.rows("SELECT customer_id FROM parked_events"))

    def faults(self) -> Iterator[str]:
        """Yield everything that is wrong with the ledger."""
        yield from self._broken_lanes()
        for stored in self.decisions():
            replayed = replay_stored(stored, shipped_rulebook())
            if replayed.verdict != "EQUAL":
                yield f"{stored.decision_id} is {replayed.verdict}: {replayed.differences}"
        yield from self._halves()

    def _broken_lanes(self) -> Iterator[str]:
        # The anchors too: whatever ended the process, what they name was flushed before.
        problems: Any = verify_ledger(self.root, None)["problems"]
        yield from problems

    def _halves(self) -> Iterator[str]:
        """Yield decisions that lack a part which is written with them."""
        for table in ("reservations", "offers"):
            if sorted(self.rows(OFFERING)) != sorted(self.rows(OFFERED.format(table))):
                yield f"{table} do not fit the decisions"
        closed = "SELECT closed_by FROM reviews WHERE state = 'CLOSED'"
        made = "SELECT decision_id FROM credit_decisions WHERE reviewed_decision <> ''"
        if sorted(self.rows(closed)) != sorted(self.rows(made)):
            yield "closed reviews do not fit the decisions that closed them"


@cache
def shipped_rulebook() -> Rulebook:
    """Return the shipped policy, compiled from its files."""
    return build_rulebook(personal_loan(), version("tzdata"))
